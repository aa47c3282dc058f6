"""Bodies as they travel, one module a resource; ``/openapi.json`` is made of these.

Request types refuse unknown fields: a mistyped ``expected_version`` must not become "don't check".
"""
