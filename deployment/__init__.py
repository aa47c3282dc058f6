"""The store on AWS, from the command line: planned, deployed, looked after, taken away.

Not part of the service, which never imports it; it imports nothing of the service either. What it deploys is
`infra/`, by Terraform; what it says about a store it has from that store's state. `python -m deployment
--help` lists the commands, and the Makefile has the usual ones.
"""
