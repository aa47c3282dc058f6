"""Our check and `aws cloudtrail validate-logs` say the same of the same bucket, whatever was done to it."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.times import written
from tests.local_aws import EMULATOR_PYTHON, free_port, run_stack
from tests.local_aws import LocalStack as Stack
from tests.stack.sessions import persona
from tests.unit.audit.integrity.signed_trail import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.local_aws
BUCKET, FOLDER = "smas-trail", "AWSLogs/000000000000/"
TRAIL = "arn:aws:cloudtrail:us-east-1:000000000000:trail/smas"
MALLORY = Signer.new()
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Trail:
    """The trail of a local AWS of its own, turned off, and what its bucket held when it was."""

    stack: Stack
    begin: str
    finish: str
    files: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    @property
    def logs(self) -> list[str]:
        """The keys of the log files, oldest first."""
        return [key for key in sorted(self.files) if "/CloudTrail/" in key]

    @property
    def digests(self) -> list[str]:
        """The keys of the digests, oldest first."""
        return [key for key in sorted(self.files) if "/CloudTrail-Digest/" in key]

    def read_bucket(self) -> None:
        """Remember every file as it is."""
        s3 = self.stack.root_client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=FOLDER)
        for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:
            answer = s3.get_object(Bucket=BUCKET, Key=key)
            self.files[key] = (answer["Body"].read(), answer["Metadata"])

    def put(self, key: str, body: bytes, metadata: dict[str, str] | None = None) -> None:
        """Write a file over another; its metadata stays, unless other is given."""
        self.touched.add(key)
        kept = self.files[key][1] if metadata is None else metadata
        self.stack.root_client("s3").put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=kept)

    def delete(self, key: str) -> None:
        """Remove a file."""
        self.touched.add(key)
        self.stack.root_client("s3").delete_object(Bucket=BUCKET, Key=key)

    def restore(self) -> None:
        """Have the bucket hold what it held."""
        for key in self.touched:
            body, metadata = self.files[key]
            self.stack.root_client("s3").put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)
        self.touched.clear()

    def document(self, key: str) -> dict[str, Any]:
        """What a digest said."""
        return dict(json.loads(gzip.decompress(self.files[key][0])))


def flush(stack: Stack, *, digest: bool) -> None:
    """Have everything recorded so far delivered."""
    url = f"{stack.endpoint}/_smas/cloudtrail/flush{'?digest=true' if digest else ''}"
    with _DIRECT.open(urllib.request.Request(url, method="POST"), timeout=60):
        pass


@pytest.fixture(scope="module")
def stopped_trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    """A trail of a stack of its own: two chains of four digests, with log files, and a time off between them.

    A digest is named for the second it ends in, and so each has one of its own. The bucket's policy, which
    keeps even the account itself from writing, is taken away for what the tests do.
    """
    state = tmp_path_factory.mktemp("integrity") / "state"
    ports = ("--aws-port", str(free_port()), "--port", str(free_port()))
    started = run_stack(state, "up", *ports)
    if started.returncode:
        pytest.fail(f"The local stack did not start: {started.stderr}", pytrace=False)
    stack = Stack(state)
    begun = datetime.now(UTC) - timedelta(minutes=5)
    cloudtrail, s3 = stack.root_client("cloudtrail"), stack.root_client("s3")
    for chain in range(2):
        if chain:
            cloudtrail.start_logging(Name="smas")
        for _ in range(3):
            persona(stack, "data-scientist", name="ds-stranger")
            flush(stack, digest=False)
            s3.head_bucket(Bucket=stack.bucket)
            time.sleep(1.1)
            flush(stack, digest=True)
        cloudtrail.stop_logging(Name="smas")
        time.sleep(1.1)
        flush(stack, digest=True)
        time.sleep(1.1)
    s3.delete_bucket_policy(Bucket=BUCKET)
    trail = Trail(stack, written(begun), written(datetime.now(UTC)))
    trail.read_bucket()
    yield trail
    run_stack(state, "down")


@pytest.fixture
def trail(stopped_trail: Trail) -> Iterator[Trail]:
    """The same for a test, which may do to the bucket what it likes."""
    yield stopped_trail
    stopped_trail.restore()


@dataclass(frozen=True)
class Verdict:
    """What somebody says of a trail: valid, the files that are not, and how many were looked into."""

    valid: bool
    named: frozenset[str]
    digests: int
    logs: int


def ours(trail: Trail, reader: str = "compliance") -> dict[str, Any]:
    """The answer of `GET /v1/audit/integrity`."""
    asked = urllib.parse.urlencode({"from": trail.begin, "to": trail.finish})
    address = f"{trail.stack.environment['SMAS_PUBLIC_URL']}/v1/audit/integrity?{asked}"
    headers = {"Authorization": f"Bearer {trail.stack.token(reader)}"}
    with _DIRECT.open(urllib.request.Request(address, headers=headers), timeout=60) as response:
        return dict(json.load(response))


def verdict(answer: dict[str, Any]) -> Verdict:
    """Ours, without the words."""
    named = frozenset(problem["file"] for problem in answer["problems"])
    return Verdict(answer["valid"], named, answer["digests"], answer["logs"])


def theirs(trail: Trail) -> tuple[Verdict, str]:
    """What the unmodified tool says, and all that it prints."""
    command = [str(EMULATOR_PYTHON), "-m", "awscli", "cloudtrail", "validate-logs", "--trail-arn", TRAIL]
    command += ["--start-time", trail.begin, "--end-time", trail.finish]
    environment = {
        "PATH": "/usr/bin:/bin",
        "AWS_ENDPOINT_URL": trail.stack.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "no_proxy": "localhost,127.0.0.1",
    }
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    text = ended.stdout + ended.stderr
    assert ended.returncode in {0, 1}, text
    named = frozenset(re.findall(rf"file\ts3://{BUCKET}/(\S+)\tINVALID", text))
    digests, logs = (re.search(rf"\d+/(\d+) {kind} files valid", text) for kind in ("digest", "log"))
    return Verdict(
        ended.returncode == 0, named, int(digests[1]) if digests else 0, int(logs[1]) if logs else 0
    ), text


def untouched(_trail: Trail) -> set[str]:
    """Nothing."""
    return set()


def log_changed(trail: Trail) -> set[str]:
    """An event was done by somebody else."""
    victim = trail.logs[2]
    record = json.loads(gzip.decompress(trail.files[victim][0]))
    record["Records"][0]["sourceIPAddress"] = "192.0.2.1"
    trail.put(victim, gzip.compress(json.dumps(record).encode()))
    return {victim}


def log_truncated(trail: Trail) -> set[str]:
    """A log file ends in the middle."""
    victim = trail.logs[2]
    trail.put(victim, trail.files[victim][0][:-40])
    return {victim}


def log_deleted(trail: Trail) -> set[str]:
    """A log file is gone."""
    trail.delete(trail.logs[2])
    return {trail.logs[2]}


def log_replaced(trail: Trail) -> set[str]:
    """A log file is another genuine one."""
    trail.put(trail.logs[2], trail.files[trail.logs[3]][0])
    return {trail.logs[2]}


def log_no_gzip(trail: Trail) -> set[str]:
    """A log file is something else."""
    trail.put(trail.logs[2], b"nothing happened")
    return {trail.logs[2]}


def log_end_of_gzip_gone(trail: Trail) -> set[str]:
    """All of the text is there, so it is no fault, to either."""
    trail.put(trail.logs[2], trail.files[trail.logs[2]][0][:-1])
    return set()


def all_logs_deleted(trail: Trail) -> set[str]:
    """No log file is left."""
    for key in trail.logs:
        trail.delete(key)
    return set(trail.logs)


def digest_changed(trail: Trail) -> set[str]:
    """A digest has another hash for a log file."""
    victim = next(key for key in trail.digests if trail.document(key)["logFiles"])
    document = trail.document(victim)
    document["logFiles"][0]["hashValue"] = "0" * 64
    trail.put(victim, gzip.compress(json.dumps(document).encode()))
    return {victim}


def digest_deleted(trail: Trail) -> set[str]:
    """A digest in the middle of a chain is gone."""
    trail.delete(trail.digests[1])
    return {trail.digests[1]}


def two_digests_deleted(trail: Trail) -> set[str]:
    """Two in a row: what names the earlier one is gone too."""
    trail.delete(trail.digests[1])
    trail.delete(trail.digests[2])
    return {trail.digests[2]}


def newest_digest_deleted(trail: Trail) -> set[str]:
    """Nothing names it yet."""
    trail.delete(trail.digests[-1])
    return set()


def digest_emptied(trail: Trail) -> set[str]:
    """A digest lists no log files, under the signature it had."""
    victim = trail.digests[1]
    trail.put(victim, gzip.compress(json.dumps({**trail.document(victim), "logFiles": []}).encode()))
    return {victim}


def digest_no_gzip(trail: Trail) -> set[str]:
    """A digest is something else."""
    trail.put(trail.digests[1], b"")
    return {trail.digests[1]}


def digest_unsigned(trail: Trail) -> set[str]:
    """A digest's signature is gone."""
    trail.put(trail.digests[1], trail.files[trail.digests[1]][0], {})
    return {trail.digests[1]}


def digest_with_anothers_signature(trail: Trail) -> set[str]:
    """A digest has the signature of another."""
    victim, other = trail.digests[1:3]
    trail.put(victim, trail.files[victim][0], trail.files[other][1])
    return {victim}


def digests_swapped(trail: Trail) -> set[str]:
    """Two digests changed places."""
    first, second = trail.digests[1:3]
    trail.put(first, *trail.files[second])
    trail.put(second, *trail.files[first])
    return {first, second}


def resigned(trail: Trail, victim: str, **changed: str) -> None:
    """A digest lists no log files, and somebody else signed it."""
    document = {**trail.document(victim), "logFiles": [], **changed}
    text = json.dumps(document).encode()
    place = f"{document['digestS3Bucket']}/{document['digestS3Object']}"
    before = document["previousDigestSignature"] or "null"
    signed = "\n".join([document["digestEndTime"], place, hashlib.sha256(text).hexdigest(), before])
    metadata = {"signature": MALLORY.sign(signed), "signature-algorithm": "SHA256withRSA"}
    trail.put(victim, gzip.compress(text), metadata)


def digest_resigned(trail: Trail) -> set[str]:
    """With another key."""
    resigned(trail, trail.digests[1], digestPublicKeyFingerprint=MALLORY.fingerprint)
    return {trail.digests[1]}


def digest_resigned_in_anothers_name(trail: Trail) -> set[str]:
    """With another key, under the name of CloudTrail's; the newest one, for which no other signs."""
    resigned(trail, trail.digests[-1])
    return {trail.digests[-1]}


def many_things(trail: Trail) -> set[str]:
    """A log file here, a digest there."""
    victim = trail.document(trail.digests[-2])["logFiles"][0]["s3Object"]
    trail.put(victim, b"")
    return {victim} | digest_deleted(trail)


CASES: list[Callable[[Trail], set[str]]] = [
    untouched,
    log_changed,
    log_truncated,
    log_deleted,
    log_replaced,
    log_no_gzip,
    log_end_of_gzip_gone,
    all_logs_deleted,
    digest_changed,
    digest_deleted,
    two_digests_deleted,
    newest_digest_deleted,
    digest_emptied,
    digest_no_gzip,
    digest_unsigned,
    digest_with_anothers_signature,
    digests_swapped,
    digest_resigned,
    digest_resigned_in_anothers_name,
    many_things,
]


@pytest.mark.parametrize("tamper", CASES)
def test_both_say_the_same(trail: Trail, tamper: Callable[[Trail], set[str]]) -> None:
    """Whether it is valid, which files are not, and how many were looked into."""
    victims = tamper(trail)
    answer = ours(trail)
    tool, text = theirs(trail)

    assert verdict(answer) == tool, (answer, text)
    assert tool.named == victims
    assert tool.valid == (not victims)
    assert answer["complete"]


def test_a_time_off_is_told_of_by_both(trail: Trail) -> None:
    """And makes nothing invalid; the times are the same."""
    answer = ours(trail, "auditor")
    _, text = theirs(trail)
    told = re.search(r"No log files were delivered by CloudTrail between (\S+) and (\S+)", text)

    assert told, text
    (gap,) = (note for note in answer["notes"] if note["kind"] == "gap")
    assert f"{told[1]} to {told[2]}" in gap["message"]
    assert answer["valid"]
    assert trail.begin < answer["proved_from"] < answer["proved_until"] <= trail.finish


def test_a_range_without_any_digest_proves_nothing(trail: Trail) -> None:
    """The tool finds nothing wrong where it finds nothing; the check says that it proves nothing."""
    for key in trail.digests:
        trail.delete(key)
    tool, text = theirs(trail)
    answer = ours(trail)

    assert tool.valid
    assert "No digests found" in text
    assert (answer["digests"], answer["proved_until"]) == (0, None)
    assert [note["kind"] for note in answer["notes"]] == ["not_yet_proved"]


def test_sessions_that_nobody_announced(trail: Trail) -> None:
    """Whoever assumed a persona behind the service's back is named beside the proof."""
    sessions = ours(trail)["sessions"]
    strangers = [session for session in sessions["unknown"] if session["session_name"] == "ds-stranger"]

    assert len(strangers) == 6
    assert {session["subject"] for session in strangers} == {"sub-of-ds-stranger"}
    assert sessions["assumed"] >= 6
