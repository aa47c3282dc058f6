"""The same with what presigning a download takes: the two clients, made as boto3 makes them."""

from __future__ import annotations

import boto3

from benchmarks.plain_function import handler

CLIENTS = (boto3.client("sts"), boto3.client("s3"))

__all__ = ["handler"]
