"""The session in which the service acts for a user, for plain boto3 to use the very same."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from service.aws.clients import sts_client
from service.aws.personas import Personas
from service.domain.access import Grant, Principal, Role
from service.settings import service_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.credentials import ReadOnlyCredentials

    from benchmarks.client import Caller
    from benchmarks.stack import Stack


def session_of_a_data_scientist(stack: Stack, caller: Caller, team: str) -> ReadOnlyCredentials:
    """The credentials that the service would get for this caller."""
    known = caller.ask("/v1/whoami")
    principal = Principal(
        subject=known["subject"],
        username=known["username"],
        client_id=known["client_id"],
        token_id="benchmark",  # noqa: S106 - the id of a token, not a token
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    with _environment(stack.environment):
        storage = service_settings(os.environ).storage
        personas = Personas(sts_client(storage), storage.role_prefix, url_seconds=storage.url_seconds)
        return personas.session(principal, Grant(Role.DATA_SCIENTIST, team)).credentials


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """boto3 finds its profile in the environment alone."""
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
