"""The main job through Lambda alone, over the local AWS: upload, publish, verify, download."""

from __future__ import annotations

import json
import urllib.request
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from tests.image.events import EVENTS, http_event, load

if TYPE_CHECKING:
    from tests.image.function import LambdaFunction
    from tests.local_aws import LocalStack

pytestmark = [pytest.mark.local_aws, pytest.mark.runtime_client]

BYTES = b"hello, model"
MODEL = "/v1/models/fraud/credit-risk"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module", autouse=True)
def empty_queue(local_aws: LocalStack) -> None:
    """What tests before left in the queue is not these functions' business: no worker runs beside them."""
    sqs = local_aws.root_client("sqs")
    sqs.purge_queue(QueueUrl=local_aws.environment["SMAS_EVENTS_QUEUE_URL"])


@pytest.fixture(scope="module")
def published(local_aws: LocalStack, api: LambdaFunction, verifier: LambdaFunction) -> int:
    """The number of a version that went all the way, by events alone."""
    upload = answered(api, load(EVENTS / "upload_event.json", local_aws.token), 200)
    send(upload)
    version = answered(api, load(EVENTS / "publish_event.json", local_aws.token), 201)
    drain(local_aws, verifier)
    return int(version["version"])


def send(upload: dict[str, Any]) -> None:
    """Do what a client does with the answer to an upload of `BYTES`."""
    (file,) = upload["files"]
    assert file["sha256"] == sha256(BYTES).hexdigest()
    if file["state"] == "single":
        put = urllib.request.Request(file["url"], BYTES, file["headers"], method="PUT")
        with _DIRECT.open(put, timeout=10) as response:
            assert response.status == 200


def answered(function: LambdaFunction, event: dict[str, Any], status: int) -> Any:
    """The JSON body of the answer to an event, which must have ``status``."""
    outcome = function.invoke(event)
    assert outcome.error_type is None, outcome
    assert outcome.payload["statusCode"] == status, outcome
    return json.loads(outcome.payload["body"])


def drain(local_aws: LocalStack, verifier: LambdaFunction) -> None:
    """Do what Lambda's event source mapping does until the queue has nothing more to give."""
    sqs = local_aws.root_client("sqs")
    queue_url = local_aws.environment["SMAS_EVENTS_QUEUE_URL"]
    while True:
        received = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=2)
        messages = {message["MessageId"]: message for message in received.get("Messages", [])}
        if not messages:
            return
        records = [
            {
                "messageId": message_id,
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "eventSource": "aws:sqs",
            }
            for message_id, message in messages.items()
        ]
        outcome = verifier.invoke({"Records": records}, seconds=60)
        assert outcome.payload == {"batchItemFailures": []}, verifier.log()
        for message in messages.values():
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def test_a_version_published_and_verified_by_events_can_be_downloaded(
    local_aws: LocalStack, api: LambdaFunction, published: int
) -> None:
    """The bytes come from S3; the functions never saw them."""
    downloads = answered(api, load(EVENTS / "download_event.json", local_aws.token), 200)
    assert downloads["version"] >= published
    (file,) = downloads["files"]
    with _DIRECT.open(file["url"], timeout=10) as response:
        assert response.read() == BYTES


def test_a_file_is_a_redirect_also_under_a_stage(
    local_aws: LocalStack, api: LambdaFunction, published: int
) -> None:
    """Gateways pass it on with its location as it is."""
    assert published
    outcome = api.invoke(load(EVENTS / "file_event.json", local_aws.token))
    assert outcome.payload["statusCode"] == 302
    with _DIRECT.open(outcome.payload["headers"]["location"], timeout=10) as response:
        assert response.read() == BYTES


def test_a_load_balancers_event_is_answered_in_the_callers_name(
    local_aws: LocalStack, api: LambdaFunction
) -> None:
    """The token is checked as ever."""
    assert answered(api, load(EVENTS / "alb_event.json", local_aws.token), 200)["username"] == "ds-fraud"
    assert answered(api, load(EVENTS / "alb_event.json", lambda _: "none"), 401)["code"] == "unauthenticated"


def test_awkward_file_names_survive_the_gateways_decoding(
    local_aws: LocalStack, api: LambdaFunction, verifier: LambdaFunction
) -> None:
    """An HTTP API decodes paths once; nothing may decode them again."""
    model = "/v1/models/fraud/awkward-names"
    awkward = ["a%20b.bin", "a b.bin", "größe/模型.bin", "100%.bin", "plus+plus.bin"]
    token = f"Bearer {local_aws.token('ds-fraud')}"
    entry = {"sha256": sha256(BYTES).hexdigest(), "size": len(BYTES)}
    wanted = {"files": [entry]}
    send(answered(api, http_event("POST", f"{model}/uploads", wanted, authorization=token), 200))
    draft = {"files": [{"path": path, **entry} for path in awkward]}
    version = answered(api, http_event("POST", f"{model}/versions", draft, authorization=token), 201)
    drain(local_aws, verifier)
    for path in awkward:
        decoded = f"{model}/versions/{version['version']}/files/{path}"
        outcome = api.invoke(http_event("GET", decoded, authorization=token))
        assert outcome.payload["statusCode"] == 302, path


def test_only_the_message_that_is_none_comes_again(verifier: LambdaFunction) -> None:
    """One is settled, one cannot be read, one asks for nothing."""
    event = load(EVENTS / "sqs_partial_failure_event.json", str)
    outcome = verifier.invoke(event, seconds=60)
    second = event["Records"][1]["messageId"]
    assert outcome.payload == {"batchItemFailures": [{"itemIdentifier": second}]}


def test_the_schedule_settles_what_no_message_told_of(
    local_aws: LocalStack, api: LambdaFunction, verifier: LambdaFunction, published: int
) -> None:
    """Its messages lost, a version is found by the sweep."""
    assert published
    event = load(EVENTS / "publish_event.json", local_aws.token)
    version = answered(api, event, 201)
    assert verifier.invoke(load(EVENTS / "schedule_event.json", str), seconds=60).payload == {}
    token = event["headers"]["authorization"]
    read = answered(
        api, http_event("GET", f"{MODEL}/versions/{version['version']}", authorization=token), 200
    )
    assert read["state"] == "available"


def test_no_secret_is_in_the_logs(local_aws: LocalStack, api: LambdaFunction, published: int) -> None:
    """Neither tokens nor signatures, though every event and answer holds some."""
    assert published
    log = api.log()
    assert local_aws.token("ds-fraud").split(".")[0] not in log
    assert "X-Amz-Signature" not in log
    assert all(api.log_lines())
