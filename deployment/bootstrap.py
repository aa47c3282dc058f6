"""What must be there before the store: the bucket of Terraform's state, and the repository of the image."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deployment import programs
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployment.account import Account
    from deployment.configuration import Configuration

_NOT_THERE = frozenset(
    {"404", "NoSuchBucket", "NoSuchKey", "NotFoundException", "RepositoryNotFoundException"}
)


def state_bucket(configuration: Configuration, account: Account) -> str:
    """The name of the state's bucket (infra/bootstrap/main.tf)."""
    return f"{configuration.name}-state-{account.id}-{configuration.region}"


def backend(configuration: Configuration, account: Account) -> dict[str, str] | None:
    """Where the store's state is, as `terraform init` takes it; None where there is no bucket for it yet."""
    bucket = state_bucket(configuration, account)
    try:
        # The bootstrap's own state is moved there at its end: then all of it is there.
        account.client("s3").head_object(Bucket=bucket, Key="bootstrap.tfstate")
        alias = f"alias/{configuration.name}-state"
        key = account.client("kms").describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _NOT_THERE:
            return None
        message = f"{bucket} cannot be read ({code}): whoever deploys must read and write the state."
        raise DeploymentError(message) from error
    return {
        "bucket": bucket,
        "key": "store.tfstate",
        "region": configuration.region,
        "encrypt": "true",
        "kms_key_id": key,
        "use_lockfile": "true",
    }


def make(
    configuration: Configuration, environment: Mapping[str, str], plugins: Path | None, *, approved: bool
) -> None:
    """Run `infra/bootstrap/bootstrap.sh`, which shows a plan and asks, unless it is `approved` already."""
    programs.require(
        "aws", environment, "https://docs.aws.amazon.com/cli/ (the bootstrap of the state needs it)"
    )
    settings = dict(environment)
    if approved:
        settings["TF_CLI_ARGS_apply"] = "-auto-approve"
    if plugins is not None:
        settings["TF_CLI_ARGS_init"] = f"-plugin-dir={plugins}"
    script = configuration.infra / "bootstrap" / "bootstrap.sh"
    command = [os.fspath(script), configuration.region, configuration.name]
    code = programs.show(command, settings, asks=not approved)
    if code != 0:
        message = f"{script} failed, and says above why; it can be repeated at any point."
        raise DeploymentError(message)
