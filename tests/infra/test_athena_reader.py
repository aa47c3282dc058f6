"""Who asks Athena about the audit: reads the record, keeps answers, and reads no model."""

from __future__ import annotations

import pytest
from smas_emulator.iam.evaluation import Request, decide

from tests.infra.evaluation import compiled, session
from tests.infra.policy_rules import LOGS
from tests.infra.rendering import BUCKET, PLACEHOLDERS, TRAIL_BUCKET, VALUES

TRAIL = f"arn:aws:s3:::{TRAIL_BUCKET}"
ACCESS_LOG = f"arn:aws:s3:::{VALUES['access_log_bucket']}"
ANSWERS = f"arn:aws:s3:::{VALUES['athena_bucket']}"
ATHENA = "arn:aws:athena:eu-central-1:111122223333:workgroup"
GLUE = "arn:aws:glue:eu-central-1:111122223333"
THROUGH_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}


def may(action: str, resource: str, context: dict[str, str]) -> bool:
    """Whether a session with nothing but this policy may do that."""
    caller = session("persona-auditor")
    return decide(Request(action, resource, context), caller, identity=[compiled("athena-reader")]).allowed


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("athena:StartQueryExecution", f"{ATHENA}/smas-audit", {}),
        ("athena:GetQueryResults", f"{ATHENA}/smas-audit", {}),
        ("glue:GetTable", f"{GLUE}:catalog", {}),
        ("glue:GetTable", f"{GLUE}:table/smas_audit/audit_records", {}),
        ("s3:GetObject", LOGS.replace("*", "CloudTrail/eu-central-1/2026/11/24/x.json.gz"), {}),
        (
            "s3:ListBucket",
            TRAIL,
            {"s3:prefix": "proof/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/24"},
        ),
        ("s3:GetObject", f"{ACCESS_LOG}/models/111122223333/eu-central-1/x", {}),
        ("s3:ListBucket", ACCESS_LOG, {"s3:prefix": "models/"}),
        ("s3:PutObject", f"{ANSWERS}/results/x.csv", {}),
        ("s3:GetObject", f"{ANSWERS}/results/x.csv", {}),
        ("kms:Decrypt", PLACEHOLDERS.logs_key_arn, THROUGH_S3),
        ("kms:GenerateDataKey", PLACEHOLDERS.logs_key_arn, THROUGH_S3),
    ],
)
def test_a_reader_asks(action: str, resource: str, context: dict[str, str]) -> None:
    """Each call that Athena makes for a question is allowed to who asks it."""
    assert may(action, resource, context)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("athena:StartQueryExecution", f"{ATHENA}/primary", {}),
        ("athena:UpdateWorkGroup", f"{ATHENA}/smas-audit", {}),
        ("athena:DeleteNamedQuery", f"{ATHENA}/smas-audit", {}),
        ("glue:UpdateTable", f"{GLUE}:table/smas_audit/audit_records", {}),
        ("glue:GetTable", f"{GLUE}:table/other/t", {}),
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/blobs/fraud/m/0", {}),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3:prefix": "blobs/fraud/"}),
        ("s3:GetObject", f"{TRAIL}/AWSLogs/999999999999/x", {}),
        ("s3:ListBucket", TRAIL, {"s3:prefix": ""}),
        ("s3:PutObject", LOGS.replace("*", "x.json.gz"), {}),
        ("s3:PutObject", f"{ACCESS_LOG}/x", {}),
        ("s3:DeleteObject", f"{ANSWERS}/results/x.csv", {}),
        ("s3:PutObject", f"{ANSWERS}/other/x.csv", {}),
        ("kms:Decrypt", PLACEHOLDERS.logs_key_arn, {}),
        ("kms:Decrypt", PLACEHOLDERS.bytes_key_arn, THROUGH_S3),
        ("kms:Decrypt", PLACEHOLDERS.metadata_key_arn, THROUGH_S3),
    ],
)
def test_a_reader_does_nothing_else(action: str, resource: str, context: dict[str, str]) -> None:
    """No model, no other work group, no change of the record or of the questions."""
    assert not may(action, resource, context)
