"""The application, its bucket, the user pool, and the way there."""

from __future__ import annotations

from tests.client.site.fixtures import files, folders, people, signing_key, site, stores, wire

__all__ = ["files", "folders", "people", "signing_key", "site", "stores", "wire"]
