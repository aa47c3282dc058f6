"""What a call to S3 asks of IAM, while it is put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smas_emulator.authorization.global_keys import Context, global_keys
from smas_emulator.authorization.requirement import Requirement
from smas_emulator.authorization.s3_encryption import key_permission
from smas_emulator.authorization.s3_keys import connection_keys
from smas_emulator.gateway.principals import PARTITION
from smas_emulator.iam.evaluation import Request

if TYPE_CHECKING:
    from smas_emulator.authorization.ports import AccountFacts, BucketFacts
    from smas_emulator.gateway.calls import Call


@dataclass(slots=True)
class Asked:
    """The requirements of one call about one bucket as far as found, and what they have in common."""

    call: Call
    facts: AccountFacts
    name: str
    bucket: BucketFacts
    common: Context = field(init=False)
    found: list[Requirement] = field(default_factory=list)

    def __post_init__(self) -> None:
        owner = self.bucket.account
        self.common = {**global_keys(self.call, owner), **connection_keys(self.call, owner)}

    @property
    def arn(self) -> str:
        """The bucket's ARN."""
        return f"arn:{PARTITION}:s3:::{self.name}"

    def add(self, action: str, resource: str, *keys: Context) -> None:
        """One more permission, with the keys of its own."""
        context: Context = self.common.copy()
        for each in keys:
            context.update(each)
        request = Request(action, resource, context)
        self.found.append(Requirement(request, self.bucket.account, self.bucket.policy))

    def add_object(self, action: str, key: str, *keys: Context) -> None:
        """The same for an object of the bucket."""
        self.add(action, f"{self.arn}/{key}", *keys)

    def add_key(self, action: str, key_id: str | None, key: str, *, by_bucket_key: bool) -> None:
        """The permission on the KMS key, if there is one, that protects an object."""
        if key_id is None:
            return
        protects = self.arn if by_bucket_key else f"{self.arn}/{key}"
        needed = key_permission(
            self.call, self.facts, self.common, action=action, key_id=key_id, protects=protects
        )
        if needed is not None:
            self.found.append(needed)
