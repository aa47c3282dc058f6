"""The secure model artifact store: a Flask service over one S3 bucket.

Imports point inward and are checked by ``lint-imports`` (contracts in ``pyproject.toml``)::

    wsgi, worker -> bootstrap -> web -> registry, verifier -> ports -> domain -> errors
                    bootstrap -> aws -> ports -> domain -> errors

``web`` never imports ``aws``; only ``bootstrap`` sees both.
"""
