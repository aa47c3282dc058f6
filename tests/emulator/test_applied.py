"""What service and worker read over an AWS that Terraform provisioned: its outputs, and where things are."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import botocore.session
from smas_emulator import applied, state
from smas_emulator.applied import Applied

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
OUTPUTS: dict[str, Any] = {
    "service_settings": {
        "AWS_REGION": "us-east-1",
        "SMAS_BUCKET": "smas-models-000000000000-us-east-1",
        "SMAS_ROLE_PREFIX": "arn:aws:iam::000000000000:role/smas-",
        "SMAS_PUBLIC_URL": "https://abc.execute-api.us-east-1.amazonaws.com",
        "SMAS_ISSUER": ISSUER,
        "SMAS_JWKS_URL": f"{ISSUER}/.well-known/jwks.json",
        "SMAS_TRAIL_PREFIX": "",
    },
    "worker_settings": {
        "AWS_REGION": "us-east-1",
        "SMAS_EVENTS_QUEUE_URL": "http://localhost:1/000000000000/smas-events",
    },
    "user_pool_id": "us-east-1_abc",
}
APPLIED = Applied(OUTPUTS, "http://localhost:1")


def test_the_service_reads_what_terraform_says_but_for_addresses() -> None:
    """The issuer stays AWS's, as in tokens; its keys, AWS and the service are where they answer here."""
    assert APPLIED.settings("service", "http://localhost:2") == {
        "AWS_REGION": "us-east-1",
        "SMAS_BUCKET": "smas-models-000000000000-us-east-1",
        "SMAS_ROLE_PREFIX": "arn:aws:iam::000000000000:role/smas-",
        "SMAS_PUBLIC_URL": "http://localhost:2",
        "SMAS_ISSUER": ISSUER,
        "SMAS_JWKS_URL": "http://localhost:1/us-east-1_abc/.well-known/jwks.json",
        "AWS_ENDPOINT_URL": "http://localhost:1",
    }


def test_the_worker_reads_its_own_settings_alone() -> None:
    """What Terraform gives only to the service does not reach it."""
    assert APPLIED.settings("worker", "http://localhost:2") == {
        **OUTPUTS["worker_settings"],
        "AWS_ENDPOINT_URL": "http://localhost:1",
    }


def test_a_state_directory_without_outputs_provisions_for_itself(tmp_path: Path) -> None:
    """They are what tells the two kinds apart."""
    directory = state.StateDirectory(tmp_path)
    assert applied.read_outputs(directory) is None

    directory.outputs.write_text(json.dumps(OUTPUTS), encoding="utf-8")

    assert applied.read_outputs(directory) == OUTPUTS


def test_boto3_takes_the_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each program has one, whose keys a command gives; there is no long-lived key."""
    directory = state.StateDirectory(tmp_path / "a folder")
    directory.create()
    directory.aws_config.write_text(applied.function_profiles(directory, APPLIED), encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(directory.aws_config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(directory.aws_credentials))

    session = botocore.session.Session()

    assert session.available_profiles == ["smas-service", "smas-worker"]
    profile = session.full_config["profiles"]["smas-worker"]
    assert set(profile) == {"credential_process", "region"}
    *_, endpoint, role, token = shlex.split(profile["credential_process"])
    assert (endpoint, role, token) == (
        "http://localhost:1",
        "smas-worker",
        str(directory.functions_token),
    )
