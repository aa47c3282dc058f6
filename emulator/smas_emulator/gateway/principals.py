"""Who may make a call: the account's root, an IAM user, a role session, a service of AWS, or nobody known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

PARTITION = "aws"


@dataclass(frozen=True, slots=True)
class Root:
    """Whoever holds the key of the account itself: no identity policy limits them."""

    account: str
    access_key_id: str

    @property
    def arn(self) -> str:
        """`arn:aws:iam::<account>:root`."""
        return f"arn:{PARTITION}:iam::{self.account}:root"

    @property
    def user_id(self) -> str:
        """`aws:userid`: the account's number."""
        return self.account


@dataclass(frozen=True, slots=True)
class IamUser:
    """An IAM user by a long-lived access key; `user_id` is `AIDA…`, `path` begins and ends with `/`."""

    account: str
    access_key_id: str
    name: str
    user_id: str
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """`arn:aws:iam::<account>:user/<path><name>`."""
        return f"arn:{PARTITION}:iam::{self.account}:user{self.path}{self.name}"


@dataclass(frozen=True, slots=True)
class RoleSession:
    """A session of a role, as `AssumeRole` made it.

    `role_id` is `AROA…`; `tags` are the session's tags, `transitive_tags` the keys among them (as written)
    that a chained session inherits; `policy` is the session policy as JSON, None without one. Times are
    aware, UTC.
    """

    account: str
    access_key_id: str
    role_name: str
    role_id: str
    name: str
    created: datetime
    expires: datetime
    role_path: str = "/"
    source_identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: frozenset[str] = frozenset()
    policy: str | None = None

    @property
    def arn(self) -> str:
        """`arn:aws:sts::<account>:assumed-role/<role>/<session>`: no path, as in AWS."""
        return f"arn:{PARTITION}:sts::{self.account}:assumed-role/{self.role_name}/{self.name}"

    @property
    def role_arn(self) -> str:
        """The ARN of the role itself, path included: `aws:PrincipalArn`."""
        return f"arn:{PARTITION}:iam::{self.account}:role{self.role_path}{self.role_name}"

    @property
    def user_id(self) -> str:
        """`aws:userid`: `<role id>:<session>`."""
        return f"{self.role_id}:{self.name}"


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """A service of AWS that acts by itself, for instance `cloudtrail.amazonaws.com`."""

    name: str


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Who signed nothing, where an API allows that: signing in to Cognito."""


Principal = Anonymous | Root | IamUser | RoleSession | ServicePrincipal
