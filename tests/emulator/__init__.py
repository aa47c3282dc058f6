"""The local AWS and its supervisor without a server: held against specifications and temporary files."""
