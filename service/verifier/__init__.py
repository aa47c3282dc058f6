"""Verified before it is served: holds published bytes against their digests and decides about versions.

Two roles that never mix: ``scanning`` reads bytes and writes findings; ``settling`` and ``releasing`` read
findings and records, set the tags IAM asks for, and write verdicts, without ever reading a byte. Every
step is safe to repeat and to interrupt: each looks at what is there and does what is missing.
"""
