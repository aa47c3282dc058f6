"""A deployment rehearsed on this machine: the same configuration and commands, over an AWS of emulators.

`run` has the steps in order, `limits` what the emulators cannot do.
"""
