"""The least that a function like ours is: it imports flask and boto3, and answers."""

from __future__ import annotations

import boto3
import flask

NEEDED = (boto3, flask)


def handler(_event: object, _context: object) -> dict[str, object]:
    """An answer like that of ``/healthz``."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"status":"ok"}'}
