"""A start of the API imports what its requests need, and nothing that hardly any of them does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

from tests.image.test_runtime import SETTINGS

# A module that is to be loaded later is of a type of its own until something of it is read. What is printed
# becomes a line of the log, so these programs print beneath that.
_STARTED: Final = """
import importlib.util, json, sys
from service import lambda_handler
lambda_handler.api
loaded = [name for name, module in sys.modules.items() if type(module) is not importlib.util._LazyModule]
json.dump(sorted(loaded), sys.__stdout__)
"""
_USED: Final = """
from service import lambda_handler
lambda_handler.api
import cryptography.x509, sys
print(cryptography.x509.Certificate.__name__, file=sys.__stdout__)
"""
# The audit, the verifier and the description of the API are imported by whoever first asks for them.
_LATER: Final = (
    "service.audit",
    "service.verifier",
    "service.aws_lambda.verification",
    "service.web.openapi",
)
_NOT_AT_ALL: Final = ("boto3", "s3transfer", "gunicorn", "cryptography.x509", "jmespath.parser")


def test_what_few_requests_need_is_not_imported_at_the_start() -> None:
    """What every request needs is there, so that the first one does not wait for it."""
    modules = set(json.loads(said_by(_STARTED)))
    assert {"jwt", "service.registry.downloads", "service.aws.s3_objects", "botocore.client"} <= modules
    unwanted = (*_LATER, *_NOT_AT_ALL)
    assert [each for each in sorted(modules) if each.startswith(unwanted)] == []


def test_what_is_passed_over_is_there_for_whoever_uses_it() -> None:
    """A module that a library imports and that a start leaves out."""
    assert said_by(_USED) == "Certificate\n"


def said_by(program: str) -> str:
    """What a program prints in a function's environment."""
    environment = {**SETTINGS, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
