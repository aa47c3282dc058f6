"""The files of the state directory."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import botocore.session
import pytest
from smas_emulator import state
from smas_emulator.provision import Provisioned
from smas_emulator.roles import AccessKey
from smas_emulator.user_pool import UserPool

if TYPE_CHECKING:
    from pathlib import Path

MADE = Provisioned(
    endpoint="http://localhost:4566",
    bytes_key_arn="arn:aws:kms:us-east-1:000000000000:key/bytes",
    metadata_key_arn="arn:aws:kms:us-east-1:000000000000:key/metadata",
    logs_key_arn="arn:aws:kms:us-east-1:000000000000:key/logs",
    events_queue_url="http://localhost:4566/000000000000/smas-events",
    dead_letter_queue_url="http://localhost:4566/000000000000/smas-events-dead",
    access_key=AccessKey(id="LKIAEXAMPLE", secret="the/secret+key"),
    pool=UserPool(
        id="us-east-1_abc",
        people_client_id="people",
        machine_client_id="machine",
        machine_client_secret="hush",
    ),
)


@pytest.fixture
def written(tmp_path: Path) -> state.StateDirectory:
    """A state directory as a start leaves it."""
    directory = state.StateDirectory(tmp_path / "state")
    directory.create()
    state.write_settings(directory, MADE, "http://localhost:8080")
    return directory


def test_service_env_holds_exactly_what_the_service_reads(written: state.StateDirectory) -> None:
    """`service.env` has the agreed names, no more and no fewer, and reads back as written."""
    assert state.read_env_file(written.service_env) == {
        "SMAS_BUCKET": "smas-models",
        "SMAS_PUBLIC_URL": "http://localhost:8080",
        "SMAS_ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
        "SMAS_JWKS_URL": "http://localhost:4566/us-east-1_abc/.well-known/jwks.json",
        "SMAS_PEOPLE_CLIENT_ID": "people",
        "SMAS_CLIENT_IDS": "people,machine",
        "SMAS_ROLE_PREFIX": "arn:aws:iam::000000000000:role/smas-",
        "SMAS_METADATA_KEY_ARN": "arn:aws:kms:us-east-1:000000000000:key/metadata",
        "SMAS_TRAIL_ARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/smas",
        "SMAS_TRAIL_BUCKET": "smas-trail",
        "SMAS_LOG_GROUP": "/smas/service",
        "SMAS_EVENTS_QUEUE_URL": "http://localhost:4566/000000000000/smas-events",
        "SMAS_S3_PUBLIC_URL": "http://localhost:4566",
        "AWS_ENDPOINT_URL": "http://localhost:4566",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(written.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(written.aws_credentials),
    }


def test_secrets_are_for_the_owner_alone(written: state.StateDirectory) -> None:
    """Nobody else on the machine can read a file that holds a key or a secret."""
    files = [written.service_env, written.stack_json, written.aws_config, written.aws_credentials]

    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_boto3_understands_the_profiles(
    written: state.StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 reads each profile as a role assumed with the key of the local IAM user."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(written.aws_config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(written.aws_credentials))

    profiles = botocore.session.Session().full_config["profiles"]

    for name in ("service", "worker", "shipper"):
        assert profiles[f"smas-{name}"] == {
            "role_arn": f"arn:aws:iam::000000000000:role/smas-{name}",
            "source_profile": "smas-local",
            "role_session_name": f"smas-{name}",
            "region": "us-east-1",
        }
    assert profiles["smas-local"]["aws_access_key_id"] == "LKIAEXAMPLE"


def test_an_earlier_key_is_found_again(written: state.StateDirectory) -> None:
    """A second start keeps the key that running processes hold."""
    assert state.read_access_key(written) == MADE.access_key


def test_before_the_first_start_there_is_no_key(tmp_path: Path) -> None:
    """A fresh state directory has no key, and that is no error."""
    assert state.read_access_key(state.StateDirectory(tmp_path)) is None


@pytest.mark.parametrize("value", ["", "two words", "a'b", "$HOME", "`id`", "a\nb", "x;y"])
def test_a_value_that_a_shell_would_take_apart_is_refused(value: str) -> None:
    """The file means the same to our reader, to Compose and to a shell."""
    with pytest.raises(ValueError, match="SMAS_X"):
        state.env_file({"SMAS_X": value})


def test_a_failed_write_leaves_the_old_file(written: state.StateDirectory) -> None:
    """A reader never meets half a file: a write that fails changes nothing and leaves nothing behind."""
    before = written.stack_json.read_text(encoding="utf-8")

    with pytest.raises(UnicodeEncodeError):
        state.write_private(written.stack_json, "\ud800")

    assert written.stack_json.read_text(encoding="utf-8") == before
    assert sorted(path.name for path in written.root.iterdir() if path.is_file()) == [
        "service.env",
        "stack.json",
    ]


def test_stack_json_names_what_a_client_needs(written: state.StateDirectory) -> None:
    """Tests and demos find addresses, clients and the machine's secret in one place."""
    stack = json.loads(written.stack_json.read_text(encoding="utf-8"))

    assert stack["token_url"] == "http://localhost:4566/oauth2/token"
    assert (stack["machine_client_id"], stack["machine_client_secret"]) == ("machine", "hush")
    assert "ds-fraud" in stack["users"]


def test_secrets_do_not_show_in_a_traceback() -> None:
    """What is logged or printed of these objects holds no secret."""
    assert "the/secret+key" not in repr(MADE)
    assert "hush" not in repr(MADE)
