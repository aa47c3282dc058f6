"""Rendering the shared IAM policy templates, strictly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from smas_emulator import seed
from smas_emulator.errors import StackError
from smas_emulator.policies import Placeholders, PolicyTemplates, render_policy
from smas_emulator.trail import log_group_arn, trail_arn

REPOSITORY = Path(__file__).parents[2]
PLACEHOLDERS = Placeholders(
    partition="aws",
    account="000000000000",
    region="us-east-1",
    bucket="smas-models",
    bytes_key_arn="arn:aws:kms:us-east-1:000000000000:key/bytes",
    metadata_key_arn="arn:aws:kms:us-east-1:000000000000:key/metadata",
    logs_key_arn="arn:aws:kms:us-east-1:000000000000:key/logs",
    events_queue_arn="arn:aws:sqs:us-east-1:000000000000:smas-events",
    service_role_arn=f"{seed.ROLE_PREFIX}service",
    worker_role_arn=f"{seed.ROLE_PREFIX}worker",
    role_prefix=seed.ROLE_PREFIX,
    trail_bucket=seed.TRAIL_BUCKET,
    trail_prefix=seed.TRAIL_PREFIX,
    trail_arn=trail_arn(),
    service_log_group_arn=log_group_arn(seed.SERVICE_LOG_GROUP),
    trail_log_group_arn=log_group_arn(seed.TRAIL_LOG_GROUP),
    barred_identities=seed.BARRED_IDENTITIES,
)
NAMES = [
    *("service", "worker", "trust-persona", "trust-verifier", "bucket", "trail-bucket"),
    *("watch", "barred", "kms-bytes", "kms-metadata", "kms-logs", "events-queue"),
    *(f"persona-{name}" for name in seed.PERSONAS),
    *(f"verifier-{name}" for name in seed.VERIFIERS),
]


def write(folder: Path, text: str) -> Path:
    """A template of this text."""
    path = folder / "policy.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_template_of_the_repository_renders(name: str) -> None:
    """What provisioning asks for exists, is JSON, and keeps no placeholder but IAM's own variables."""
    rendered = PolicyTemplates(REPOSITORY / "infra" / "policies", PLACEHOLDERS).render(name)

    assert json.loads(rendered)["Statement"]
    assert all(
        variable.startswith(("aws:", "s3:", "saml:")) for variable in re.findall(r"\$\{([^}]*)", rendered)
    )


def test_iam_variables_stay(tmp_path: Path) -> None:
    """`$${` is IAM's own `${`, as it is for Terraform's templatefile."""
    template = write(tmp_path, '{"Resource": "arn:aws:s3:::${bucket}/cards/$${aws:PrincipalTag/team}/*"}')

    rendered = render_policy(template, {"bucket": "models"})

    assert json.loads(rendered) == {"Resource": "arn:aws:s3:::models/cards/${aws:PrincipalTag/team}/*"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"Resource": "${buckett}"}', ["policy.json", "'buckett'", "known are bucket"]),
        ('{"Resource": "${aws:PrincipalTag/team}"}', ["policy.json", "write `$$`"]),
        ('{"Resource": ', ["policy.json", "not JSON"]),
    ],
)
def test_a_mistake_in_a_template_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    """An unknown placeholder, a stray `$` or broken JSON ends with one sentence that names the file."""
    with pytest.raises(StackError) as caught:
        render_policy(write(tmp_path, text), {"bucket": "models"})

    assert [word for word in words if word not in str(caught.value)] == []


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    """A template that does not exist is named."""
    with pytest.raises(StackError, match=r"persona-x\.json is missing"):
        PolicyTemplates(tmp_path, PLACEHOLDERS).render("persona-x")
