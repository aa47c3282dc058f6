"""The ``smas`` command: one module a group of commands, over the SDK."""
