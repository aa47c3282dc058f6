"""The metric filters over the trail, rendered as Terraform renders them, and events to try them on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from smas_emulator.cloudtrail.records import build_record
from smas_emulator.gateway.calls import Outcome
from smas_emulator.gateway.principals import IamUser, RoleSession, Root
from smas_emulator.logs.filter_patterns import matcher

from tests.emulator.cloudtrail.records.calls import ACCOUNT, SESSION, TIME, call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.gateway.principals import Principal

FOLDER: Final = Path(__file__).parents[2] / "infra" / "metric-filters"
# What `infra/cloudwatch.tf` renders the files with.
PLACEHOLDERS: Final = {"name": "smas", "role_prefix": f"arn:aws:iam::{ACCOUNT}:role/smas-"}

ADMIN: Final = RoleSession(
    account=ACCOUNT,
    access_key_id="ASIAADMIN",
    role_name="administrator",
    role_id="AROAADMIN",
    name="olivia",
    created=TIME,
    expires=TIME,
)
USER: Final = IamUser(account=ACCOUNT, access_key_id="AKIAUSER", name="user", user_id="AIDAUSER")
ROOT: Final = Root(account=ACCOUNT, access_key_id="AKIAROOT")
PERSONA: Final = replace(SESSION, role_path="/")
DENIED: Final = Outcome(403, error_code="AccessDenied", error_message="no")
BUCKET: Final = f"smas-models-{ACCOUNT}-eu-central-1"


def described(file: Path) -> dict[str, Any]:
    """One file, rendered."""
    return dict(json.loads(Template(file.read_text(encoding="utf-8")).safe_substitute(PLACEHOLDERS)))


def filters(log_group: str) -> dict[str, dict[str, Any]]:
    """The filters over one of the log groups, by name."""
    found = (described(file) for file in sorted(FOLDER.glob("*.json")))
    return {each["name"]: each for each in found if each["log_group"] == log_group}


TRAIL: Final = filters("trail")


def counting(event: Mapping[str, Any]) -> set[str]:
    """The names of the trail's filters that count an event."""
    line = json.dumps(event)
    return {name for name, each in TRAIL.items() if matcher(each["pattern"])(line)}


def event(
    service: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    who: Principal = ADMIN,
    outcome: Outcome | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A call as CloudTrail records it."""
    made = call(service, operation, parameters, principal=who, headers=headers)
    return build_record(made, outcome or Outcome(200))


def sign_in(*, mfa: bool = True, failed: bool = False) -> dict[str, Any]:
    """A sign-in to the console by an IAM user.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
    """
    said = {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "accountId": ACCOUNT, "userName": "user"},
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "sourceIPAddress": "192.0.2.10",
        "additionalEventData": {"MobileVersion": "No", "MFAUsed": "Yes" if mfa else "No"},
        "responseElements": {"ConsoleLogin": "Failure" if failed else "Success"},
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
    }
    return said | ({"errorMessage": "Failed authentication"} if failed else {})
