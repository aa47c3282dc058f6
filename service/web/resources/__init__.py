"""One module a resource; each route is declared with ``operation``."""
