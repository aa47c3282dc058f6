"""Which emulator answers for which service of AWS, and how Terraform and every other program is told.

By the environment, which the provider, the backend, boto3 and the AWS CLI read alike
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html). Whatever is not MiniStack's goes
to our own local AWS, so that nothing can reach the real one. What the environment cannot say is the one thing
in an override file: https://developer.hashicorp.com/terraform/language/files/override
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# What our own local AWS lacks, by boto3's names for services, as they are in variables. All else is ours: it
# decides every call by IAM and records it in CloudTrail.
MINISTACK: Final = (
    "apigatewayv2",
    "athena",
    "ec2",
    "ecr",
    "glue",
    "lambda",
)
# Before every other override file, which may then say more: `bootstrap.sh` writes one with another backend.
OVERRIDE: Final = "addresses_override.tf"
# They protect nothing: both emulators listen on this machine only and hold what was put into them.
ACCESS_KEY: Final = "test"
SECRET_KEY: Final = "test"  # noqa: S105
_LOCAL_NAMES: Final = "localhost,127.0.0.1"
# Whoever rehearses may be signed in to a real account, and configured for it.
_FOREIGN: Final = ("AWS_", "TF_VAR_", "TF_CLI_ARGS", "SMAS_", "MAKE")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the two emulators answer."""

    ours: str
    ministack: str

    def of(self, service: str) -> str:
        """Where a service is, by boto3's name for it."""
        name = service.replace("-", "_")
        return self.ministack if name in MINISTACK else self.ours

    def environment(self, inherited: Mapping[str, str], region: str) -> dict[str, str]:
        """The environment of a program that is to know this AWS and no other."""
        kept = {name: value for name, value in inherited.items() if not name.startswith(_FOREIGN)}
        services = {f"AWS_ENDPOINT_URL_{name.upper()}": self.ministack for name in MINISTACK}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.ours,
            **services,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            # No proxy stands before a server on this machine.
            "NO_PROXY": _LOCAL_NAMES,
            "no_proxy": _LOCAL_NAMES,
        }


def override(aliases: tuple[str, ...] = ()) -> str:
    """The text of the override file: names of buckets stand in paths, since in hosts they would need DNS."""
    path_style = "  s3_use_path_style = true"
    providers = [f'provider "aws" {{\n{path_style}\n}}']
    providers += [f'provider "aws" {{\n  alias = "{alias}"\n\n{path_style}\n}}' for alias in aliases]
    backend = 'terraform {\n  backend "s3" {\n    use_path_style = true\n  }\n}'
    return "\n\n".join(["# Written by the rehearsal: how addresses are formed.", backend, *providers]) + "\n"
