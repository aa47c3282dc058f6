"""The policy templates, rendered with values that never change."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smas_emulator.policies import Placeholders, render_policy

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
    trail_log_group_arn="arn:aws:logs:eu-central-1:111122223333:log-group:/smas/trail",
    barred_identities='["-", "sub-of-the-barred"]',
)
# What templates name besides that are rendered for AWS alone; `people_arns` is a list already, as JSON.
ONLY_ON_AWS = {
    "access_log_bucket": "smas-access-logs",
    "alarms_topic_arn": "arn:aws:sns:eu-central-1:111122223333:smas-alarms",
    "athena_bucket": "smas-athena",
    "audit_database": "smas_audit",
    "audit_workgroup": "smas-audit",
    "invocations_queue_arn": "arn:aws:sqs:eu-central-1:111122223333:smas-invocations-dead",
    "log_group_arn": "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/function",
    "log_groups_arn": "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/*",
    "operations_key_arn": "arn:aws:kms:eu-central-1:111122223333:key/operations",
    "people_arns": '["arn:aws:iam::111122223333:role/ml"]',
    "replica_bucket": "smas-models-replica",
    "replica_bytes_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/bytes",
    "replica_metadata_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/metadata",
    "replica_region": "eu-west-1",
}
SHARED = asdict(PLACEHOLDERS)
VALUES = {**SHARED, **ONLY_ON_AWS}

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
# Of every persona, beside its own.
BARRED = "barred"
# What the local stack renders too.
NAMES = (*ROLES, BARRED, *TRUSTS, *RESOURCES)

# On AWS alone: of roles that its services take on or people come with, and of things the local stack lacks.
AWS_ROLES = ("athena-reader", "function", "function-queues", "replication", "trail-log-group")
AWS_TRUSTS = ("trust-lambda", "trust-people", "trust-people-global", "trust-replication", "trust-trail")
AWS_KEYS = ("kms-operations", "kms-signing")
AWS_RESOURCES = ("access-log-bucket", "alarms-topic", "athena-bucket", "events-dead-queue", *AWS_KEYS)
AWS_NAMES = (*AWS_ROLES, *AWS_TRUSTS, *AWS_RESOURCES)


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
    """One template, rendered as the local stack renders its own."""
    return Policy(name, render_policy(TEMPLATES / f"{name}.json", VALUES if name in AWS_NAMES else SHARED))


def listed(value: Any) -> list[Any]:
    """A value of a policy that may be one or several."""
    return list(value) if isinstance(value, list) else [value]
