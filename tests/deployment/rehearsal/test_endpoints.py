"""Where a rehearsal's programs find AWS: at the emulators, and nowhere else."""

from __future__ import annotations

import boto3
import pytest

from deployment.rehearsal.endpoints import MINISTACK, Endpoints, override

ENDPOINTS = Endpoints("http://localhost:1", "http://localhost:2")
# Somebody who rehearses while they are signed in to a real account.
DEVELOPER = {
    "PATH": "/bin",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_S3": "https://s3.example",
    "TF_VAR_region": "eu-west-1",
    "TF_CLI_ARGS_apply": "-var=name=real",
    "SMAS_BUCKET": "real",
    "HTTPS_PROXY": "http://proxy.example",
}


@pytest.mark.parametrize(
    ("service", "endpoint"),
    [
        ("s3", ENDPOINTS.ours),
        ("cognito-idp", ENDPOINTS.ours),
        ("cloudtrail", ENDPOINTS.ours),
        ("organizations", ENDPOINTS.ours),
        ("lambda", ENDPOINTS.ministack),
        ("apigatewayv2", ENDPOINTS.ministack),
        ("ecr", ENDPOINTS.ministack),
    ],
)
def test_every_service_is_at_an_emulator(
    service: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 reads the environment as meant; a service that nobody thought of is ours, not AWS's."""
    for name, value in ENDPOINTS.environment({}, "us-east-1").items():
        monkeypatch.setenv(name, value)

    client = boto3.Session().client(service)  # type: ignore[call-overload]

    assert client.meta.endpoint_url == endpoint == ENDPOINTS.of(service)
    assert client.meta.region_name == "us-east-1"


def test_nothing_of_a_real_account_gets_in() -> None:
    """No profile, no session, no endpoint and no variable of whoever runs it."""
    environment = ENDPOINTS.environment(DEVELOPER, "us-east-1")

    assert environment["PATH"] == "/bin"
    assert "real" not in " ".join(environment.values())
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"}.isdisjoint(environment)
    assert environment["NO_PROXY"] == environment["no_proxy"] == "localhost,127.0.0.1"


def test_services_are_named_as_their_variables_are() -> None:
    """As https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html has them."""
    assert {
        name for name in MINISTACK if not name.replace("_", "").isalnum() or name != name.lower()
    } == set()


def test_the_override_says_how_addresses_are_formed_and_nothing_else() -> None:
    """Each provider, with its alias, and the backend; no resource, no variable, no credentials."""
    text = override(("replica",))

    assert [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")] == [
        "terraform {",
        'backend "s3" {',
        "use_path_style = true",
        "}",
        "}",
        'provider "aws" {',
        "s3_use_path_style = true",
        "}",
        'provider "aws" {',
        'alias = "replica"',
        "s3_use_path_style = true",
        "}",
    ]
