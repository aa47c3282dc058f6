"""The service's log on the local AWS: shipped, searched, counted, and what it proves about sessions."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from smas_emulator.log_shipper import Positions, Shipper

from service.audit.sessions import check_sessions
from service.aws.clients import logs_client, s3_client
from service.aws.known_keys import KnownKeys
from service.aws.personas import ActingCredentials, PersonaSession
from service.aws.s3_objects import Bucket
from service.aws.service_log import CloudWatchServiceLog
from service.aws.trail_files import S3TrailFiles
from service.bootstrap import trail_identity
from service.errors import Forbidden
from service.settings import worker_settings
from tests.accounts import assume
from tests.fakes.logs import told
from tests.local_aws import run_stack
from tests.stack.sessions import keys_of_this_machine, persona, session

if TYPE_CHECKING:
    from pathlib import Path

    from service.settings import WorkerSettings
    from tests.accounts import Keys
    from tests.local_aws import LocalStack

GROUP, WORKER_GROUP = "/smas/service", "/smas/worker"
PREFIX = "arn:aws:iam::000000000000:role/smas-"
MINUTE = timedelta(minutes=1)
# Two looks of the watch with the worker's own settings and credentials, and nothing else of the worker.
WATCH = """
import os
from service.bootstrap import build_watch
from service.logs import configure
from service.settings import worker_settings

configure()
watch = build_watch(worker_settings(os.environ))
watch.look_once()
watch.look_once()
"""


def written(**line: Any) -> str:
    """A line of the service's log, of now."""
    return json.dumps({"logger": "service.audit", "time": datetime.now(UTC).isoformat(), **line})


def refusal(event_id: str, **changed: Any) -> str:
    """A refusal in it."""
    return written(
        **{
            "audit": "refusal",
            "event_id": event_id,
            "actor": "ds-nlp",
            "subject": "sub",
            "action": "smas:read_model",
            "outcome": "denied",
            "error_code": "forbidden",
            **changed,
        }
    )


def ship(local_aws: LocalStack, folder: Path, group: str, *lines: str) -> None:
    """Put lines into a log group as the stack's shipper does, with its role."""
    file = folder / f"{uuid.uuid4().hex}.log"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    logs = shipping_keys(local_aws).client(local_aws, "logs")
    shipper = Shipper(logs, file, group, Positions(folder / "shipped.json"), lambda: datetime.now(UTC))
    while shipper.ship():
        pass


def shipping_keys(local_aws: LocalStack) -> Keys:
    """A session of the shipper's role."""
    return assume(local_aws, keys_of_this_machine(local_aws), "shipper")


def settings_of(local_aws: LocalStack) -> WorkerSettings:
    """What the worker is configured with."""
    return worker_settings(local_aws.environment)


def session_of(keys: Keys) -> PersonaSession:
    """The same keys, as the adapters take them."""
    frozen = ReadOnlyCredentials(keys.id, keys.secret, keys.token, None)
    return PersonaSession(frozen, datetime.now(UTC) + timedelta(hours=1))


def log_of(local_aws: LocalStack, role: str) -> CloudWatchServiceLog:
    """The service's log as a role reads it."""
    client = logs_client(settings_of(local_aws).storage, ActingCredentials())
    return CloudWatchServiceLog(client, session_of(session(local_aws, role)), GROUP)


def totals(local_aws: LocalStack, *metrics: str) -> list[float]:
    """What metrics of the store have counted so far."""
    now = datetime.now(UTC)
    queries = [
        {
            "Id": name.lower(),
            "MetricStat": {
                "Metric": {"Namespace": "SMAS", "MetricName": name},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for name in metrics
    ]
    span = ("--start-time", f"{now - 10 * MINUTE:%FT%TZ}", "--end-time", f"{now + 2 * MINUTE:%FT%TZ}")
    # By the local AWS's own client: newer ones speak a protocol with CloudWatch that it does not know.
    command = ("aws", "cloudwatch", "get-metric-data", "--metric-data-queries", json.dumps(queries), *span)
    told = run_stack(local_aws.state, *command)
    assert told.returncode == 0, told.stderr
    return [sum(result["Values"]) for result in json.loads(told.stdout)["MetricDataResults"]]


def deliver(local_aws: LocalStack) -> None:
    """Let the trail deliver all that it has recorded."""
    flush = urllib.request.Request(f"{local_aws.endpoint}/_smas/cloudtrail/flush", method="POST")
    assert local_aws.fetch(flush)[0] == 200


@pytest.mark.parametrize("role", ["persona-auditor", "persona-compliance", "watch"])
def test_refusals_are_read_back_newest_first(local_aws: LocalStack, tmp_path: Path, role: str) -> None:
    """What was shipped is what an auditor reads, in the auditor's own session."""
    ids = [str(uuid.uuid4()) for _ in range(3)]
    ship(local_aws, tmp_path, GROUP, *(refusal(each) for each in ids), written(audit="session"), "no JSON")
    now = datetime.now(UTC)

    events = list(told(log_of(local_aws, role), now - MINUTE, now + MINUTE))
    found = [event.event_id for event in events]

    assert {each for each in found if each in ids} == set(ids)
    times = [(event.time, event.event_id) for event in events]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("role", ["persona-data-scientist", "persona-custodian", "service", "worker"])
def test_nobody_else_reads_them(local_aws: LocalStack, role: str) -> None:
    """Who was refused is for auditors alone."""
    now = datetime.now(UTC)
    with pytest.raises(Forbidden):
        list(told(log_of(local_aws, role), now - MINUTE, now))


def test_searches_mean_what_they_say(local_aws: LocalStack, tmp_path: Path) -> None:
    """A pattern finds its lines and no others; one that is none is refused, and does not match all."""
    token = uuid.uuid4().hex
    ship(local_aws, tmp_path, GROUP, *(written(token=token, number=number) for number in range(10)))
    logs = local_aws.root_client("logs")

    found = logs.filter_log_events(
        logGroupName=GROUP,
        filterPattern=f'{{ $.token = "{token}" && ($.number < 2 || $.number >= 8) }}',
        limit=3,
    )
    rest = logs.filter_log_events(
        logGroupName=GROUP,
        filterPattern=f'{{ $.token = "{token}" && ($.number < 2 || $.number >= 8) }}',
        nextToken=found["nextToken"],
    )

    events = [*found["events"], *rest["events"]]
    assert [json.loads(event["message"])["number"] for event in events] == [0, 1, 8, 9]
    with pytest.raises(logs.exceptions.InvalidParameterException, match="quotation marks"):
        logs.filter_log_events(logGroupName=WORKER_GROUP, filterPattern="a.b")
    with pytest.raises(logs.exceptions.InvalidParameterException, match="space-delimited"):
        logs.put_metric_filter(
            logGroupName=GROUP,
            filterName="odd",
            filterPattern="[ip]",
            metricTransformations=[{"metricName": "M", "metricNamespace": "N", "metricValue": "1"}],
        )


def test_a_refusal_raises_its_metrics(local_aws: LocalStack, tmp_path: Path) -> None:
    """Each is counted once, those without a good token also by themselves; only in the service's group."""
    metrics = ("Refusals", "Unauthenticated", "UnknownSessions")
    before = totals(local_aws, *metrics)

    lines = [refusal(str(uuid.uuid4())), refusal(str(uuid.uuid4()), error_code="unauthenticated")]
    ship(local_aws, tmp_path, GROUP, *lines, written(audit="session"), written(audit="unknown_session"))
    ship(local_aws, tmp_path, WORKER_GROUP, *lines)

    after = totals(local_aws, *metrics)
    assert [new - old for new, old in zip(after, before, strict=True)] == [2, 1, 0]


def test_provisioning_again_counts_nothing_twice(local_aws: LocalStack) -> None:
    """A second start leaves one filter of each name."""
    logs = local_aws.root_client("logs")
    filters = logs.describe_metric_filters()["metricFilters"]
    for each in filters:
        logs.put_metric_filter(
            **{name: each[name] for name in ("filterName", "filterPattern", "logGroupName")},
            metricTransformations=each["metricTransformations"],
        )

    names = [each["filterName"] for each in logs.describe_metric_filters()["metricFilters"]]

    assert sorted(names) == sorted({each["filterName"] for each in filters})
    assert {"refusals", "unauthenticated", "unknown-sessions"} <= set(names)


def test_the_shipper_can_do_nothing_but_ship(local_aws: LocalStack) -> None:
    """It reads no log, not even its own, writes to no other group, and reaches nothing else."""
    keys = shipping_keys(local_aws)
    logs = keys.client(local_aws, "logs")
    local_aws.root_client("logs").create_log_group(logGroupName=f"/other/{uuid.uuid4().hex}")
    asked = [
        (logs.filter_log_events, {"logGroupName": GROUP}),
        (logs.create_log_stream, {"logGroupName": "/smas/other", "logStreamName": "x"}),
        (logs.create_log_group, {"logGroupName": "/smas/other"}),
        (logs.delete_log_group, {"logGroupName": GROUP}),
        (keys.client(local_aws, "s3").list_objects_v2, {"Bucket": local_aws.bucket}),
    ]
    for call, parameters in asked:
        with pytest.raises(ClientError, match="AccessDenied"):
            call(**parameters)


@pytest.fixture(scope="module")
def sessions(local_aws: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two sessions made with the service role's own keys: one announced in the log, one not."""
    jtis = {"announced": str(uuid.uuid4()), "made up": str(uuid.uuid4())}
    line = {"role": "data-scientist", "subject": "sub-of-thief", "team": "fraud"}
    told = written(audit="session", message="session", token_id=jtis["announced"], **line)
    ship(local_aws, tmp_path_factory.mktemp("sessions"), GROUP, told)
    for jti in jtis.values():
        persona(local_aws, "data-scientist", subject="sub-of-thief", jti=jti)
    deliver(local_aws)
    return jtis


def test_a_session_that_nobody_announced_is_found(local_aws: LocalStack, sessions: dict[str, str]) -> None:
    """With the service's own keys and a made-up token: CloudTrail knows it, the service's log does not."""
    settings = settings_of(local_aws)
    client = s3_client(settings.storage, ActingCredentials())
    now = datetime.now(UTC)
    with ThreadPoolExecutor(4) as threads:
        bucket = Bucket(client, settings.audit.trail_bucket, "", threads, KnownKeys())
        identity = trail_identity(settings.audit, settings.storage.region)
        files = S3TrailFiles(bucket, session_of(session(local_aws, "persona-auditor")), identity)
        log = log_of(local_aws, "persona-auditor")

        found = check_sessions(files, log, PREFIX, now - 10 * MINUTE, now + MINUTE)

    unknown = {each.token_id: each for each in found.unknown}
    assert found.assumed >= 2
    assert sessions["announced"] not in unknown
    told = unknown[sessions["made up"]]
    assert (told.role, told.team, told.subject) == ("data-scientist", "fraud", "sub-of-thief")
    assert (told.session_name, told.source_ip) == ("ds-fraud", "127.0.0.1")
    assert told.assumed_by is not None
    assert ":assumed-role/smas-service/" in told.assumed_by


def test_the_watch_reports_it_and_a_metric_counts_it(
    local_aws: LocalStack, sessions: dict[str, str], tmp_path: Path
) -> None:
    """The worker finds it by itself, in the watch's role; its line is what the metric counts."""
    looked = subprocess.run(
        [sys.executable, "-c", WATCH],
        env=local_aws.process_environment("smas-worker"),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = [line for line in map(json.loads, looked.stderr.splitlines()) if line["level"] == "ERROR"]
    assert {line["message"] for line in lines} == {"unknown session"}
    reported = [line["token_id"] for line in lines]
    assert (reported.count(sessions["made up"]), reported.count(sessions["announced"])) == (1, 0)

    (before,) = totals(local_aws, "UnknownSessions")
    ship(local_aws, tmp_path, WORKER_GROUP, *looked.stderr.splitlines())

    assert totals(local_aws, "UnknownSessions") == [before + len(lines)]
