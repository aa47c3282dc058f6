"""Options that commands share, and what they all begin with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deployment import account as accounts
from deployment import configuration as configurations
from deployment.errors import DeploymentError
from deployment.terraform import Terraform

if TYPE_CHECKING:
    import argparse

    from deployment.account import Account
    from deployment.configuration import Configuration


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


def say(text: str) -> None:
    """Tell the user what goes on; on stderr, where progress belongs."""
    print(text, file=sys.stderr, flush=True)
