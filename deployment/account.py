"""Whose account, and whether what is needed is there: looked at before anything is changed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own, of which its refusals to connect are
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from deployment import programs
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployment.configuration import Configuration
    from deployment.terraform import Terraform

_ENGINE_SECONDS: Final = 10.0
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN: Final = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"})
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "403"})
# Lambda keeps this much of an account for functions that reserve nothing:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_UNRESERVED: Final = 100
_QUOTA: Final = "L-B99A9384"
# What to ask for, unless the store needs more still.
_ENOUGH: Final = 1000
# An answer is for somebody who waits.
_PATIENCE: Final = Config(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
)


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the credentials are of, and the session that asks AWS in their name."""

    id: str
    arn: str
    session: boto3.session.Session

    def client(self, service: str, region: str | None = None) -> Any:
        """A client in the store's region, or another."""
        make: Any = self.session.client
        return make(service, region_name=region, config=_PATIENCE)


def require_terraform(terraform: Terraform) -> None:
    """Raise unless Terraform is as new as `infra/versions.tf` demands."""
    versions = terraform.folder / "versions.tf"
    if not versions.is_file():
        message = (
            f"There is no configuration in {terraform.folder} (no versions.tf): name its folder (--infra)."
        )
        raise DeploymentError(message)
    text = versions.read_text(encoding="utf-8")
    wanted = re.search(r'required_version\s*=\s*">=\s*([0-9.]+)"', text)
    if wanted is None:
        message = f"{versions} says no required_version: take the one of this repository."
        raise DeploymentError(message)
    found = terraform.version()
    if found < tuple(int(part) for part in wanted[1].split(".")):
        message = (
            f"terraform is {'.'.join(map(str, found))}, and {wanted[1]} or later is needed: "
            "https://developer.hashicorp.com/terraform/install"
        )
        raise DeploymentError(message)


def require_engine(environment: Mapping[str, str]) -> None:
    """Raise unless a container engine answers: it builds the image and pushes it."""
    programs.require(
        "docker", environment, "install Docker, or name an image that is pushed already (IMAGE=…)"
    )
    answer = programs.ask(
        ["docker", "version", "--format", "{{.Server.Version}}"], environment, seconds=_ENGINE_SECONDS
    )
    if answer.code != 0:
        message = (
            f"No container engine answers (docker says: {answer.last_words}): start it, or name an image "
            "that is pushed already (IMAGE=…)."
        )
        raise DeploymentError(message)


def sign_in(configuration: Configuration, environment: Mapping[str, str]) -> Account:
    """The account of the credentials there are; raise unless it is the one that the store belongs to."""
    profile = environment.get("AWS_PROFILE")
    try:
        session = boto3.session.Session(region_name=configuration.region)
        _require_region(session, configuration.region)
        caller = session.client("sts", config=_PATIENCE).get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise DeploymentError(_refusal(error, configuration.region, profile)) from error
    account = Account(id=caller["Account"], arn=caller["Arn"], session=session)
    if configuration.account not in {None, account.id}:
        message = (
            f"These credentials are of account {account.id} ({account.arn}), and the store belongs to "
            f"{configuration.account}, as its variable `account` says: take others, as AWS_PROFILE=…"
        )
        raise DeploymentError(message)
    return account


def concurrency(account: Account, configuration: Configuration) -> str:
    """How many functions may run at once, as a sentence; raise where the store's reserve has no room."""
    aws = account.client("lambda")
    try:
        limits = aws.get_account_settings()["AccountLimit"]
        held = sum(_reserved(aws, function) for function in configuration.reserved_concurrency)
    except ClientError as error:
        return f"not looked at: how many functions may run at once ({error.response['Error']['Code']})"
    wanted = sum(configuration.reserved_concurrency.values())
    most, left = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"] + held - wanted
    if left < _UNRESERVED:
        least = most + _UNRESERVED - left
        message = (
            f"This account runs at most {most} functions at once in {configuration.region}; the store "
            f"reserves {wanted}, and Lambda wants {_UNRESERVED} to stay unreserved. Ask for "
            f"{least} or more, which costs nothing: aws service-quotas "
            f"request-service-quota-increase --region {configuration.region} --service-code lambda "
            f"--quota-code {_QUOTA} --desired-value {max(least, _ENOUGH)}. Or lower `capacity`."
        )
        raise DeploymentError(message)
    return f"functions at once: the store reserves {wanted} of {most}"


def _reserved(aws: Any, function: str) -> int:
    try:
        return int(aws.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions", 0))
    except aws.exceptions.ResourceNotFoundException:
        return 0


def _require_region(session: boto3.session.Session, region: str) -> None:
    known = {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("s3", partition_name=partition)
    }
    if region not in known:
        message = f"AWS has no region {region}; say another with REGION=… or `region` in the variables."
        raise DeploymentError(message)


def explain(error: ClientError | BotoCoreError) -> str:
    """What to tell of an error that no command expects, at whatever point it came."""
    profile = os.environ.get("AWS_PROFILE")
    if not isinstance(error, ClientError):
        return _unanswered(error, profile)
    said = error.response["Error"]
    if said["Code"] in _EXPIRED:
        return f"The AWS credentials have expired: {_again(profile)}, and run the same command again."
    remedy = "take a role that may" if said["Code"] in _DENIED else "put right what it says"
    words = f" ({said['Message']})" if said.get("Message") else ""
    return (
        f"AWS answered {error.operation_name} with {said['Code']}{words}: {remedy}, and run the same command "
        "again."
    )


def _refusal(error: ClientError | BotoCoreError, region: str, profile: str | None) -> str:
    if isinstance(error, ClientError):
        return _answered(error.response["Error"], region, profile)
    return _unanswered(error, profile)


def _unanswered(error: BotoCoreError, profile: str | None) -> str:
    sentences: dict[type[BotoCoreError] | tuple[type[BotoCoreError], ...], str] = {
        ProfileNotFound: f"{error}: aws configure list-profiles names those there are.",
        NoCredentialsError: "There are no AWS credentials here: aws sso login, and AWS_PROFILE names whose.",
        PartialCredentialsError: f"The AWS credentials are not whole: {error}. Set both parts of the key.",
        (SSOError, TokenRetrievalError): f"The AWS sign-in has ended: {_again(profile)}.",
        CredentialRetrievalError: f"The program that gives AWS credentials failed, so run it alone: {error}",
        (ConnectionError, HTTPClientError): (
            f"AWS cannot be reached from here, so look at the network (HTTPS_PROXY names a proxy): {error}"
        ),
    }
    told = (sentence for kinds, sentence in sentences.items() if isinstance(error, kinds))
    return next(told, f"AWS cannot be asked: {error}")


def _answered(error: Mapping[str, Any], region: str, profile: str | None) -> str:
    code = error["Code"]
    if code in _EXPIRED:
        return f"The AWS credentials have expired: {_again(profile)}."
    if code in _UNKNOWN:
        return (
            f"AWS does not take these credentials in {region} ({code}): they are nobody's, or the account "
            "has this region off. aws sts get-caller-identity --region us-east-1 tells which; aws account "
            f"enable-region --region-name {region} turns it on."
        )
    return f"AWS does not say whose credentials these are ({code}: {error.get('Message', '')})."


def _again(profile: str | None) -> str:
    return f"aws sso login --profile {profile}" if profile else "sign in again (aws sso login, or new keys)"
