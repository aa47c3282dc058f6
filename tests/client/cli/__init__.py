"""The `smas` command, run in this process."""
