"""`failover`: what lets the store in a second region take over the copy, and not make everything anew."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from deployment import options
from deployment.errors import DeploymentError
from deployment.holdings import check, read_holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deployment.account import Account
    from deployment.configuration import Configuration

FILE: Final = "failover_imports.tf"
PERSONAS: Final = ("approver", "auditor", "compliance", "custodian", "data-scientist", "deployer")
# IAM knows no regions, so these are there: by their addresses in infra/, with the ends of their names.
ROLES: Final = {
    "aws_iam_role.service": "service",
    "aws_iam_role.worker": "worker",
    "aws_iam_role.token_groups": "token-groups",
    "aws_iam_role.verifier_scanning": "verifier-scanning",
    "aws_iam_role.verifier_tagging": "verifier-tagging",
    "aws_iam_role.watch": "watch",
    **{f'aws_iam_role.persona["{persona}"]': persona for persona in PERSONAS},
    "module.cloudtrail.aws_iam_role.log_group": "trail-log-group",
}
KEYS: Final = ("bytes", "metadata")
_ABSENT: Final = frozenset({"404", "NoSuchBucket", "NoSuchEntity", "NotFoundException"})

_DESCRIPTION = f"""\
Prepare the store in the second region to take over the copy: its bucket, its keys, and the roles of IAM,
which know no regions. The copy is looked at first, as check-store does. Then infra/{FILE} is
written, by which the next deployment there imports them; nothing in AWS is changed, and the first region is
asked for nothing.

  python -m deployment failover --vars our.tfvars --vars deployment/failover.tfvars --region eu-west-1
  python -m deployment deploy   --vars our.tfvars --vars deployment/failover.tfvars --region eu-west-1

Delete infra/{FILE} when the deployment is done. What comes before and after: docs/operations.md.
"""


@dataclass(frozen=True, slots=True)
class Import:
    """What Terraform shall take for the resource at an address."""

    address: str
    id: str

    def __str__(self) -> str:
        return f'import {{\n  to = {self.address}\n  id = "{self.id}"\n}}\n'


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `failover`."""
    parser = subparsers.add_parser(
        "failover",
        help="let the store in the second region take over the copy",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--incomplete",
        action="store_true",
        help="go on although the copy is not whole: what it lacks stays away until the first region is back",
    )
    options.add_store_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look at the copy, and write the file."""
    configuration, account, _ = options.read_store(arguments)
    prepare(configuration, account, incomplete=arguments.incomplete, say=options.say)
    return 0


def prepare(
    configuration: Configuration, account: Account, *, incomplete: bool, say: Callable[[str], None]
) -> Path:
    """Write what the next deployment imports; answers the file. Raises `DeploymentError`."""
    bucket = f"{configuration.name}-models-{account.id}-{configuration.region}"
    found = list(imports(configuration, account, bucket))
    if trail := _other_trail(configuration, account):
        say(trail)
    s3 = account.client("s3")
    findings = check(s3, read_holdings(s3, bucket))
    say(f"{bucket}: {findings}")
    for fault in findings.faults:
        say(f"  {fault}")
    if findings.faults and not incomplete:
        message = (
            "The copy is not whole; while the first region answers, wait until OperationsPendingReplication "
            "is 0. --incomplete goes on without what it lacks."
        )
        raise DeploymentError(message)
    file = configuration.infra / FILE
    lines = [
        "# Written by `python -m deployment failover`; to be deleted after the deployment.\n",
        *map(str, found),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    say(
        f"{file}: {len(found)} imports. Next: deploy with the same variables and region; then delete the file"
    )
    return file


def imports(configuration: Configuration, account: Account, bucket: str) -> Iterator[Import]:
    """The copy's bucket and keys, which must be there, and those roles that are."""
    try:
        account.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
        message = (
            f"There is no copy {bucket} in {configuration.region}: --region is the `replica_region` that the "
            "store was deployed with."
        )
        raise DeploymentError(message) from error
    yield Import("aws_s3_bucket.models", bucket)
    for key in KEYS:
        alias = f"alias/{configuration.name}-{key}"
        described = account.client("kms").describe_key(KeyId=alias)["KeyMetadata"]
        yield Import(f"aws_kms_key.{key}", described["KeyId"])
        yield Import(f"aws_kms_alias.{key}", alias)
    iam = account.client("iam")
    for address, name in ROLES.items():
        role = f"{configuration.name}-{name}"
        if _there(iam.get_role, RoleName=role):
            yield Import(address, role)
    partition = account.arn.split(":")[1]
    reader = f"arn:{partition}:iam::{account.id}:policy/{configuration.name}-athena-reader"
    if _there(iam.get_policy, PolicyArn=reader):
        yield Import("aws_iam_policy.athena_reader", reader)


def _other_trail(configuration: Configuration, account: Account) -> str | None:
    """What to know of the first region's trail: one of many regions is in each of them, by its name."""
    trails = account.client("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
    for trail in trails:
        if trail["Name"] == configuration.name and trail["HomeRegion"] != configuration.region:
            return (
                f"the trail {trail['Name']} of {trail['HomeRegion']} is here as well; if CloudTrail makes no "
                "other of that name, delete it (its files stay in its bucket): aws cloudtrail "
                f"delete-trail --region {trail['HomeRegion']} --name {trail['Name']}"
            )
    return None


def _there(ask: Callable[..., Any], **parameters: str) -> bool:
    try:
        ask(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
        return False
    return True
