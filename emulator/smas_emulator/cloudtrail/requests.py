"""What a request to CloudTrail's API must look like, before anything is looked up.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.errors import trail_error
from smas_emulator.cloudtrail.trails import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_TAGS = 50
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9](?:\.?[a-z0-9-]){1,61}[a-z0-9]")
_LONGEST_BUCKET = 63
_ARN = re.compile(r"arn:aws:cloudtrail:[a-z0-9-]+:\d{12}:trail/.+")
_LOG_GROUP = re.compile(r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:[^:*]+(:\*)?")
_TOPIC = re.compile(r"(arn:aws:sns:[a-z0-9-]+:\d{12}:)?[A-Za-z0-9_-]{1,256}(\.fifo)?")
_LONGEST_PREFIX, _LONGEST_TAG_KEY, _LONGEST_TAG_VALUE = 200, 128, 256
_NAME = ("Name", "InvalidTrailNameException", "Trail name cannot be blank!")
_TRAIL_NAME = ("TrailName", *_NAME[1:])
_BUCKET_NAME = ("S3BucketName", "InvalidS3BucketNameException", "S3 bucket name cannot be blank!")
_RESOURCE = ("ResourceId", "CloudTrailARNInvalidException", "Name a trail by its ARN.")
_RESOURCES = ("ResourceIdList", *_RESOURCE[1:])
_TAGS = ("TagsList", "InvalidTagParameterException", "Name tags, or the keys of tags.")
# What botocore checks before it calls, and others may leave out.
_REQUIRED = {
    "CreateTrail": (_NAME, _BUCKET_NAME),
    "UpdateTrail": (_NAME,),
    "DeleteTrail": (_NAME,),
    "GetTrail": (_NAME,),
    "GetTrailStatus": (_NAME,),
    "StartLogging": (_NAME,),
    "StopLogging": (_NAME,),
    "PutEventSelectors": (_TRAIL_NAME,),
    "GetEventSelectors": (_TRAIL_NAME,),
    "AddTags": (_RESOURCE, _TAGS),
    "RemoveTags": (_RESOURCE, _TAGS),
    "ListTags": (_RESOURCES,),
}


def check_required(operation: str, request: Mapping[str, Any]) -> None:
    """Raise the error of a member that an operation cannot do without."""
    for member, code, message in _REQUIRED.get(operation, ()):
        if not request.get(member):
            raise trail_error(code, message)


def check_place(bucket: str, prefix: str) -> None:
    """Raise `InvalidS3BucketNameException` or `InvalidS3PrefixException`."""
    if not _BUCKET.fullmatch(bucket) or len(bucket) > _LONGEST_BUCKET:
        raise trail_error("InvalidS3BucketNameException", f"{bucket} is not a valid name of a bucket.")
    if len(prefix) > _LONGEST_PREFIX:
        message = f"S3 prefix is longer than maximum length: {_LONGEST_PREFIX}"
        raise trail_error("InvalidS3PrefixException", message)


def check_topic(topic: str) -> None:
    """Raise `InvalidSnsTopicNameException` for what is neither a topic's name nor its ARN."""
    if not _TOPIC.fullmatch(topic):
        raise trail_error("InvalidSnsTopicNameException", f"{topic} is not the name of a topic.")


def is_log_group(arn: str) -> bool:
    """Whether this is the ARN of a log group, with or without the `:*` at its end."""
    return _LOG_GROUP.fullmatch(arn) is not None


def check_reference(name: str) -> None:
    """Raise `InvalidTrailNameException` or `CloudTrailARNInvalidException` for what names no trail."""
    if not name.startswith("arn:"):
        check_name(name)
    elif not _ARN.fullmatch(name):
        raise trail_error("CloudTrailARNInvalidException", f"{name} is not the ARN of a trail.")


def tagged(tags: Mapping[str, str], added: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags with others added, which replace those of the same key."""
    fresh = {tag.get("Key", ""): tag.get("Value", "") for tag in added}
    if len(fresh) != len(added):
        raise trail_error("InvalidTagParameterException", "The key of a tag is there twice.")
    for key, value in fresh.items():
        if not 0 < len(key) <= _LONGEST_TAG_KEY or len(value) > _LONGEST_TAG_VALUE:
            message = (
                f"A tag has a key of 1 to {_LONGEST_TAG_KEY} and a value of at most "
                f"{_LONGEST_TAG_VALUE} characters."
            )
            raise trail_error("InvalidTagParameterException", message)
        if key.lower().startswith("aws:"):
            raise trail_error("InvalidTagParameterException", "Keys that begin with aws: are AWS's own.")
    together = {**tags, **fresh}
    if len(together) > MOST_TAGS:
        raise trail_error("TagsLimitExceededException", f"A trail has at most {MOST_TAGS} tags.")
    return together
