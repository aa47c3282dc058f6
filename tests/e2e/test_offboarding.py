"""Somebody leaves: barred, they are refused everywhere within seconds, by whatever way they had."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import urllib3
from botocore.exceptions import ClientError

from deployment import offboarding
from deployment.rehearsal.end_of_access import seconds_until_refused
from deployment.store import of_local_stack
from tests.e2e.applied import SignInRefused
from tests.stack.sessions import REFUSED, persona

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Stack

USER = "ds-fraud-2"
# With everything on this machine; what AWS takes is in docs/operations.md.
SECONDS = 30
HTTP = urllib3.PoolManager(retries=False, maxsize=8)


def published(stack: Stack, model: str, folder: Path) -> None:
    """A version of a model, that its author may fetch."""
    (folder / "weights.bin").write_bytes(b"w" * 1024)
    author = stack.user(USER)
    files = author.upload(model, folder)
    author.expect(201, "POST", f"/v1/models/{model}/versions", {"files": files})
    deadline = time.monotonic() + 60
    while author.expect(200, "GET", f"/v1/models/{model}/versions/1")["state"] != "available":
        assert time.monotonic() < deadline, "the verifier did not come to it"
        time.sleep(0.2)


def subject(stack: Stack) -> str:
    """Their source identity."""
    found = stack.aws.root_client("cognito-idp").admin_get_user(
        UserPoolId=stack.aws.stack["user_pool_id"], Username=USER
    )
    return next(str(each["Value"]) for each in found["UserAttributes"] if each["Name"] == "sub")


def ways_in(stack: Stack, model: str) -> dict[str, Callable[[], bool]]:
    """Everything that somebody has who was at work until now."""
    client = stack.user(USER)
    file = f"/v1/models/{model}/versions/1/files/weights.bin?redirect=false"
    url = client.expect(200, "GET", file)["url"]
    upload = client.expect(
        200, "POST", f"/v1/models/{model}/uploads", {"files": [{"sha256": "0" * 64, "size": 1}]}
    )["files"][0]
    s3: Any = persona(stack.aws, "data-scientist", name=USER, subject=subject(stack)).client(stack.aws, "s3")
    key = f"cards/{model}.json"

    def by_session() -> bool:
        try:
            s3.list_objects_v2(Bucket=stack.aws.bucket, Prefix=key.rpartition("/")[0] + "/")
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSED:
                return False
            raise
        return True

    def by_api() -> bool:
        status = client.call("GET", f"/v1/models/{model}").status
        assert status in {200, 403}, status
        return status == 200

    def by_download_url() -> bool:
        status = HTTP.request("GET", url).status
        assert status in {200, 403}, status
        return status == 200

    def by_upload_url() -> bool:
        # Not the bytes that were announced: S3 lets them in, or not, and keeps nothing of them either way.
        status = HTTP.request(upload["method"], upload["url"], body=b"x", headers=upload["headers"]).status
        assert status in {200, 400, 403}, status
        return status != 403

    return {
        "a live token": by_api,
        "a download's URL": by_download_url,
        "an upload's URL": by_upload_url,
        "a session of their own": by_session,
    }


def test_whoever_is_barred_is_out_within_seconds(
    stack: Stack, model: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """A live token, URLs handed out before, a session in S3: each ends with the command; and sign-in."""
    published(stack, model, tmp_path)
    which, aws = of_local_stack(stack.aws.state)
    said: list[str] = []
    ways = ways_in(stack, model)
    try:
        took = seconds_until_refused(ways, lambda: offboarding.bar(which, aws, user=USER, say=said.append))

        for way, seconds in took.items():
            record_property(way, round(seconds, 2))
            print(f"{way}: refused {seconds:.2f} s after the command began")
        assert max(took.values()) < SECONDS
        assert offboarding.listed(which, aws) == ([subject(stack)], True)
        assert_no_sign_in(stack)
        assert stack.user("ds-fraud").call("GET", f"/v1/models/{model}").status == 200, "nobody else is out"
    finally:
        offboarding.unbar(which, aws, user=USER, enable=True, say=said.append)

    assert stack.user(USER).call("GET", f"/v1/models/{model}").status == 200
    assert offboarding.listed(which, aws) == (["nobody is barred"], True)


def assert_no_sign_in(stack: Stack) -> None:
    """The user pool gives them no token any more."""
    try:
        stack.aws.token(USER)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NotAuthorizedException"  # noqa: PT017
    except SignInRefused as refused:
        assert "disabled" in str(refused)  # noqa: PT017
    else:
        raise AssertionError("a disabled user signed in")
