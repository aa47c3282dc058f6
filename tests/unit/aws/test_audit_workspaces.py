"""The audit opened for several readers: what one has learned is not handed to another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from service.audit.records import Store
from service.aws.audit_workspaces import PersonaAuditWorkspaces
from service.aws.personas import Personas
from service.domain.access import Grant, Principal, Role
from tests.fakes.audit import IDENTITY, STORE

if TYPE_CHECKING:
    from service.audit.publications import Publications

NOW = datetime.now(UTC)


class Sts:
    """Gives everybody keys."""

    def assume_role(self, **_asked: Any) -> dict[str, Any]:
        """As STS answers."""
        keys = {"AccessKeyId": "id", "SecretAccessKey": "secret", "SessionToken": "session"}
        return {"Credentials": {**keys, "Expiration": NOW + timedelta(hours=1)}}


class Stores:
    """No store is opened here."""

    def objects(self, session: object) -> object:
        """Whose it is."""
        return session


def test_each_reader_has_a_memory_of_its_own() -> None:
    """Kept from one request to the next for the same person in the same role, and for a few readers only."""
    nothing = cast("Any", None)
    personas = Personas(cast("Any", Sts()), STORE.role_prefix, url_seconds=60)
    workspaces = PersonaAuditWorkspaces(
        personas=personas,
        stores=cast("Any", Stores()),
        bucket=nothing,
        trail=IDENTITY,
        store=Store(STORE.bucket, STORE.role_prefix),
        cloudtrail=nothing,
        logs=nothing,
        log_group="log",
    )

    def memory(name: str, role: Role) -> Publications:
        grant = Grant(role, None)
        principal = Principal(f"sub-{name}", name, "people", "jti", NOW, (grant,))
        return workspaces.open(principal, grant).publications

    first = memory("a", Role.AUDITOR)
    assert memory("a", Role.AUDITOR) is first
    assert memory("a", Role.COMPLIANCE) is not first
    assert memory("b", Role.AUDITOR) is not first
    for number in range(10):
        memory(f"other-{number}", Role.AUDITOR)
    assert memory("a", Role.AUDITOR) is not first
