"""Settings: read once, frozen, and a wrong start names everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.settings import (
    MAX_URL_SECONDS,
    MIN_URL_SECONDS,
    AuditSettings,
    ServiceSettings,
    SettingsError,
    StorageSettings,
    WorkerSettings,
    service_settings,
    worker_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reader = Callable[[Mapping[str, str]], ServiceSettings | WorkerSettings]

STORAGE = {
    "SMAS_BUCKET": "models",
    "AWS_REGION": "eu-central-1",
    "SMAS_ROLE_PREFIX": "arn:aws:iam::000000000000:role/smas-",
    "SMAS_METADATA_KEY_ARN": "arn:aws:kms:eu-central-1:000000000000:key/metadata",
    "SMAS_TRAIL_ARN": "arn:aws:cloudtrail:eu-central-1:000000000000:trail/smas",
    "SMAS_TRAIL_BUCKET": "trail",
    "SMAS_LOG_GROUP": "/aws/lambda/smas",
}
SERVICE = {
    **STORAGE,
    "SMAS_PUBLIC_URL": "https://models.example.test",
    "SMAS_ISSUER": "https://cognito-idp.eu-central-1.amazonaws.com/pool",
    "SMAS_JWKS_URL": "https://cognito-idp.eu-central-1.amazonaws.com/pool/.well-known/jwks.json",
    "SMAS_PEOPLE_CLIENT_ID": "people",
    "SMAS_CLIENT_IDS": "people,machine",
}
WORKER = {**STORAGE, "SMAS_EVENTS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/events"}
REQUIRED = [(service_settings, SERVICE, name) for name in SERVICE] + [
    (worker_settings, WORKER, name) for name in WORKER
]
# Every bounded number: its reader, what that needs, its name, its least and most, its default.
NUMBERS: list[tuple[Reader, dict[str, str], str, int, int, int]] = [
    (service_settings, SERVICE, "SMAS_URL_SECONDS", 60, 1_800, 900),
    (worker_settings, WORKER, "SMAS_URL_SECONDS", 60, 1_800, 900),
    (worker_settings, WORKER, "SMAS_SWEEP_SECONDS", 1, 86_400, 60),
    (worker_settings, WORKER, "SMAS_WORKER_THREADS", 1, 64, 2),
]


def fault(read: Reader, environ: Mapping[str, str]) -> str:
    """What is said about these variables, empty when they are accepted."""
    try:
        read(environ)
    except SettingsError as error:
        return str(error)
    return ""


def test_the_service_reads_its_variables() -> None:
    """Each variable lands where it belongs."""
    local = {
        "AWS_ENDPOINT_URL": "http://localhost:4566/",
        "SMAS_S3_PUBLIC_URL": "http://s3.test",
        "UNRELATED": "x",
    }
    assert service_settings({**SERVICE, **local, "SMAS_URL_SECONDS": "60"}) == ServiceSettings(
        public_url=SERVICE["SMAS_PUBLIC_URL"],
        issuer=SERVICE["SMAS_ISSUER"],
        jwks_url=SERVICE["SMAS_JWKS_URL"],
        people_client_id="people",
        client_ids=frozenset({"people", "machine"}),
        storage=StorageSettings(
            bucket="models",
            region="eu-central-1",
            role_prefix=STORAGE["SMAS_ROLE_PREFIX"],
            metadata_key_arn=STORAGE["SMAS_METADATA_KEY_ARN"],
            aws_endpoint_url="http://localhost:4566",
            s3_public_url="http://s3.test",
            url_seconds=60,
        ),
        audit=AuditSettings(
            trail_arn=STORAGE["SMAS_TRAIL_ARN"],
            trail_bucket="trail",
            trail_prefix="",
            log_group="/aws/lambda/smas",
            people_roles=frozenset(),
        ),
    )


@pytest.mark.parametrize(
    "arn",
    ["smas", "arn:aws:s3:::trail", "arn:aws:cloudtrail:eu-central-1:1:trail/smas", "arn:aws:cloudtrail:x"],
)
def test_what_is_no_trail_is_refused(arn: str) -> None:
    """The account, region and name in it make the keys of the trail's files."""
    with pytest.raises(SettingsError, match="SMAS_TRAIL_ARN must be a trail's ARN"):
        service_settings({**SERVICE, "SMAS_TRAIL_ARN": arn})


@pytest.mark.parametrize(("given", "read"), [("", ""), ("audit", "audit/"), ("/audit/eu/", "audit/eu/")])
def test_a_trails_prefix_ends_in_a_slash(given: str, read: str) -> None:
    """However it was written."""
    assert service_settings({**SERVICE, "SMAS_TRAIL_PREFIX": given}).audit.trail_prefix == read


def test_the_worker_reads_its_variables() -> None:
    """It needs nothing of the tokens, and AWS's own endpoints by default."""
    settings = worker_settings({**WORKER, "SMAS_SWEEP_SECONDS": "5", "SMAS_WORKER_THREADS": "4"})
    assert (settings.events_queue_url, settings.sweep_seconds, settings.threads) == (
        WORKER["SMAS_EVENTS_QUEUE_URL"],
        5,
        4,
    )
    assert (settings.storage.aws_endpoint_url, settings.storage.s3_public_url) == (None, None)


@pytest.mark.parametrize("blank", [None, "", "  ", "\n"], ids=repr)
@pytest.mark.parametrize(("read", "environ", "name"), REQUIRED)
def test_a_missing_variable_is_named(
    read: Reader, environ: dict[str, str], name: str, blank: str | None
) -> None:
    """Absent or blank, it ends the start with its name, and nothing else is complained about."""
    changed = {key: value for key, value in environ.items() if key != name}
    if blank is not None:
        changed[name] = blank
    assert fault(read, changed) == f"{name} is missing"


@pytest.mark.parametrize(("read", "environ"), [(service_settings, SERVICE), (worker_settings, WORKER)])
def test_all_missing_variables_are_named_at_once(read: Reader, environ: dict[str, str]) -> None:
    """Nobody starts ten times to learn ten names."""
    assert sorted(fault(read, {}).split("; ")) == sorted(f"{name} is missing" for name in environ)


def test_missing_and_wrong_variables_are_named_together() -> None:
    """Whatever is wrong, in one sentence."""
    wrong = {**SERVICE, "SMAS_URL_SECONDS": "1", "SMAS_PUBLIC_URL": "models.test", "SMAS_BUCKET": ""}
    said = fault(service_settings, wrong)
    assert [name for name in ("SMAS_URL_SECONDS", "SMAS_PUBLIC_URL", "SMAS_BUCKET") if name not in said] == []


@pytest.mark.parametrize(("read", "environ", "name", "least", "most", "default"), NUMBERS)
def test_a_number_stays_within_its_bounds(
    read: Reader, environ: dict[str, str], name: str, least: int, most: int, default: int
) -> None:
    """Both ends are inside, one more is outside, and without it the default is used."""
    assert [fault(read, {**environ, name: str(number)}) for number in (least, most)] == ["", ""]
    wanted = f"{name} must be a whole number from {least} to {most}, not "
    outside = [str(least - 1), str(most + 1)]
    assert [fault(read, {**environ, name: number}) for number in outside] == [
        f"{wanted}{n!r}" for n in outside
    ]
    assert read(environ) == read({**environ, name: str(default)}) == read({**environ, name: " "})


@pytest.mark.parametrize(
    "text", ["-900", "9e2", "900.0", "0x384", "ninety", "9_00", "\u0669\u0660\u0660", "9" * 5000, "+900"]
)
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    """No other way to write numbers, and no crash over one with thousands of digits."""
    assert fault(service_settings, {**SERVICE, "SMAS_URL_SECONDS": text}).startswith(
        "SMAS_URL_SECONDS must be"
    )


def test_a_url_never_outlives_half_a_session() -> None:
    """A session of an hour must be of use after it was made, and a client needs time to follow a URL."""
    assert (MIN_URL_SECONDS, MAX_URL_SECONDS) == (60, 1_800)


@pytest.mark.parametrize(
    "name", ["SMAS_PUBLIC_URL", "SMAS_JWKS_URL", "AWS_ENDPOINT_URL", "SMAS_S3_PUBLIC_URL"]
)
@pytest.mark.parametrize(
    "text", ["models.test", "ftp://models.test", "//models.test", "/", "http:", "https://", "///"]
)
def test_what_is_no_address_is_refused(name: str, text: str) -> None:
    """An address names its scheme and a host; slashes alone are not 'no address'."""
    wanted = f"{name} must start with http:// or https://, not {text!r}"
    assert fault(service_settings, {**SERVICE, name: text}) == wanted


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_the_slash_at_the_end_of_an_address_does_not_matter(ending: str) -> None:
    """Paths are put behind it, and never after two slashes."""
    settings = service_settings({**SERVICE, "SMAS_PUBLIC_URL": f"https://models.test{ending}"})
    assert settings.public_url == "https://models.test"


def test_the_issuer_is_taken_to_the_letter() -> None:
    """It is compared exactly with what tokens say, so nothing is cut off but white space around it."""
    settings = service_settings({**SERVICE, "SMAS_ISSUER": " https://issuer.test/ "})
    assert settings.issuer == "https://issuer.test/"


def test_clients_are_separated_by_commas() -> None:
    """White space and empty places between them do not count."""
    settings = service_settings({**SERVICE, "SMAS_CLIENT_IDS": " people , machine,,"})
    assert settings.client_ids == {"people", "machine"}


def test_roles_that_people_come_from_are_separated_by_commas() -> None:
    """For both processes: both judge sessions. With their paths, as IAM has them."""
    arns = "arn:aws:iam::111122223333:role/ml, arn:aws:iam::111122223333:role/aws-reserved/sso/x_y-1,"
    wanted = frozenset(arn.strip() for arn in arns.split(",")) - {""}
    assert service_settings({**SERVICE, "SMAS_PEOPLE_ROLES": arns}).audit.people_roles == wanted
    assert worker_settings({**WORKER, "SMAS_PEOPLE_ROLES": arns}).audit.people_roles == wanted


@pytest.mark.parametrize(
    "arn",
    [
        "ml",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::1:role/ml",
        "*",
    ],
)
def test_what_is_no_role_is_refused(arn: str) -> None:
    """A role that cannot be would leave its people unknown."""
    assert fault(service_settings, {**SERVICE, "SMAS_PEOPLE_ROLES": f"{arn},"}) == (
        f"SMAS_PEOPLE_ROLES must hold ARNs of IAM roles separated by commas, not {arn!r}"
    )


def test_a_list_of_no_client_is_refused() -> None:
    """The service would start, and refuse everybody."""
    wanted = "SMAS_CLIENT_IDS must hold names separated by commas, not ', ,'"
    assert fault(service_settings, {**SERVICE, "SMAS_CLIENT_IDS": ", ,"}) == wanted


def test_settings_are_frozen() -> None:
    """What was checked at the start stays as it was."""
    settings = service_settings(SERVICE)
    with pytest.raises(AttributeError):
        settings.issuer = "https://evil.test"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        settings.storage.bucket = "other"  # type: ignore[misc]
