"""`plan`: what a deployment would change. Nothing is changed, neither in AWS nor in the state."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from deployment import bootstrap, image
from deployment.configuration import REPOSITORY
from deployment.options import add_image_option, add_store_options, plugins, read_store, say
from deployment.terraform import Terraform
from deployment.working_copy import working_copy

if TYPE_CHECKING:
    from deployment.account import Account
    from deployment.configuration import Configuration

_DESCRIPTION = """\
Show what `deploy` would change, in Terraform's own words. Nothing is changed: no state is locked or
written, no image built or pushed, no bucket made.

Before the first deployment there is no bucket for the state: the plan is made against an empty one, and so
shows all of the store. Where the image of this commit is not pushed yet, its digest is not known: the plan
then takes the image that is deployed, or before the first deployment a digest of zeros, and says so.

It needs terraform, git and AWS credentials that may read; no container engine.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "plan",
        help="show what a deployment would change",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_store_options(parser)
    add_image_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plan."""
    configuration, account, terraform = read_store(options)
    backend = bootstrap.backend(configuration, account)
    if backend is None:
        say(
            f"there is no state bucket {bootstrap.state_bucket(configuration, account)} yet; `deploy` "
            "makes it. This plan is made against an empty state"
        )
        with working_copy(options.infra.resolve(), {".": 'terraform {\n  backend "local" {}\n}\n'}) as folder:
            apart = Terraform(folder, os.environ, plugins())
            apart.init()
            _plan(apart, configuration, options.image or _image(configuration, account, apart))
    else:
        terraform.init(backend)
        _plan(terraform, configuration, options.image or _image(configuration, account, terraform))
    return 0


def _plan(terraform: Terraform, configuration: Configuration, name: str) -> None:
    if not terraform.plan(configuration.given(name), configuration.files, lock=False):
        say("nothing would change")


def _image(configuration: Configuration, account: Account, terraform: Terraform) -> str:
    """The image of this tree, if it is pushed; else the one that is deployed; else none there is."""
    source = image.read_source(REPOSITORY, os.environ)
    there = image.pushed(account, configuration, source)
    if there is not None:
        return there
    deployed = image.deployed(terraform.resources())
    if deployed is not None:
        say(f"the image of {source.tag} is not pushed yet; `deploy` does. The plan takes the one deployed")
        return deployed
    say(f"the image of {source.tag} is not pushed yet; `deploy` does. The plan takes a digest of zeros")
    return configuration.placeholder(account.id)
