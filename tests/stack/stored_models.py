"""A model of each team with an object of every kind, for what roles try to do to them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.infra.access import key
from tests.infra.policy_rules import KINDS
from tests.stack.sessions import SUBJECT

if TYPE_CHECKING:
    from tests.accounts import Account

TEAMS = ("fraud", "nlp")
OPENED = {"smas-state": "verified", "smas-release": "yes"}
BYTES = b"the bytes of a model"


def tagging(tags: dict[str, str]) -> str:
    """Tags as the header `x-amz-tagging` has them."""
    return "&".join(f"{name}={value}" for name, value in tags.items())


@dataclass(frozen=True)
class StoredModels:
    """Objects of both teams, made by the root; the bytes are verified and released."""

    account: Account
    model: str

    @classmethod
    def create(cls, account: Account, name: str = "matrix") -> StoredModels:
        """Put an object of every kind into both teams."""
        made = cls(account, f"{name}-{uuid.uuid4().hex[:8]}")
        root = account.root_client("s3")
        for kind in KINDS:
            for team in TEAMS:
                tags = {"Tagging": tagging(OPENED)} if kind == "blobs" else {}
                root.put_object(**made.place(kind, team), **made.written(kind), **tags)
        return made

    def place(self, kind: str, team: str = "fraud", *, subject: str = SUBJECT) -> dict[str, str]:
        """Bucket and key of an object."""
        return {"Bucket": self.account.bucket, "Key": key(kind, team, subject, self.model)}

    def version(self, kind: str, team: str = "fraud") -> dict[str, str]:
        """Bucket, key and version of an object."""
        place = self.place(kind, team)
        return {**place, "VersionId": self.account.root_client("s3").head_object(**place)["VersionId"]}

    def new(self, kind: str, team: str = "fraud", *, subject: str = SUBJECT) -> dict[str, str]:
        """Bucket and key of an object that is not there yet."""
        name = f"{self.model}-{uuid.uuid4().hex[:8]}"
        return {"Bucket": self.account.bucket, "Key": key(kind, team, subject, name)}

    def new_blob(self, team: str = "fraud", **tags: str) -> dict[str, str]:
        """A blob of its own with these tags, made by the root; its bucket, key and version."""
        place = self.new("blobs", team)
        sent = {"Tagging": tagging(tags)} if tags else {}
        made = self.account.root_client("s3").put_object(**place, Body=BYTES, **sent)
        return {**place, "VersionId": made["VersionId"]}

    def written(self, kind: str) -> dict[str, Any]:
        """What a write of that kind sends."""
        return (
            {"Body": BYTES}
            if kind == "blobs"
            else {"Body": b"{}", "IfNoneMatch": "*", **self.encrypted(kind)}
        )

    def encrypted(self, kind: str) -> dict[str, str]:
        """The headers with which an object of that kind comes under its key."""
        if kind == "blobs":
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.account.stack["metadata_key_arn"]}

    def everything(self) -> list[tuple[str, str, str]]:
        """Every version in the store's bucket: key, version, ETag; delete markers too."""
        pages = self.account.root_client("s3").get_paginator("list_object_versions")
        return sorted(
            (entry["Key"], entry["VersionId"], entry.get("ETag", "deleted"))
            for page in pages.paginate(Bucket=self.account.bucket)
            for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        )
