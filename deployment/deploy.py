"""`deploy`: from whatever there is to a store that answers, with one question in between."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from deployment import account as accounts
from deployment import bootstrap, canary, image, readiness, smoke_test
from deployment.configuration import REPOSITORY
from deployment.errors import DeploymentError
from deployment.options import (
    add_image_option,
    add_store_options,
    address,
    ask,
    plugins,
    read_store,
    require_answerer,
    say,
)

if TYPE_CHECKING:
    from deployment.account import Account
    from deployment.configuration import Configuration
    from deployment.image import Source
    from deployment.terraform import Terraform

_DESCRIPTION = """\
Deploy the store, or bring it up to date. In this order:

 1. look whether everything is there: terraform, a container engine, credentials, the right account, the
    region, room for the functions that run at once. Nothing is changed where one of these is missing
 2. make the bucket of the state and the repository of the image, where they are not there: infra/bootstrap
    shows a plan of its own and asks
 3. build the image of this commit and push it, unless it is there already; from here on its digest names it
 4. show the plan and ask; only `yes` goes on, and exactly this plan is applied
 5. wait until the store's /readyz answers 200
 6. smoke test: a user `canary`, made for it and deleted afterwards, signs in with a second factor, publishes
    a model of one number, waits for the verifier and fetches it. One version of canary/smoke-test stays for
    each image, because versions cannot be taken back
 7. print the addresses

It can be interrupted at any point and repeated. Ctrl-C during the plan or the apply, or a terminal that goes
away, is passed to Terraform once, which ends what it is at, writes the state and frees its lock; a second one
makes it stop at once.

Every deployment sets off the alarms on what it changes: tell whoever is on call. The canary sets off none.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "deploy",
        help="deploy the store, or bring it up to date",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_store_options(parser)
    add_image_option(parser)
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: for pipelines, which have no terminal (make: YES=1)"
    )
    parser.add_argument(
        "--dirty",
        action="store_true",
        help="deploy a tree that differs from its commit, under a tag that says so (make: DIRTY=1)",
    )
    parser.add_argument("--base-image", metavar="IMAGE", help="what the image is built on (make: BASE=IMAGE)")
    parser.add_argument(
        "--address",
        type=address,
        metavar="URL",
        help="where to reach the store, while its own name is not known to DNS yet (make: ADDRESS=URL)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Deploy."""
    require_answerer(
        answered=options.yes, remedy="--yes (make: YES=1) answers it; `plan` shows the plan alone"
    )
    configuration, account, terraform = read_store(options)
    source = None if options.image else _source(options)
    if options.image:
        image.require_pushed(account, configuration, options.image)
    say(accounts.concurrency(account, configuration))
    backend = _backend(configuration, account, approved=options.yes)
    name = options.image or _push(configuration, account, source, options)
    say(f"image {name}")

    say(f"terraform init, state s3://{backend['bucket']}/{backend['key']}")
    terraform.init(backend)
    _apply(terraform, configuration, name, approved=options.yes)

    outputs = {key: str(value) for key, value in terraform.outputs().items()}
    url = options.address or outputs["url"].rstrip("/")
    took = readiness.wait_ready(url, _advice(configuration, outputs), say)
    say(f"{url}/readyz is 200 ({took:.0f} s)")
    cognito = account.client("cognito-idp")
    with canary.signed_in(cognito, outputs["user_pool_id"], outputs["canary_client_id"]) as token:
        say("smoke test: the canary user has signed in, with a second factor")
        smoke_test.run(smoke_test.Store(url, token), name, lambda text: say(f"smoke test: {text}"))
    _tell(outputs)
    return 0


def _source(options: argparse.Namespace) -> Source:
    accounts.require_engine(os.environ)
    source = image.read_source(REPOSITORY, os.environ)
    if source.dirty and not options.dirty:
        message = (
            f"This tree differs from its commit {source.commit[:12]}, so nobody could tell later what is "
            "deployed: commit it, or say --dirty (make: DIRTY=1) and it is tagged as what it is."
        )
        raise DeploymentError(message)
    return source


def _backend(configuration: Configuration, account: Account, *, approved: bool) -> dict[str, str]:
    backend = bootstrap.backend(configuration, account)
    if backend is None:
        say("the bucket of the state and the repository of the image are made first")
        bootstrap.make(configuration, os.environ, plugins(), approved=approved)
        backend = bootstrap.backend(configuration, account)
    if backend is None:
        message = "The bootstrap has ended, and the state's bucket is not there: run the same command again."
        raise DeploymentError(message)
    return backend


def _push(
    configuration: Configuration, account: Account, source: Source | None, options: argparse.Namespace
) -> str:
    if source is None:
        message = "There is neither an image nor a source to build one from."
        raise DeploymentError(message)
    return image.push(account, configuration, source, os.environ, options.base_image)


def _apply(terraform: Terraform, configuration: Configuration, name: str, *, approved: bool) -> None:
    # A plan holds what the state holds, secrets among it: in a folder of its own, and gone afterwards.
    with tempfile.TemporaryDirectory(prefix="smas-plan-") as folder:
        plan = Path(folder) / "store.tfplan"
        if not terraform.plan(configuration.given(name), configuration.files, out=plan):
            say("nothing to change")
            return
        if not approved and ask("\nApply exactly this plan? Only `yes` goes on: ") != "yes":
            message = "Nothing of this plan was applied."
            raise DeploymentError(message)
        terraform.apply(plan)


def _advice(configuration: Configuration, outputs: dict[str, str]) -> str:
    return (
        f"Look at what the functions say: aws logs tail /{configuration.name}/service --since 15m --region "
        f"{configuration.region}; at {outputs['dashboard_url']}; then run the same command again."
    )


def _tell(outputs: dict[str, str]) -> None:
    for title, value in (
        ("store", outputs["url"]),
        ("sign-in", outputs["sign_in_url"]),
        ("dashboard", outputs["dashboard_url"]),
        ("user pool", outputs["user_pool_id"]),
        ("people", "docs/operations.md says how to let them in"),
        ("next", f"smas login {outputs['url']}"),
    ):
        print(f"{title:<10} {value}")
    sys.stdout.flush()
