"""Who writes and who reads the trail and the log of the service, and who sends events: from the policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas_emulator.gateway.principals import Root, ServicePrincipal
from smas_emulator.iam.documents import Policy
from smas_emulator.iam.evaluation import Request, decide

from tests.infra.access import LETTERS, ME, READ_THE_TRAIL
from tests.infra.evaluation import allows, compiled, session
from tests.infra.rendering import BUCKET, PLACEHOLDERS, ROLES, TEAM_PERSONAS, TRAIL_BUCKET, WATCH

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal, RoleSession

READING, LISTING = LETTERS["r"], LETTERS["l"]


def me(role: str) -> RoleSession:
    """The session as the service or the worker assumes it."""
    return session(role, team="fraud" if role in TEAM_PERSONAS else None, subject=ME)


def given_by(resource: str, caller: Principal, request: Request) -> bool:
    """Whether a thing's policy gives that to somebody whose own policies would allow all of it."""
    everything = Policy.parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
    return decide(request, caller, identity=[everything], resource=compiled(resource)).allowed


FOLDER = f"{PLACEHOLDERS.trail_prefix}AWSLogs/{PLACEHOLDERS.account}/"
LOGS = f"arn:aws:s3:::{TRAIL_BUCKET}/{FOLDER}CloudTrail/log.json.gz"
AS_TRAIL = {
    "aws:SecureTransport": "true",
    "aws:SourceArn": PLACEHOLDERS.trail_arn,
    "s3:x-amz-acl": "bucket-owner-full-control",
}


@pytest.mark.parametrize(
    ("changed", "accepted"),
    [
        ({}, True),
        ({"aws:SourceArn": f"{PLACEHOLDERS.trail_arn}-2"}, False),
        ({"s3:x-amz-acl": "public-read"}, False),
        ({"aws:SecureTransport": "false"}, False),
    ],
)
def test_the_trail_writes_its_logs(changed: dict[str, str], accepted: bool) -> None:
    """Our trail alone, into its own folder, with the owner's leave and over TLS."""
    trail = ServicePrincipal("cloudtrail.amazonaws.com")
    request = Request("s3:PutObject", LOGS, {**AS_TRAIL, **changed})
    assert given_by("trail-bucket", trail, request) is accepted
    elsewhere = Request("s3:PutObject", f"arn:aws:s3:::{TRAIL_BUCKET}/AWSLogs/1/log", request.context)
    assert not given_by("trail-bucket", trail, elsewhere)


@pytest.mark.parametrize(
    "action",
    [
        *("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
        *("s3:BypassGovernanceRetention", "s3:PutObjectRetention", "s3:PutObjectLegalHold"),
    ],
)
def test_nobody_touches_what_the_trail_wrote(action: str) -> None:
    """Not even root, whatever else allows it; reading is for whoever is given it."""
    everybody: list[Principal] = [*map(me, ROLES), Root(PLACEHOLDERS.account, "AKIAROOT")]
    assert not any(given_by("trail-bucket", each, Request(action, LOGS, AS_TRAIL)) for each in everybody)
    assert given_by("trail-bucket", me("persona-auditor"), Request("s3:GetObject", LOGS, AS_TRAIL))


def reads_of_the_trail(folder: str) -> list[Request]:
    """Every way to read a folder of the trail's bucket: objects, versions, lists of both."""
    arn = f"arn:aws:s3:::{TRAIL_BUCKET}"
    return [
        *(Request(action, f"{arn}/{folder}CloudTrail/x.json.gz", {}) for action in READING),
        *(Request(action, arn, {"s3:prefix": f"{folder}CloudTrail/"}) for action in LISTING),
    ]


@pytest.mark.parametrize("role", ROLES)
def test_the_trail_is_read_by_whoever_proves(role: str) -> None:
    """Its own account's folder under its own prefix; nothing beside, and nobody else anything."""
    given = [allows(role, me(role), each, resource="trail-bucket") for each in reads_of_the_trail(FOLDER)]
    assert given == [role in READ_THE_TRAIL] * len(given)
    beside = ("", "AWSLogs/999999999999/", f"x{FOLDER}", FOLDER.removeprefix(PLACEHOLDERS.trail_prefix))
    requests = [each for folder in beside for each in reads_of_the_trail(folder)]
    assert not any(allows(role, me(role), each, resource="trail-bucket") for each in requests)


@pytest.mark.parametrize("role", ROLES)
def test_the_services_log_is_read_by_whoever_proves(role: str) -> None:
    """Filtered, one group; and CloudTrail's public keys are for whoever verifies signatures."""
    group = PLACEHOLDERS.service_log_group_arn
    asked = [Request("logs:FilterLogEvents", f"{group}{each}:log-stream:", {}) for each in ("", "-2", "/x")]
    given = [allows(role, me(role), each) for each in asked]
    assert given == [role in READ_THE_TRAIL, False, False]
    keys = Request("cloudtrail:ListPublicKeys", "*", {})
    assert allows(role, me(role), keys) == (role in READ_THE_TRAIL - {WATCH})


@pytest.mark.parametrize(
    ("caller", "bucket", "account", "accepted"),
    [
        ("s3.amazonaws.com", BUCKET, PLACEHOLDERS.account, True),
        ("s3.amazonaws.com", "another", PLACEHOLDERS.account, False),
        ("s3.amazonaws.com", BUCKET, "999999999999", False),
        ("sns.amazonaws.com", BUCKET, PLACEHOLDERS.account, False),
    ],
)
def test_the_queue_takes_the_buckets_events(caller: str, bucket: str, account: str, accepted: bool) -> None:
    """From S3 for our bucket, and from no other service or account."""
    context = {"aws:SourceArn": f"arn:aws:s3:::{bucket}", "aws:SourceAccount": account}
    request = Request("sqs:SendMessage", PLACEHOLDERS.events_queue_arn, context)
    assert given_by("events-queue", ServicePrincipal(caller), request) is accepted
