"""What the images are made of: inventory, licences, known vulnerabilities.

Not part of the service. ``python -m supply_chain.sbom`` and ``python -m supply_chain.audit`` run in an
environment of their own, from ``requirements/supply.txt``; see docs/supply-chain.md.
"""
