"""The transfer core of the client, with real files and threads, without a store."""
