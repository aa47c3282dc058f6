"""The client: the `smas` command and the SDK, held against the real application."""
