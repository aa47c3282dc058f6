"""What in `docs/` is computed or drawn, and from what: `make docs` writes all of it anew."""
