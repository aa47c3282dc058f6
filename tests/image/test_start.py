"""A start of the API imports what its requests need, and nothing that hardly any of them does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

from tests.image.test_runtime import SETTINGS

_STARTED: Final = """
import json, sys
from service import lambda_handler
lambda_handler.api
json.dump(sorted(sys.modules), sys.stdout)
"""
# The audit, the verifier and the description of the API are imported by whoever first asks for them.
_LATER: Final = (
    "service.audit",
    "service.verifier",
    "service.aws_lambda.verification",
    "service.web.openapi",
)
_NOT_AT_ALL: Final = ("boto3", "s3transfer", "gunicorn")


def test_what_few_requests_need_is_not_imported_at_the_start() -> None:
    """What every request needs is there, so that the first one does not wait for it."""
    environment = {**SETTINGS, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        [sys.executable, "-c", _STARTED], env=environment, stdout=subprocess.PIPE, check=True
    )
    modules = set(json.loads(told.stdout))
    assert {"jwt", "service.registry.downloads", "service.aws.s3_objects", "botocore.client"} <= modules
    unwanted = (*_LATER, *_NOT_AT_ALL)
    assert [each for each in sorted(modules) if each.startswith(unwanted)] == []
