"""What only AWS can finally prove, as tests that run against a deployed store, and against the local AWS.

`docs/testing-on-aws.md` says what each proves, what it costs and leaves behind, and how to ask for it.
"""
