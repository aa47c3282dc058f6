"""A trail and what it wants recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.errors import trail_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
_NAME = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
_IP_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_SHORTEST, _LONGEST = 3, 128
# Basic selectors as a new trail has them: all management events, no data events.
DEFAULT_SELECTORS: tuple[Mapping[str, Any], ...] = (
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    },
)


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail's settings; any change makes a new one. `logging` says whether it is on."""

    name: str
    account: str
    home_region: str
    bucket: str
    key_prefix: str | None = None
    topic_arn: str | None = None
    global_events: bool = True
    multi_region: bool = False
    validation: bool = False
    log_group_arn: str | None = None
    log_role_arn: str | None = None
    kms_key: str | None = None
    selectors: tuple[Mapping[str, Any], ...] = DEFAULT_SELECTORS
    advanced: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    logging: bool = False
    started: datetime | None = None
    stopped: datetime | None = None

    @property
    def arn(self) -> str:
        """`arn:aws:cloudtrail:<home region>:<account>:trail/<name>`."""
        return f"arn:aws:cloudtrail:{self.home_region}:{self.account}:trail/{self.name}"

    @property
    def folder(self) -> str:
        """What every key of the trail begins with, with its slash."""
        prefix = f"{self.key_prefix}/" if self.key_prefix else ""
        return f"{prefix}AWSLogs/{self.account}/"

    def settings(self) -> dict[str, Any]:
        """The trail as CreateTrail and UpdateTrail answer with it."""
        described = {
            "Name": self.name,
            "S3BucketName": self.bucket,
            "S3KeyPrefix": self.key_prefix,
            "SnsTopicName": self.topic_arn,
            "SnsTopicARN": self.topic_arn,
            "IncludeGlobalServiceEvents": self.global_events,
            "IsMultiRegionTrail": self.multi_region,
            "TrailARN": self.arn,
            "LogFileValidationEnabled": self.validation,
            "CloudWatchLogsLogGroupArn": self.log_group_arn,
            "CloudWatchLogsRoleArn": self.log_role_arn,
            "KmsKeyId": self.kms_key,
            "IsOrganizationTrail": False,
        }
        return {name: value for name, value in described.items() if value is not None}

    def description(self) -> dict[str, Any]:
        """The trail as GetTrail and DescribeTrails show it."""
        return {
            **self.settings(),
            "HomeRegion": self.home_region,
            "HasCustomEventSelectors": bool(self.advanced) or self.selectors != DEFAULT_SELECTORS,
            "HasInsightSelectors": False,
        }


def check_name(name: str) -> None:
    """Raise `InvalidTrailNameException` with the rule that a trail's name breaks."""
    if not _SHORTEST <= len(name) <= _LONGEST:
        rule = f"Trail name must have between {_SHORTEST} and {_LONGEST} characters."
    elif _IP_ADDRESS.fullmatch(name):
        rule = "Trail name cannot be in IP address format."
    elif not _NAME.fullmatch(name):
        rule = (
            "Trail name must start and end with a letter or number, hold only letters, numbers, periods, "
            "underscores and dashes, and have no two of the last three beside each other."
        )
    else:
        return
    raise trail_error("InvalidTrailNameException", rule)
