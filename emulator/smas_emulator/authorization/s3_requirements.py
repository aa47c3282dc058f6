"""The permissions that a call to S3 needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator.authorization import s3_keys
from smas_emulator.authorization.global_keys import Context, global_keys
from smas_emulator.authorization.requirement import Requirement, UnknownOperation
from smas_emulator.authorization.s3_asked import Asked
from smas_emulator.authorization.s3_operations import CHANGES, DELETES, ON_ACCOUNT, ON_BUCKET, READS, WRITES
from smas_emulator.authorization.s3_reads import read
from smas_emulator.authorization.s3_writes import change, delete, delete_one, write
from smas_emulator.gateway.principals import PARTITION
from smas_emulator.iam.evaluation import Request

if TYPE_CHECKING:
    from smas_emulator.authorization.ports import AccountFacts
    from smas_emulator.gateway.calls import Call

_LISTS = frozenset({"s3:ListBucket", "s3:ListBucketVersions"})
_ALL_BUCKETS = f"arn:{PARTITION}:s3:::*"


def s3_requirements(call: Call, facts: AccountFacts) -> tuple[Requirement, ...]:
    """What IAM must allow, in the order in which S3 would refuse.

    Empty for a bucket that does not exist: S3 answers `NoSuchBucket`. `DeleteObjects` is judged key by key
    with `deletion`. Raises `AwsError` for an operation that is not known, and for a KMS key that does not
    exist.
    """
    operation, parameters = call.operation, call.parameters
    if operation in ON_ACCOUNT:
        return _on_account(call)
    bucket = facts.bucket(parameters.get("Bucket", ""))
    if bucket is None:
        return ()
    asked = Asked(call, facts, parameters["Bucket"], bucket)
    if operation in READS:
        read(asked)
    elif operation in ON_BUCKET:
        _ask_bucket(asked, ON_BUCKET[operation])
    elif operation in WRITES:
        write(asked)
    elif operation in CHANGES:
        change(asked)
    elif operation in DELETES:
        delete(asked)
    else:
        raise UnknownOperation("s3", operation)
    return tuple(asked.found)


def deletion(
    call: Call, facts: AccountFacts, key: str, version_id: str | None, etag: str | None = None
) -> tuple[Requirement, ...]:
    """What IAM must allow for one object of `DeleteObject` or `DeleteObjects`; see `s3_requirements`."""
    bucket = facts.bucket(call.parameters["Bucket"])
    if bucket is None:
        return ()
    asked = Asked(call, facts, call.parameters["Bucket"], bucket)
    delete_one(asked, key, version_id, etag)
    return tuple(asked.found)


def _on_account(call: Call) -> tuple[Requirement, ...]:
    """`ListBuckets`, and `CreateBucket` with what it sets up besides.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    parameters, account = call.parameters, call.account
    context: Context = {**global_keys(call, account), **s3_keys.connection_keys(call, account)}
    if call.operation == "ListBuckets":
        return (Requirement(Request("s3:ListAllMyBuckets", _ALL_BUCKETS, context), account),)
    actions = ["s3:CreateBucket"]
    configuration = parameters.get("CreateBucketConfiguration") or {}
    if parameters.get("ACL", "private") != "private" or any(parameters.get(name) for name in s3_keys.GRANTS):
        actions.append("s3:PutBucketAcl")
    if parameters.get("ObjectLockEnabledForBucket"):
        actions += ["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]
    if parameters.get("ObjectOwnership"):
        actions.append("s3:PutBucketOwnershipControls")
    if configuration.get("Tags"):
        actions.append("s3:TagResource")
    if configuration.get("LocationConstraint"):
        context["s3:locationconstraint"] = str(configuration["LocationConstraint"])
    context.update(s3_keys.write_keys(call))
    arn = f"arn:{PARTITION}:s3:::{parameters['Bucket']}"
    return tuple(Requirement(Request(action, arn, context), account) for action in actions)


def _ask_bucket(asked: Asked, action: str) -> None:
    parameters = asked.call.parameters
    if action in _LISTS:
        asked.add(action, asked.arn, s3_keys.listing_keys(parameters))
    elif asked.call.operation == "PutBucketAcl":
        asked.add(action, asked.arn, s3_keys.write_keys(asked.call))
    else:
        asked.add(action, asked.arn)
