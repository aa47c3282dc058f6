"""Provisions the audit trail: every call to the account, and every read and write of a model's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smas_emulator import seed
from smas_emulator.storage import provision_locked_bucket

if TYPE_CHECKING:
    from smas_emulator.policies import PolicyTemplates


def trail_arn() -> str:
    """The ARN of the local account's trail."""
    return f"arn:{seed.PARTITION}:cloudtrail:{seed.REGION}:{seed.ACCOUNT}:trail/{seed.TRAIL}"


def log_group_arn(name: str) -> str:
    """The ARN of a log group of the local account, without the `:*` that lists of them end it with."""
    return f"arn:{seed.PARTITION}:logs:{seed.REGION}:{seed.ACCOUNT}:log-group:{name}"


def provision_trail(s3: Any, cloudtrail: Any, templates: PolicyTemplates, key_arn: str) -> None:
    """Make sure the trail exists, writes into a locked bucket of its own under `key_arn`, and is on."""
    provision_locked_bucket(s3, seed.TRAIL_BUCKET, key_arn)
    s3.put_bucket_policy(Bucket=seed.TRAIL_BUCKET, Policy=templates.render("trail-bucket"))
    settings = {
        "S3BucketName": seed.TRAIL_BUCKET,
        "KmsKeyId": key_arn,
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": True,
    }
    if cloudtrail.describe_trails(trailNameList=[seed.TRAIL])["trailList"]:
        cloudtrail.update_trail(Name=seed.TRAIL, **settings)
    else:
        cloudtrail.create_trail(Name=seed.TRAIL, **settings)
    cloudtrail.put_event_selectors(TrailName=seed.TRAIL, AdvancedEventSelectors=event_selectors())
    cloudtrail.start_logging(Name=seed.TRAIL)


def event_selectors() -> list[dict[str, Any]]:
    """All management events, and the data events of the store's bucket."""
    return [
        {"Name": "Management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        {
            "Name": "Models",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                {
                    "Field": "resources.ARN",
                    "StartsWith": [f"arn:{seed.PARTITION}:s3:::{seed.BUCKET}/"],
                },
            ],
        },
    ]
