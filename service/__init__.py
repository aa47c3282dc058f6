"""The secure model artifact store: a Flask service over one S3 bucket.

Imports point inward and are checked by ``lint-imports`` (contracts in ``pyproject.toml``)::

    wsgi, worker, lambda_handler
    -> bootstrap, aws_lambda
    -> web, aws, verifier
    -> audit -> registry -> ports -> domain -> errors

``web``, ``aws`` and ``verifier`` never import each other.
"""
