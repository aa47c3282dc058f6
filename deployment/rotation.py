"""`rotate-key` and `rotate-secret`: new key material in KMS, a new secret for a machine, by hand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from deployment import options, store
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment.store import Aws, Store

KEYS: Final = ("bytes", "metadata", "operations", "logs")
# Cognito keeps two secrets of a client at most.
_BOTH: Final = 2

_KEY = """\
Give a key of KMS new material now, besides the yearly rotation that is on. Its id and ARN stay: what is
encrypted stays readable, sessions and presigned URLs go on working, and nothing has to be encrypted anew.
What is written from now on is under the new material; the old one stays in KMS to decrypt. KMS does this at
most 25 times in the life of a key.
"""
_MACHINE = """\
Change the secret of a machine (a client of the user pool) in two steps, between which both secrets work:

  rotate-secret ci --output new-secret      makes a second secret and writes it there; give it to the machine
  rotate-secret ci --finish                 takes the older one away

The client id stays, and with it who the machine is in every record. Tokens at hand end by themselves, within
the hour; to end them at once: bar --identity <client id>.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both commands."""
    parser = subparsers.add_parser("rotate-key", help="give a key of KMS new material now", description=_KEY)
    parser.add_argument("key", choices=KEYS)
    store.add_arguments(parser)
    parser.set_defaults(run=_run_key)

    parser = subparsers.add_parser(
        "rotate-secret",
        help="change the secret of a machine, in two steps",
        description=_MACHINE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("machine", metavar="MACHINE", help="its name in the variable `machines`")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--output", type=Path, metavar="FILE", help="where the new secret is written")
    how.add_argument("--finish", action="store_true", help="take the older secret away")
    store.add_arguments(parser)
    parser.set_defaults(run=_run_secret)


def _run_key(arguments: argparse.Namespace) -> int:
    which, aws = store.opened(arguments)
    rotate_key(which, aws, arguments.key, options.say)
    return 0


def _run_secret(arguments: argparse.Namespace) -> int:
    which, aws = store.opened(arguments)
    if arguments.finish:
        finish(which, aws, arguments.machine, options.say)
    else:
        begin(which, aws, arguments.machine, arguments.output, options.say)
    return 0


def rotate_key(which: Store, aws: Aws, key: str, say: Callable[[str], object]) -> None:
    """New material for a key, by the end of its alias. Raises `DeploymentError`."""
    alias = f"alias/{which.name}-{key}"
    kms = aws.client("kms")
    try:
        arn = kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
        kms.rotate_key_on_demand(KeyId=arn)
    except ClientError as error:
        message = f"{alias} was not rotated: {error.response['Error']['Message'] or error}"
        raise DeploymentError(message) from error
    say(f"{alias}: new material is being made for {arn}; within minutes it is what encrypts")


def begin(which: Store, aws: Aws, machine: str, output: Path, say: Callable[[str], object]) -> None:
    """A second secret, written to `output`, which must not be there yet. Raises `DeploymentError`."""
    cognito, client_id = aws.client("cognito-idp"), _client_id(which, aws, machine)
    secrets = _secrets(cognito, which, client_id)
    if len(secrets) >= _BOTH:
        newer = max(secrets, key=lambda each: each["ClientSecretCreateDate"])["ClientSecretId"]
        message = (
            f"{machine} has two secrets already: --finish takes the older one away. If nobody has the newer "
            "one, take that away: aws cognito-idp delete-user-pool-client-secret --user-pool-id "
            f"{which.user_pool_id} --client-id {client_id} --client-secret-id {newer}"
        )
        raise DeploymentError(message)
    try:
        output.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        message = f"The secret cannot be written to {output} ({error.strerror}); nothing was changed."
        raise DeploymentError(message) from error
    try:
        made = cognito.add_user_pool_client_secret(UserPoolId=which.user_pool_id, ClientId=client_id)
        output.write_text(made["ClientSecretDescriptor"]["ClientSecretValue"] + "\n", encoding="utf-8")
    except BaseException:
        output.unlink()  # else a second try would be refused for it
        raise
    say(f"{machine} ({client_id}): the new secret is in {output}; the old one works until --finish")


def finish(which: Store, aws: Aws, machine: str, say: Callable[[str], object]) -> None:
    """The older secret is gone. Raises `DeploymentError` where there is but one."""
    cognito, client_id = aws.client("cognito-idp"), _client_id(which, aws, machine)
    secrets = _secrets(cognito, which, client_id)
    if len(secrets) < _BOTH:
        message = f"{machine} has one secret, which stays: begin with --output FILE."
        raise DeploymentError(message)
    older = min(secrets, key=lambda each: each["ClientSecretCreateDate"])["ClientSecretId"]
    cognito.delete_user_pool_client_secret(
        UserPoolId=which.user_pool_id, ClientId=client_id, ClientSecretId=older
    )
    say(f"{machine} ({client_id}): the secret {older} works no more")


def _secrets(cognito: Any, which: Store, client_id: str) -> list[dict[str, Any]]:
    found = cognito.list_user_pool_client_secrets(UserPoolId=which.user_pool_id, ClientId=client_id)
    return list(found["ClientSecrets"])


def _client_id(which: Store, aws: Aws, machine: str) -> str:
    """The client of a machine, by its name in Terraform's variable."""
    wanted = f"{which.name}-machine-{machine}"
    pages = aws.client("cognito-idp").get_paginator("list_user_pool_clients")
    for page in pages.paginate(UserPoolId=which.user_pool_id):
        for client in page["UserPoolClients"]:
            if client["ClientName"] == wanted:
                return str(client["ClientId"])
    message = f"There is no machine {machine!r} here (no client {wanted}); access-review lists them."
    raise DeploymentError(message)
