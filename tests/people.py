"""Callers that tests act as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from service.domain.access import Grant, Principal, Role

FRAUD = "fraud"


def principal(name: str, *grants: Grant) -> Principal:
    """A person with these grants; the subject is not the name, as in a real pool."""
    return Principal(
        subject=f"sub-of-{name}",
        username=name,
        client_id="people",
        token_id=f"jti-of-{name}",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        grants=grants,
    )


DS_FRAUD = principal("ds-fraud", Grant(Role.DATA_SCIENTIST, FRAUD))
DS_FRAUD_2 = principal("ds-fraud-2", Grant(Role.DATA_SCIENTIST, FRAUD))
APPROVER = principal("approver-fraud", Grant(Role.APPROVER, FRAUD))
DEPLOYER = principal("deployer-fraud", Grant(Role.DEPLOYER, FRAUD))
COMPLIANCE = principal("compliance", Grant(Role.COMPLIANCE, None))
AUDITOR = principal("auditor", Grant(Role.AUDITOR, None))
CUSTODIAN = principal("custodian", Grant(Role.CUSTODIAN, None))
NOBODY = principal("nobody")
