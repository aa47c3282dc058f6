"""What Lambda calls: ``service.lambda_handler.api``, ``….verifier`` and ``….token_groups``.

Lambda's runtime client asks for one of them while it starts (``python -m awslambdaric NAME``), and only
that one is built: then, not at the first event, because starting has a time of its own and its failures are
reported as such.
"""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING, Final, TypeVar

from service.aws_lambda.invocation import InvocationIds
from service.aws_lambda.later import load_later
from service.logs import capture_output, configure

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.aws_lambda.http import HttpFunction
    from service.aws_lambda.token_groups import TokenGroupsFunction
    from service.aws_lambda.verification import VerifierFunction

Function = TypeVar("Function")

# What libraries import, and nothing here uses. X.509 alone, which PyJWT takes for keys in certificates, is a
# tenth of all that a start is; the others together are a thirtieth.
_UNUSED: Final = (
    "cryptography.x509",
    "configparser",
    "difflib",
    "jmespath.functions",
    "jmespath.parser",
    "zipfile",
)


def __getattr__(name: str) -> HttpFunction | VerifierFunction | TokenGroupsFunction:
    """Build a function when it is asked for. Raises ``SettingsError`` if a setting is missing or wrong."""
    if name == "api":
        return _started(_api)
    if name == "verifier":
        return _started(_verifier)
    if name == "token_groups":
        return _started(_token_groups)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def _started(build: Callable[[], Function]) -> Function:
    """What ``build`` makes, without looking for garbage meanwhile.

    What is made at the start stays. Looking through it again and again is a seventh of the start, and not
    looking through it later makes every later look shorter.
    """
    gc.disable()
    load_later(*_UNUSED)
    try:
        return build()
    finally:
        gc.freeze()
        gc.enable()


# Each imports what it alone needs: the API starts without the batches, the verifier without the bridge.


def _api() -> HttpFunction:
    from service.aws_lambda.http import HttpFunction  # noqa: PLC0415
    from service.bootstrap import build_service  # noqa: PLC0415
    from service.settings import service_settings  # noqa: PLC0415

    ids = _logging()
    return HttpFunction(build_service(service_settings(os.environ)), ids)


def _verifier() -> VerifierFunction:
    from service.aws_lambda.verification import Deadline, TimedReader, VerifierFunction  # noqa: PLC0415
    from service.bootstrap import build_verifier, build_watch  # noqa: PLC0415
    from service.settings import worker_settings  # noqa: PLC0415

    ids = _logging()
    settings = worker_settings(os.environ)
    deadline = Deadline()
    verifier = build_verifier(settings, lambda blobs: TimedReader(blobs, deadline))
    return VerifierFunction(verifier, build_watch(settings), deadline, ids)


def _token_groups() -> TokenGroupsFunction:
    from service.aws_lambda.token_groups import TokenGroupsFunction, provider_groups  # noqa: PLC0415

    ids = _logging()
    return TokenGroupsFunction(provider_groups(os.environ), ids)


def _logging() -> InvocationIds:
    """Log as everywhere, instead of through the runtime client's own handler, with each invocation's ids."""
    configure()
    # The runtime client prints JSON: an invocation's error, or that of a start.
    capture_output(beside_json=True)
    ids = InvocationIds()
    for handler in logging.getLogger().handlers:
        handler.addFilter(ids)
    return ids
