"""What an operator does with a store that runs, rehearsed: the review, an off-boarding, a restore."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deployment import http
from deployment.barring import FILE
from deployment.errors import DeploymentError
from deployment.failover import FILE as IMPORTS
from deployment.failover import ROLES
from deployment.rehearsal.applied import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployment.rehearsal.applied import Rehearsal

    Say = Callable[[str], None]

_WHO: Final = "somebody-who-left"
_SECOND_REGION: Final = "us-west-2"
TAKES_OVER: Final = Path(__file__).parents[1] / "failover.tfvars"


def access_review(rehearsed: Rehearsal, say: Say) -> None:
    """Everybody who may do something; the store itself is all that may assume its roles."""
    file = rehearsed.state / "access-review.json"
    rehearsed.command("access-review", "--format=json", f"--output={file}")
    rows = json.loads(file.read_text(encoding="utf-8"))["entitlements"]
    anybody = [row["who"] for row in rows if "anybody there" in row["remarks"]]
    if anybody:
        message = f"{anybody[0]} may assume a role of the store, and is anybody."
        raise DeploymentError(message)
    counted = {
        kind: len({row["who"] for row in rows if row["kind"] == kind})
        for kind in ("person", "machine", "iam")
    }
    say(f"{counted['person']} people, {counted['machine']} machines, {counted['iam']} principals of IAM")


def off_boarding(rehearsed: Rehearsal, say: Say) -> None:
    """Barred by the command, and Terraform would write the same; the end-to-end tests measure how fast."""
    begun = time.monotonic()
    rehearsed.command("bar", f"--identity={_WHO}", "--note=rehearsal")
    say(f"`bar` took {time.monotonic() - begun:.1f} s, from its start to its end")
    try:
        if _WHO not in (rehearsed.infra / FILE).read_text(encoding="utf-8"):
            message = f"{FILE} does not name who was barred."
            raise DeploymentError(message)
        if rehearsed.plan():
            raise DeploymentError("Terraform would undo what `bar` did: the plan after it is not empty.")
        say("the plan after it is empty: Terraform would write the same policies")
    finally:
        rehearsed.command("unbar", f"--identity={_WHO}")
    rehearsed.command("barred")
    say("lifted again, and nobody is barred")


def restore(rehearsed: Rehearsal, say: Say) -> None:
    """A manifest is hidden by somebody who first took the bucket's policy away; found, and brought back."""
    rehearsed.command("check-store")
    s3, bucket = rehearsed.client("s3"), _bucket(rehearsed)
    key = s3.list_objects_v2(Bucket=bucket, Prefix="manifests/", MaxKeys=1)["Contents"][0]["Key"]
    before = s3.head_object(Bucket=bucket, Key=key)["VersionId"]
    with _unguarded(s3, bucket):
        s3.delete_object(Bucket=bucket, Key=key)
    rehearsed.command("check-store", code=1)
    rehearsed.command("restore", key)
    rehearsed.command("check-store", "--bytes")
    if s3.head_object(Bucket=bucket, Key=key)["VersionId"] != before:
        message = f"{key} came back as another version."
        raise DeploymentError(message)
    say(f"{key}: hidden, found, and brought back as the same version; every byte is as published")


def failover(rehearsed: Rehearsal, say: Say) -> None:
    """The copy holds the same, and the second region's store, planned, takes it over, with keys and roles.

    The local AWS copies when it is asked to. What follows the plan is a deployment like the first, so it is
    not applied.
    """
    if http.request("POST", f"{rehearsed.endpoints.ours}/_smas/s3/replicate").status != HTTPStatus.OK:
        raise DeploymentError("The local AWS did not copy the bucket to the second region.")
    rehearsed.command("check-store", "--copy", "--against", "--bytes")
    say("the copy in the second region has the same versions, records and digests")
    there = [f"--vars={TAKES_OVER}", f"--region={_SECOND_REGION}"]
    # Lambda takes images of its own region alone: a deployment there pushes one there.
    image = rehearsed.image.replace(REGION, _SECOND_REGION)
    rehearsed.command("failover", *there)
    try:
        rehearsed.command("plan", *there, f"--image={image}")
    finally:
        (rehearsed.infra / IMPORTS).unlink()
    rehearsed.words.flush()
    plans = re.findall(r"^Plan: .*$", Path(rehearsed.words.name).read_text(encoding="utf-8"), re.MULTILINE)
    said = plans[-1] if plans else "no plan"
    taken = re.search(r"(\d+) to import, .* 0 to destroy", said)
    if taken is None or int(taken[1]) < len(ROLES):
        message = f"The second region would not take over what is there: {said}"
        raise DeploymentError(message)
    say(said)


@contextmanager
def _unguarded(s3: Any, bucket: str) -> Iterator[None]:
    """While inside, the bucket has no policy; after it, the one that it had."""
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def _bucket(rehearsed: Rehearsal) -> str:
    settings: Any = rehearsed.terraform.outputs()["service_settings"]
    return str(settings["SMAS_BUCKET"])
