"""The client against the real application, without a single socket."""
