"""The policy templates, rendered with values that never change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smas_emulator.policies import Placeholders, PolicyTemplates

TEMPLATES = Path(__file__).parents[2] / "infra" / "policies"
BUCKET = "smas-models"
TRAIL_BUCKET = "smas-trail"
PLACEHOLDERS = Placeholders(
    partition="aws",
    account="111122223333",
    region="eu-central-1",
    bucket=BUCKET,
    bytes_key_arn="arn:aws:kms:eu-central-1:111122223333:key/bytes",
    metadata_key_arn="arn:aws:kms:eu-central-1:111122223333:key/metadata",
    logs_key_arn="arn:aws:kms:eu-central-1:111122223333:key/logs",
    events_queue_arn="arn:aws:sqs:eu-central-1:111122223333:smas-events",
    service_role_arn="arn:aws:iam::111122223333:role/smas-service",
    worker_role_arn="arn:aws:iam::111122223333:role/smas-worker",
    role_prefix="arn:aws:iam::111122223333:role/smas-",
    trail_bucket=TRAIL_BUCKET,
    trail_prefix="proof/",
    trail_arn="arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas",
    service_log_group_arn="arn:aws:logs:eu-central-1:111122223333:log-group:/smas/service",
)

TEAM_PERSONAS = ("persona-approver", "persona-data-scientist", "persona-deployer")
GLOBAL_PERSONAS = ("persona-auditor", "persona-compliance", "persona-custodian")
PERSONAS = TEAM_PERSONAS + GLOBAL_PERSONAS
VERIFIERS = ("verifier-scanning", "verifier-tagging")
# The one role beside the personas that reads what the trail delivers.
WATCH = "watch"
ROLES = (*PERSONAS, *VERIFIERS, WATCH, "service", "worker")
TRUSTS = ("trust-persona", "trust-verifier")
TRUST_OF = {
    **dict.fromkeys(PERSONAS, "trust-persona"),
    **dict.fromkeys((*VERIFIERS, WATCH), "trust-verifier"),
}
KEYS = ("kms-bytes", "kms-metadata", "kms-logs")
# Attached to a thing and not to a role: they say who.
RESOURCES = ("bucket", "trail-bucket", "events-queue", *KEYS)
NAMES = (*ROLES, *TRUSTS, *RESOURCES)


@dataclass(frozen=True)
class Policy:
    """A policy by the name of its template; ``text`` as IAM would get it."""

    name: str
    text: str

    @property
    def document(self) -> dict[str, Any]:
        """The policy as JSON."""
        return dict(json.loads(self.text))

    @property
    def statements(self) -> list[dict[str, Any]]:
        """Its statements."""
        return list(self.document["Statement"])


def rendered(name: str) -> Policy:
    """One template, rendered as the local stack renders it."""
    return Policy(name, PolicyTemplates(TEMPLATES, PLACEHOLDERS).render(name))


def listed(value: Any) -> list[Any]:
    """A value of a policy that may be one or several."""
    return list(value) if isinstance(value, list) else [value]
