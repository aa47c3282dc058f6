"""Each thing that is missing or wrong is one clear sentence, with what to do next."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from deployment.account import Account, concurrency, explain, require_engine, require_terraform, sign_in
from deployment.configuration import Configuration
from deployment.errors import DeploymentError
from deployment.terraform import Terraform
from tests.deployment.fake_aws import FakeAws
from tests.deployment.site import site

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_aws import LocalStack

    Programs = Callable[[str, str], dict[str, str]]

ERROR = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>%s</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>"""


def configuration(account: str | None = None, region: str = "eu-central-1") -> Configuration:
    """A store."""
    return Configuration(
        infra=Path("infra"),
        files=(Path("infra/small.tfvars"),),
        variables={},
        region=region,
        name="smas",
        account=account,
        reserved_concurrency={},
    )


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials and no settings of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")


def somebody(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Credentials, and an AWS to show them to."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)


def test_terraform_must_be_as_new_as_the_configuration_demands(programs: Programs, tmp_path: Path) -> None:
    """The version is the one of versions.tf."""
    (tmp_path / "versions.tf").write_text(
        'terraform {\n  required_version = ">= 1.11"\n}\n', encoding="utf-8"
    )
    old = programs("terraform", """echo '{"terraform_version": "1.9.8"}'""")
    with pytest.raises(
        DeploymentError, match=r"terraform is 1\.9\.8, and 1\.11 or later is needed: https://"
    ):
        require_terraform(Terraform(tmp_path, old))
    new = programs("terraform", """echo '{"terraform_version": "1.11.0-rc1"}'""")
    require_terraform(Terraform(tmp_path, new))


def test_a_folder_without_a_configuration_is_told(tmp_path: Path) -> None:
    """As where --infra names another one."""
    with pytest.raises(DeploymentError, match=r"There is no configuration in .*--infra"):
        require_terraform(Terraform(tmp_path, os.environ))


def test_an_engine_must_answer(programs: Programs, tmp_path: Path) -> None:
    """And there is another way: an image that is pushed already."""
    with pytest.raises(DeploymentError, match=r"no docker on the path: .*IMAGE="):
        require_engine({"PATH": str(tmp_path)})
    silent = programs("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(DeploymentError, match=r"docker says: Cannot connect.*IMAGE="):
        require_engine(silent)
    require_engine(programs("docker", "echo 28.0"))


def test_without_credentials_it_says_how_to_get_some() -> None:
    """Nothing was asked of AWS."""
    with pytest.raises(DeploymentError, match=r"There are no AWS credentials here: aws sso login"):
        sign_in(configuration(), os.environ)


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that lists those that are."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(DeploymentError, match=r"nobody.* aws configure list-profiles"):
        sign_in(configuration(), os.environ)


def test_half_of_a_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it happens when one of two lines was copied."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    with pytest.raises(DeploymentError, match="not whole"):
        sign_in(configuration(), os.environ)


def test_a_region_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a name that no resolver knows is asked for."""
    somebody(monkeypatch, "http://127.0.0.1:1")
    with pytest.raises(DeploymentError, match="AWS has no region eu-west-9"):
        sign_in(configuration(region="eu-west-9"), os.environ)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (b"ExpiredToken", "have expired: aws sso login --profile work"),
        (b"InvalidClientTokenId", "the account has this region off"),
        (b"SignatureDoesNotMatch", "does not take these credentials in eu-central-1"),
        (b"SomethingElse", "does not say whose credentials these are"),
    ],
)
def test_what_aws_says_of_credentials_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, code: bytes, sentence: str
) -> None:
    """AWS's words, as they come over the wire."""
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("[profile work]\n", encoding="utf-8")
    with site(lambda *_: (403, ERROR % code)) as address:
        somebody(monkeypatch, address)
        with pytest.raises(DeploymentError, match=sentence):
            sign_in(configuration(), {"AWS_PROFILE": "work"})


@pytest.mark.enable_socket
def test_an_aws_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a proxy that nobody named."""
    somebody(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(DeploymentError, match=r"AWS cannot be reached from here, .*HTTPS_PROXY.*127"):
        sign_in(configuration(), os.environ)


def test_the_account_must_be_the_one_that_the_store_belongs_to(
    monkeypatch: pytest.MonkeyPatch, local_aws: LocalStack
) -> None:
    """Whose credentials they are is AWS's to say."""
    somebody(monkeypatch, local_aws.endpoint)
    account = sign_in(configuration(), os.environ)
    assert account.id == "000000000000"
    assert sign_in(configuration("000000000000"), os.environ).arn == account.arn
    with pytest.raises(
        DeploymentError, match=r"of account 000000000000 .* belongs to 111122223333, .*AWS_PROFILE"
    ):
        sign_in(configuration("111122223333"), os.environ)


@dataclass(frozen=True)
class SomeAccount(Account):
    """An account whose Lambda answers what a test wants."""

    limit: int = field(kw_only=True)
    reserved: int = field(kw_only=True)

    def client(self, service: str, region: str | None = None) -> Any:
        """Lambda, in memory."""
        limits = {
            "ConcurrentExecutions": self.limit,
            "UnreservedConcurrentExecutions": self.limit - self.reserved,
        }
        functions = {"smas-api": self.reserved} if self.reserved else {}

        def function(asked: dict[str, Any]) -> dict[str, Any]:
            found = functions.get(asked["FunctionName"])
            return {} if found is None else {"ReservedConcurrentExecutions": found}

        operations = {
            "GetAccountSettings": lambda _: {"AccountLimit": limits},
            "GetFunctionConcurrency": function,
        }
        return FakeAws(operations).client(service, region)


def account_of(limit: int, reserved: int = 0) -> SomeAccount:
    """One that runs so many functions at once, of which the store has reserved some."""
    return SomeAccount("111122223333", "arn", boto3.session.Session(), limit=limit, reserved=reserved)


def test_a_new_accounts_limit_is_told_before_the_first_function_is_made() -> None:
    """With the command that raises it, and to what at least."""
    store = replace(configuration(), reserved_concurrency={"smas-api": 20, "smas-verifier": 6})
    with pytest.raises(
        DeploymentError, match=r"at most 10 functions at once .*reserves 26.* Ask for 126 or more"
    ):
        concurrency(account_of(10), store)
    with pytest.raises(DeploymentError, match="Ask for 126 or more"):
        concurrency(account_of(125), store)
    assert concurrency(account_of(126), store) == "functions at once: the store reserves 26 of 126"


def test_the_limit_that_is_asked_for_is_enough() -> None:
    """A thousand is what everybody asks for, and a store that reserves more asks for more."""
    small = replace(configuration(), reserved_concurrency={"smas-api": 20})
    with pytest.raises(DeploymentError, match=r"--desired-value 1000\."):
        concurrency(account_of(10), small)
    with pytest.raises(DeploymentError, match=r"Ask for 1300 or more.*--desired-value 1300\."):
        concurrency(account_of(10), replace(small, reserved_concurrency={"smas-api": 1200}))


def test_what_the_store_has_reserved_already_is_not_counted_twice() -> None:
    """A second deployment needs no more room than the first."""
    store = replace(configuration(), reserved_concurrency={"smas-api": 20})
    assert concurrency(account_of(120, reserved=20), store)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ExpiredToken", "have expired: sign in again .*, and run the same command again"),
        ("AccessDenied", r"GetRole with AccessDenied \(not you\): take a role that may, and run the same"),
        ("ServiceFailure", r"GetRole with ServiceFailure \(not you\): put right what it says"),
    ],
)
def test_what_aws_says_in_the_middle_of_something_is_one_sentence(code: str, sentence: str) -> None:
    """Credentials may end during an apply of ten minutes."""
    said = explain(ClientError({"Error": {"Code": code, "Message": "not you"}}, "GetRole"))
    assert re.search(sentence, said)
    assert "\n" not in said
    assert "cannot be reached" in explain(ReadTimeoutError(endpoint_url="https://iam.amazonaws.com"))
