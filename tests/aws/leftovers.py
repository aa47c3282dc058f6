"""What the tests leave behind: removed where it may be, and named where it may not."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.infra.policy_rules import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.accounts import Account

PREFIX = "aws-test"
TEAMS = ("fraud", "nlp", "canary")
# Locks that tests set end within seconds.
LOCKED_SECONDS = 60


@dataclass
class Leftovers:
    """Everything that one run writes has its name in the key."""

    account: Account
    run: str = field(default_factory=lambda: f"{PREFIX}-{uuid.uuid4().hex[:8]}")

    @property
    def unseen(self) -> str:
        """The beginning of names that the store takes for no models: verifier and lists leave them alone."""
        return f"_{self.run}"

    @property
    def seen(self) -> str:
        """The beginning of models that the store has like any other."""
        return self.run

    def remove(self) -> list[str]:
        """Remove every version of every object of this run; the keys of what could not be."""
        s3, deadline = self.account.root_client("s3"), time.monotonic() + LOCKED_SECONDS
        while True:
            kept = sorted({key for batch in self._batches(s3) for key in self._not_removed(s3, batch)})
            if not kept or time.monotonic() > deadline:
                return kept
            time.sleep(2)

    def _batches(self, s3: Any) -> Iterator[list[dict[str, str]]]:
        pages = s3.get_paginator("list_object_versions")
        places = [
            f"{kind}/{team}/{name}" for kind in KINDS for team in TEAMS for name in (self.seen, self.unseen)
        ]
        for place in sorted(places):
            for page in pages.paginate(Bucket=self.account.bucket, Prefix=place):
                found = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
                if found:
                    yield [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in found]

    def _not_removed(self, s3: Any, batch: list[dict[str, str]]) -> list[str]:
        answer = s3.delete_objects(Bucket=self.account.bucket, Delete={"Objects": batch, "Quiet": True})
        kept = answer.get("Errors", ())
        for error in kept:  # what a role could lock that should not have been able to
            version = {"Bucket": self.account.bucket, "Key": error["Key"], "VersionId": error["VersionId"]}
            s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
        return [error["Key"] for error in kept]
