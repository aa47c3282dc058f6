"""`destroy`: takes a store away, but never what Object Lock or a legal hold protects."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from typing import TYPE_CHECKING, Final

from deployment import belongings, bootstrap, emptying, image, locks, protection
from deployment.errors import DeploymentError
from deployment.options import add_store_options, ask, plugins, read_store, require_answerer, say
from deployment.terraform import Terraform
from deployment.working_copy import working_copy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from deployment.account import Account
    from deployment.configuration import Configuration
    from deployment.locks import Protection
    from deployment.terraform import Resource

LOCKED: Final = "locked"
# S3 Standard in eu-central-1, the first 50 TB, and a key of KMS; a month, in USD, as of 2026.
_GIBIBYTE_PRICE: Final = 0.0245
_KEY_PRICE: Final = 1.0
_GIBIBYTE: Final = 1024**3

_DESCRIPTION = """\
Take the store away. Whatever is in its buckets is deleted, its users are, and its keys are scheduled for
deletion in 30 days (until then: aws kms cancel-key-deletion).

First every version in every bucket of the state is looked at. Where Object Lock (a retention or a legal hold)
protects one, nothing is destroyed; it says how many, which for example, and until when. No lock is ever
bypassed, not even one in governance mode. The trail's files are always locked for some time, so that there
are two ways:

  wait              until the last retention has ended; legal holds are lifted one by one, by whoever may
  --keep locked     let go of the buckets that hold something locked, with what guards them (policy,
                    encryption, lock, lifecycle) and the keys that encrypt them, and destroy all else. They
                    stay in the account and go on to cost something; it says what. A new store in the same
                    account and region then needs another name

Then it asks for the store's name, typed. Terraform's prevent_destroy and Cognito's deletion protection are
lifted only in a copy of the configuration, after all this. The order: all that writes into buckets; then
what is in the buckets; then buckets and keys. It can be interrupted and repeated.

The state's bucket and the image's repository stay (infra/bootstrap/README.md).
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "destroy",
        help="take a store away",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_store_options(parser)
    parser.add_argument(
        "--keep", choices=[LOCKED], help="leave buckets that hold something locked behind (make: KEEP=locked)"
    )
    parser.add_argument(
        "--confirm",
        metavar="NAME",
        help="the store's name, where there is no terminal to type it on (make: CONFIRM=NAME)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Destroy."""
    require_answerer(
        answered=options.confirm is not None,
        remedy="--confirm with the store's name (make: CONFIRM=NAME) answers it",
    )
    configuration, account, _ = read_store(options)
    backend = bootstrap.backend(configuration, account)
    if backend is None:
        say(
            f"there is no state of a store {configuration.name} in {configuration.region}: nothing to destroy"
        )
        return 0
    infra = options.infra.resolve()
    with working_copy(infra, protection.lifted(infra)) as folder:
        terraform = Terraform(folder, os.environ, plugins(), original=infra)
        terraform.init(backend)
        resources = terraform.resources()
        if not resources:
            say(f"the state of {configuration.name} is empty: nothing to destroy")
            return 0
        found = _look(account, resources)
        kept = _kept(found, keep=options.keep == LOCKED)
        _summarize(resources, found, kept)
        _confirm(configuration, options.confirm)
        _destroy(terraform, account, configuration, resources, kept)
    say(f"the store {configuration.name} is gone")
    if kept:
        _tell_what_is_left(resources, kept)
    bucket = bootstrap.state_bucket(configuration, account)
    print(f"the state's bucket {bucket} and the images stay: infra/bootstrap/README.md")
    return 0


def _look(account: Account, resources: Sequence[Resource]) -> list[Protection]:
    say("looking at every version in every bucket for retentions and legal holds")
    return [
        locks.look(account.client("s3", bucket.values["region"]), bucket.values["bucket"], say)
        for bucket in locks.buckets(resources)
    ]


def _kept(found: Sequence[Protection], *, keep: bool) -> list[Protection]:
    """The buckets that are left behind; raise where some would have to be, and nobody said so."""
    locked = [each for each in found if each.protected]
    for each in locked:
        for line in each.describe():
            say(line)
    if locked and not keep:
        sentences = ["Nothing was destroyed, because S3 keeps what is locked."]
        if ends := [each.until for each in locked if each.until is not None]:
            last = f"{max(ends):%Y-%m-%dT%H:%M:%SZ}"
            sentences.append(
                f"The last retention ends {last}, and new files of the trail are locked as they come."
            )
        if any(each.held for each in locked):
            sentences.append("Legal holds end when somebody lifts them.")
        sentences.append(
            "To destroy all else and leave these buckets and their keys: --keep locked (make: KEEP=locked)."
        )
        raise DeploymentError(" ".join(sentences))
    return locked


def _summarize(
    resources: Sequence[Resource], found: Sequence[Protection], kept: Collection[Protection]
) -> None:
    kinds = Counter(resource.type for resource in resources)
    common = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
    say(f"to be destroyed: {len(resources)} things ({common}, ...)")
    for each in found:
        fate = "is left behind" if each in kept else "is emptied and deleted"
        say(f"  {each.bucket}: {each.versions} versions, {each.size / _GIBIBYTE:.1f} GiB, {fate}")


def _confirm(configuration: Configuration, given: str | None) -> None:
    if given is None:
        given = ask(f"\nThis cannot be undone. Type the store's name ({configuration.name}) to destroy it: ")
    if given != configuration.name:
        message = f"That is not {configuration.name}; nothing was destroyed."
        raise DeploymentError(message)


def _destroy(
    terraform: Terraform,
    account: Account,
    configuration: Configuration,
    resources: Sequence[Resource],
    kept: Collection[Protection],
) -> None:
    variables = configuration.given(image.deployed(resources) or configuration.placeholder(account.id))
    files = configuration.files
    switched_on = protection.switched_on(resources)
    if switched_on:
        # While everything is in the state: an apply makes what it misses.
        terraform.apply(variables=variables, files=files, targets=switched_on)
    if kept:
        # Now as well as at the end: whoever breaks off in between would find it in no state.
        _tell_what_is_left(resources, kept)
        terraform.forget(_let_go(resources, {each.bucket for each in kept}))
        resources = terraform.resources()

    last = {resource.address for resource in resources if _goes_last(resource)}
    first = [resource.address for resource in resources if resource.address not in last]
    if first:
        terraform.destroy(variables, files, targets=first)
    for bucket in locks.buckets(resources):
        emptying.empty(account.client("s3", bucket.values["region"]), bucket.values["bucket"], say)
    terraform.destroy(variables, files)


def _let_go(resources: Sequence[Resource], buckets: Collection[str]) -> list[str]:
    keys = belongings.keys(resources, buckets)
    return sorted(
        resource.address
        for resource in [
            *(bucket for bucket in locks.buckets(resources) if bucket.values["bucket"] in buckets),
            *belongings.guards(resources, buckets),
            *keys,
            *belongings.of_keys(resources, keys),
        ]
    )


def _goes_last(resource: Resource) -> bool:
    """Keys, and buckets with what guards them; but a policy may forbid that its bucket is emptied."""
    if resource.type == "aws_s3_bucket_policy":
        return False
    return resource.type in {"aws_s3_bucket", "aws_kms_key", *belongings.GUARDS}


def _tell_what_is_left(resources: Sequence[Resource], kept: Collection[Protection]) -> None:
    keys = belongings.keys(resources, {each.bucket for each in kept})
    size = sum(each.size for each in kept) / _GIBIBYTE
    cost = size * _GIBIBYTE_PRICE + len(keys) * _KEY_PRICE
    print("left behind, in no state any more:")
    for each in kept:
        until = f"locked until {each.until:%Y-%m-%dT%H:%M:%SZ}" if each.until else "under legal hold"
        print(f"  bucket {each.bucket}: {each.versions} versions, {each.size / _GIBIBYTE:.1f} GiB, {until}")
    for key in keys:
        print(f"  key {key.values['arn']}: {key.values['description']}")
    print(
        f"  about {cost:.2f} USD a month: {size:.1f} GiB at {_GIBIBYTE_PRICE} USD (S3 Standard in "
        f"eu-central-1), {len(keys)} keys at {_KEY_PRICE:.0f} USD"
    )
    print(
        "  delete the buckets when the locks have ended, and then the keys: without them nothing can be read"
    )
