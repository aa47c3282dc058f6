"""Personas: every session is somebody's own, and nobody signs as anybody else."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.stub import Stubber
from msgspec.structs import replace

from service.aws.clients import s3_client
from service.aws.personas import ActingCredentials, Personas, PersonaSession, acting_as, session_name
from service.domain.access import Grant, Role
from service.errors import Forbidden, Throttled
from service.settings import StorageSettings
from tests.people import APPROVER, COMPLIANCE, DS_FRAUD, DS_FRAUD_2

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

PREFIX = "arn:aws:iam::000000000000:role/smas-"
START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL_SECONDS = 900
FRAUD_DS = Grant(Role.DATA_SCIENTIST, "fraud")


@dataclass
class RecordingSts:
    """An STS that gives out numbered sessions of an hour and remembers what it was asked."""

    now: datetime = START
    asked: list[dict[str, Any]] = field(default_factory=list)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        """Remember and answer."""
        self.asked.append(request)
        number = len(self.asked)
        credentials = {
            "AccessKeyId": f"ASIA{number:016d}",
            "SecretAccessKey": f"secret-{number}",
            "SessionToken": f"token-{number}",
            "Expiration": self.now + timedelta(seconds=request["DurationSeconds"]),
        }
        return {"Credentials": credentials}

    def personas(self, url_seconds: int = URL_SECONDS) -> Personas:
        """Personas over this STS and its clock."""
        return Personas(cast("STSClient", self), PREFIX, url_seconds=url_seconds, clock=lambda: self.now)


def test_a_session_carries_the_persons_name_identity_team_and_token() -> None:
    """What CloudTrail will say of every request, and what the policies rely on."""
    sts = RecordingSts()
    sts.personas().session(DS_FRAUD, FRAUD_DS)
    tags = [{"Key": "jti", "Value": "jti-of-ds-fraud"}, {"Key": "team", "Value": "fraud"}]
    wanted = {
        "RoleArn": f"{PREFIX}data-scientist",
        "RoleSessionName": "ds-fraud",
        "SourceIdentity": "sub-of-ds-fraud",
        "DurationSeconds": 3600,
        "Tags": tags,
    }
    assert sts.asked == [wanted]


def test_a_role_over_all_teams_carries_no_team() -> None:
    """No tag at all: an empty one would be a team of its own."""
    sts = RecordingSts()
    sts.personas().session(COMPLIANCE, COMPLIANCE.grants[0])
    assert sts.asked[0]["RoleArn"] == f"{PREFIX}compliance"
    assert sts.asked[0]["Tags"] == [{"Key": "jti", "Value": "jti-of-compliance"}]


def test_a_session_is_announced_before_it_is_assumed(caplog: pytest.LogCaptureFixture) -> None:
    """Once for each that is asked of STS, refused ones too; what is served from memory needs no line."""

    class Watching(RecordingSts):
        def assume_role(self, **request: Any) -> dict[str, Any]:
            lines.append([vars(line) for line in caplog.records])
            return super().assume_role(**request)

    caplog.set_level("INFO")
    lines: list[list[dict[str, Any]]] = []
    sts = Watching()
    personas = sts.personas()
    for _ in range(3):
        personas.session(DS_FRAUD, FRAUD_DS)
    personas.session(COMPLIANCE, COMPLIANCE.grants[0])
    sts.now += HOUR
    personas.session(DS_FRAUD, FRAUD_DS)

    assert [len(before) for before in lines] == [1, 2, 3]
    told = [tuple(line[name] for name in ("role", "token_id", "subject", "team")) for line in lines[-1]]
    fraud = ("data-scientist", "jti-of-ds-fraud", "sub-of-ds-fraud", "fraud")
    assert told == [fraud, ("compliance", "jti-of-compliance", "sub-of-compliance", None), fraud]
    assert {(line["name"], line["msg"], line["audit"]) for line in lines[-1]} == {
        ("service.audit", "session", "session")
    }


def test_the_worker_announces_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Its own roles are nobody's persona; the watch has one as the verifier has."""
    caplog.set_level("INFO")
    sts = RecordingSts()
    personas = sts.personas()
    personas.verifier("scanning")
    assert personas.watch() is personas.watch()

    assert caplog.records == []
    assert sts.asked[-1] == {
        "RoleArn": f"{PREFIX}watch",
        "RoleSessionName": "watch",
        "SourceIdentity": "smas-verifier",
        "DurationSeconds": 3600,
    }


@pytest.mark.parametrize("role", ["scanning", "tagging"])
def test_the_verifier_acts_in_its_own_name_without_tags(role: str) -> None:
    """Its trust policy lets it tag no session, so it sends no tags, not even an empty list."""
    sts = RecordingSts()
    personas = sts.personas()
    assert personas.verifier(role) is personas.verifier(role)
    wanted = {
        "RoleArn": f"{PREFIX}verifier-{role}",
        "RoleSessionName": f"verifier-{role}",
        "SourceIdentity": "smas-verifier",
        "DurationSeconds": 3600,
    }
    assert sts.asked == [wanted]


@pytest.mark.parametrize("name", ["ab", "a" * 64, "ada@example.com", "A_b+c=d,e.f-g@h"])
def test_a_name_that_aws_accepts_is_the_session_name(name: str) -> None:
    """2-64 letters, digits, underscores and ``+=,.@-``."""
    assert session_name(replace(DS_FRAUD, username=name)) == name


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "a",
        "a" * 65,
        "Zoë",
        "ada lovelace",
        "corp/ada",
        "corp\\ada",
        "ada\n",
        "a:b",
        "a#b",
        "\u0661\u0661",
    ],
)
def test_any_other_name_is_replaced_by_the_subject_never_mangled(name: str | None) -> None:
    """Two names must not become one session name."""
    assert session_name(replace(DS_FRAUD, username=name)) == "sub-of-ds-fraud"


def test_a_session_is_kept_for_its_subject_role_and_team() -> None:
    """The same person asking again, under another token, costs no call; anything else is another session."""
    sts = RecordingSts()
    personas = sts.personas()
    first = personas.session(DS_FRAUD, FRAUD_DS)
    again = personas.session(replace(DS_FRAUD, token_id="another"), Grant(Role.DATA_SCIENTIST, "fraud"))
    assert again is first
    others = [
        personas.session(DS_FRAUD_2, FRAUD_DS),
        personas.session(DS_FRAUD, Grant(Role.DATA_SCIENTIST, "nlp")),
        personas.session(DS_FRAUD, Grant(Role.APPROVER, "fraud")),
        personas.session(DS_FRAUD, Grant(Role.COMPLIANCE, None)),
        # The same name, somebody else: as when a user was deleted and the name given out anew.
        personas.session(replace(DS_FRAUD, subject="another"), FRAUD_DS),
    ]
    assert len({session.credentials.access_key for session in (first, *others)}) == 6
    assert len(sts.asked) == 6


@pytest.mark.parametrize(("url_seconds"), [60, 900, 1800])
def test_no_url_outlives_the_session_that_signed_it(url_seconds: int) -> None:
    """A session is renewed while it still has longer to live than a URL made now."""
    sts = RecordingSts()
    personas = sts.personas(url_seconds)
    for _ in range(200):
        session = personas.session(DS_FRAUD, FRAUD_DS)
        assert session.expires_at >= sts.now + timedelta(seconds=url_seconds)
        sts.now += timedelta(seconds=37)
    hours = 200 * timedelta(seconds=37) / (HOUR - timedelta(seconds=url_seconds + 60))
    assert len(sts.asked) == pytest.approx(hours, abs=1.5)


def test_a_session_is_used_until_a_minute_before_a_url_would_outlive_it() -> None:
    """Neither earlier, which would cost calls, nor later."""
    sts = RecordingSts()
    personas = sts.personas()
    first = personas.session(DS_FRAUD, FRAUD_DS)
    sts.now = START + HOUR - timedelta(seconds=URL_SECONDS + 61)
    assert personas.session(DS_FRAUD, FRAUD_DS) is first
    sts.now += timedelta(seconds=1)
    assert personas.session(DS_FRAUD, FRAUD_DS) is not first


@pytest.mark.parametrize(
    ("code", "status", "meaning"), [("AccessDenied", 403, Forbidden), ("Throttling", 400, Throttled)]
)
def test_what_sts_refuses_is_told_and_not_remembered(
    code: str, status: int, meaning: type[Exception]
) -> None:
    """A refusal is the caller's answer now; the next request asks again."""
    sts = boto3.client("sts", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    personas = Personas(sts, PREFIX, url_seconds=URL_SECONDS, clock=lambda: START)
    with Stubber(sts) as stub:
        stub.add_client_error("assume_role", service_error_code=code, http_status_code=status)
        with pytest.raises(meaning):
            personas.session(APPROVER, APPROVER.grants[0])
        answer = RecordingSts().assume_role(DurationSeconds=3600)
        stub.add_response("assume_role", answer)
        assert personas.session(APPROVER, APPROVER.grants[0]).credentials.token == "token-1"


def test_a_slow_sts_does_not_hold_up_those_who_have_a_session() -> None:
    """Sessions are assumed outside the lock."""
    sts, waiting, go_on = RecordingSts(), threading.Event(), threading.Event()
    personas = sts.personas()
    mine = personas.session(DS_FRAUD, FRAUD_DS)
    quick = sts.assume_role

    def slow(**request: Any) -> dict[str, Any]:
        waiting.set()
        assert go_on.wait(5)
        return quick(**request)

    sts.assume_role = slow  # type: ignore[method-assign]
    other = threading.Thread(target=personas.session, args=(DS_FRAUD_2, FRAUD_DS))
    other.start()
    assert waiting.wait(5)
    found: list[PersonaSession] = []
    me = threading.Thread(target=lambda: found.append(personas.session(DS_FRAUD, FRAUD_DS)))
    me.start()
    me.join(2)
    in_time = list(found)
    go_on.set()
    other.join(5)
    me.join(5)
    assert in_time == [mine]


def test_sessions_are_not_kept_without_end() -> None:
    """Beyond ten thousand, the one longest unused goes; the one in use stays."""
    sts = RecordingSts()
    personas = sts.personas()
    mine = personas.session(DS_FRAUD, FRAUD_DS)
    for number in range(10_000):
        if number % 5_000 == 0:
            assert personas.session(DS_FRAUD, FRAUD_DS) is mine
        personas.session(replace(DS_FRAUD_2, subject=f"sub-{number}"), FRAUD_DS)
    assert personas.session(DS_FRAUD, FRAUD_DS) is mine
    before = len(sts.asked)
    personas.session(replace(DS_FRAUD_2, subject="sub-0"), FRAUD_DS)
    assert len(sts.asked) == before + 1


def session(name: str) -> PersonaSession:
    """A session of somebody."""
    return RecordingSts(asked=[{}] * len(name)).personas().session(replace(DS_FRAUD, username=name), FRAUD_DS)


@pytest.fixture(scope="module")
def s3() -> S3Client:
    """The one client that serves everybody, as the service builds it."""
    settings = StorageSettings("b", "us-east-1", PREFIX, "key")
    return s3_client(settings, ActingCredentials())


def signer(s3: S3Client) -> str:
    """The access key with which the client signs right now."""
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    return url.partition("ASIA")[2][:16]


def key_of(session: PersonaSession) -> str:
    """The session's access key as ``signer`` shows it."""
    return str(session.credentials.access_key).removeprefix("ASIA")


def test_signing_outside_of_any_session_fails(s3: S3Client) -> None:
    """No request ever leaves in the service's own name, before, between or after others' sessions."""
    with pytest.raises(RuntimeError, match="outside of any persona's session"):
        signer(s3)
    with acting_as(session("ada")):
        signer(s3)
    with pytest.raises(RuntimeError, match="outside of any persona's session"):
        signer(s3)


def test_a_session_ends_with_its_block_even_when_that_fails(s3: S3Client) -> None:
    """What an error leaves behind is nobody's session; an outer one is back in force."""
    outer, inner = session("a"), session("bb")
    with acting_as(outer):
        with pytest.raises(KeyError), acting_as(inner):
            raise KeyError
        assert signer(s3) == key_of(outer)
    with pytest.raises(RuntimeError):
        signer(s3)


def test_a_session_does_not_follow_into_other_threads(s3: S3Client) -> None:
    """A thread that forgets to say for whom it acts can do nothing."""
    failures: list[type[BaseException]] = []

    def work() -> None:
        try:
            signer(s3)
        except RuntimeError as error:
            failures.append(type(error))

    with acting_as(session("ada")):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(5)
    assert failures == [RuntimeError]


def test_two_people_at_once_never_mix(s3: S3Client) -> None:
    """Side by side over one client, each request is signed by whom it is made for."""
    sessions = [session("x" * (number + 1)) for number in range(4)]
    together, mixed = threading.Barrier(len(sessions)), []

    def work(mine: PersonaSession) -> None:
        together.wait(5)
        for _ in range(40):
            with acting_as(mine):
                signed = signer(s3)
            if signed != key_of(mine):
                mixed.append((signed, mine))

    threads = [threading.Thread(target=work, args=(each,)) for each in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({each.credentials.access_key for each in sessions}) == 4
    assert mixed == []


def test_a_session_does_not_show_its_credentials() -> None:
    """Printed, as by a traceback with its variables, it says when it ends and nothing else."""
    shown = repr(session("ada"))
    assert [word for word in ("secret", "token", "ASIA") if word in shown] == []


def test_actual_requests_are_signed_in_the_session_too() -> None:
    """Not only URLs: the header a request would carry names the session's key and token."""
    settings = StorageSettings("b", "us-east-1", PREFIX, "key")
    client = s3_client(settings, ActingCredentials())
    sent: list[dict[str, str]] = []

    def stop(request: Any, **_: Any) -> None:
        sent.append({name.lower(): _text(value) for name, value in request.headers.items()})
        raise InterruptedError

    client.meta.events.register("before-send.s3", stop)
    mine = session("ada")
    with pytest.raises(InterruptedError), acting_as(mine):
        client.get_object(Bucket="b", Key="k")
    assert f"Credential={mine.credentials.access_key}/" in sent[0]["authorization"]
    assert sent[0]["x-amz-security-token"] == mine.credentials.token


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
