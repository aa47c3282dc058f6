"""Options that commands share, and what they all begin with."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from deployment import account as accounts
from deployment import configuration as configurations
from deployment.errors import DeploymentError
from deployment.terraform import Terraform

if TYPE_CHECKING:
    from deployment.account import Account
    from deployment.configuration import Configuration

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Which store."""
    parser.add_argument(
        "--vars",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="a file of variables, as infra/small.tfvars; may be repeated, later files win (make: VARS=FILE)",
    )
    parser.add_argument(
        "--region", metavar="REGION", help="instead of the `region` in the files (make: REGION=REGION)"
    )
    parser.add_argument(
        "--infra",
        type=Path,
        default=configurations.INFRA,
        metavar="FOLDER",
        help="the configuration, where it is not this repository's infra/",
    )


def add_image_option(parser: argparse.ArgumentParser) -> None:
    """Which image, if not one that is built here."""
    parser.add_argument(
        "--image",
        metavar="IMAGE",
        help="an image in ECR by its digest, built and pushed elsewhere, as by a release (make: IMAGE=IMAGE)",
    )


def read_store(options: argparse.Namespace) -> tuple[Configuration, Account, Terraform]:
    """The store, the account and Terraform, each looked at; nothing is changed."""
    environment = dict(os.environ)
    terraform = Terraform(options.infra.resolve(), environment, plugins())
    accounts.require_terraform(terraform)
    configuration = configurations.read_configuration(
        options.infra.resolve(), options.vars, options.region, environment
    )
    account = accounts.sign_in(configuration, environment)
    say(f"store {configuration.name} in {configuration.region}, account {account.id} as {account.arn}")
    return configuration, account, terraform


def plugins() -> Path | None:
    """A mirror of providers that TF_PLUGIN_DIR names, for machines that reach no registry."""
    named = os.environ.get("TF_PLUGIN_DIR")
    return Path(named) if named else None


def require_answerer(*, answered: bool, remedy: str) -> None:
    """Raise unless the question that comes is answered already, or there is somebody to ask."""
    if not answered and not sys.stdin.isatty():
        message = f"There is a question to answer and no terminal to ask it on: {remedy}."
        raise DeploymentError(message)


def ask(question: str) -> str:
    """What the user answers; nothing where they end the input instead (Ctrl-D)."""
    try:
        return input(question)
    except EOFError:
        print()
        return ""


def address(text: str) -> str:
    """The address of a store, without a `/` at its end; a token is not sent in the clear over a network."""
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    if not parts.hostname or not (parts.scheme == "https" or local) or parts.query or parts.fragment:
        message = f"{text} is not the address of a store, as https://models.example.com"
        raise argparse.ArgumentTypeError(message)
    return text.rstrip("/")


def shown(text: str) -> str:
    """A name that others chose, as it may stand on a terminal: nothing in it moves the cursor."""
    return "".join(character if character.isprintable() else "?" for character in text)


def say(text: str) -> None:
    """Tell the user what goes on; on stderr, where progress belongs."""
    print(text, file=sys.stderr, flush=True)
