"""/readyz: one dependency is taken away at a time, is named, and is missed no longer once it is back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from tests.operate.processes import Service

if TYPE_CHECKING:
    from tests.operate.aws import Aws, Conduct, Part

# The patience of a question, and a busy machine's.
BOUND_SECONDS: Final = 15


def until_ready(service: Service) -> None:
    """Return as soon as it says that it is."""
    service.until(lambda: service.get("/readyz").status == 200)


@pytest.mark.parametrize("conduct", ["fails", "hangs up", "is silent"])
@pytest.mark.parametrize("part", ["sts", "s3"])
def test_what_does_not_answer_is_named_and_then_forgotten(aws: Aws, part: Part, conduct: Conduct) -> None:
    """Alone, in bounded time, with what to do; without a restart it is over when it is over."""
    with Service(aws, workers=1) as service:
        until_ready(service)
        with aws.without(part, conduct):
            service.until(lambda: service.get("/readyz").status == 503)
            began = time.monotonic()
            reply = service.get("/readyz")
            assert time.monotonic() - began < BOUND_SECONDS
            assert reply.status == 503
            assert reply.body["status"] == "not ready"
            assert set(reply.body["failing"]) == {part}
            assert ": see " in reply.body["failing"][part]
            assert int(reply.headers["Retry-After"]) > 0
            assert service.get("/healthz").status == 200
        until_ready(service)


@pytest.mark.parametrize("conduct", ["fails", "is silent"])
def test_a_service_without_a_key_set_is_not_ready_until_it_has_one(
    aws: Aws, token: str, conduct: Conduct
) -> None:
    """A first fetch that fails is soon repeated, not after the pause that invented key ids have to take."""
    with aws.without("key_set", conduct), Service(aws, workers=1) as service:
        reply = service.get("/readyz")
        assert reply.status == 503
        assert set(reply.body["failing"]) == {"key_set"}
        assert "SMAS_JWKS_URL" in reply.body["failing"]["key_set"]
        aws.set("key_set", "answers")
        began = time.monotonic()
        until_ready(service)
        assert time.monotonic() - began < BOUND_SECONDS
        assert service.get("/v1/whoami", token).status == 200


def test_known_keys_outlive_their_provider(aws: Aws, token: str) -> None:
    """An outage of the provider takes nobody's access who has a token, so the service stays ready."""
    with Service(aws, workers=1) as service:
        until_ready(service)
        with aws.without("key_set", "hangs up"):
            asked = aws.asked["s3"]
            service.until(lambda: service.get("/readyz").status != 200 or aws.asked["s3"] > asked)
            assert service.get("/readyz").status == 200
            assert service.get("/v1/whoami", token).status == 200


@pytest.mark.parametrize(("status", "setting"), [(404, "SMAS_BUCKET"), (301, "AWS_REGION")])
def test_a_bucket_that_is_not_there_is_a_setting(aws: Aws, status: int, setting: str) -> None:
    """S3 answers, but not for this bucket: the setting to look at is named."""
    aws.bucket_status = status
    with Service(aws, workers=1) as service:
        reply = service.get("/readyz")
        assert reply.status == 503
        assert setting in reply.body["failing"]["s3"]


def test_a_process_without_credentials_says_so(aws: Aws) -> None:
    """No role and no profile is no outage of STS."""
    with Service(
        aws, workers=1, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_EC2_METADATA_DISABLED="true"
    ) as service:
        reply = service.get("/readyz")
        assert reply.status == 503
        assert reply.body["failing"] == {
            "sts": "this process finds no AWS credentials: see that it has a role or a profile"
        }


def test_many_questions_are_few_for_aws(aws: Aws) -> None:
    """However many ask, each dependency is asked once in two seconds by each process."""
    with Service(aws, workers=1) as service, ThreadPoolExecutor(20) as clients:
        until_ready(service)
        before, began = aws.asked["s3"], time.monotonic()
        replies = list(clients.map(lambda _: service.get("/readyz").status, range(200)))
        allowed = (time.monotonic() - began) / 2 + 1
        assert set(replies) == {200}
        assert aws.asked["s3"] - before <= allowed
        assert aws.asked["sts"] <= aws.asked["s3"]


def test_who_asks_while_aws_is_silent_takes_no_thread(aws: Aws) -> None:
    """One request waits for the silent dependency; all others are answered at once from what was known."""
    with Service(aws, workers=1) as service, ThreadPoolExecutor(150) as clients:
        until_ready(service)
        with aws.without("s3", "is silent"):
            service.until(lambda: service.get("/readyz").status == 503)
            asked = [clients.submit(service.get, "/readyz") for _ in range(150)]
            began = time.monotonic()
            assert service.get("/healthz").status == 200
            assert time.monotonic() - began < 3
            assert {reply.result().status for reply in asked} == {503}
