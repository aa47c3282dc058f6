"""What a script without the service would make of a download: the same reads of S3, and a presigned URL.

By boto3, in the function's own name: no token is checked, no role assumed, nothing decided or recorded.
"""

from __future__ import annotations

import json
import os

import boto3
import flask

S3 = boto3.client("s3", region_name=os.environ["AWS_REGION"])
NEEDED = flask
BUCKET = os.environ["SMAS_BUCKET"]
READS = os.environ.get("BENCHMARK_READS", "").splitlines()
BLOB = os.environ.get("BENCHMARK_BLOB", "")


def handler(_event: object, _context: object) -> dict[str, object]:
    """The URL, once everything was read that the service reads for it."""
    for kind, _, name in (read.partition(" ") for read in READS):
        if kind == "LIST":
            S3.list_objects_v2(Bucket=BUCKET, Prefix=name)
        else:
            S3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
    wanted = {"Bucket": BUCKET, "Key": BLOB, "VersionId": "version"}
    url = S3.generate_presigned_url("get_object", Params=wanted, ExpiresIn=900)
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"files": [{"url": url}]}),
    }
