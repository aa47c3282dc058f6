"""`check-store`: whether what the bucket holds is whole, or what its copy lacks of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from deployment import store
from deployment.errors import DeploymentError
from deployment.holdings import check, differences, read_holdings
from deployment.options import shown

if TYPE_CHECKING:
    from deployment.store import Aws, Store

_DESCRIPTION = """\
Look at everything the models' bucket holds: every published version's files are there, in the S3 version that
its manifest names and with that size; every alias leads to a version; nothing is hidden or written over.
Changes nothing; ends with 1 if something is wrong, and says the command that mends it where there is one.

examples:
  python -m deployment check-store --vars our.tfvars
  python -m deployment check-store --vars our.tfvars --copy              the copy in the second region
  python -m deployment check-store --vars our.tfvars --copy --against    and what it lacks of the first
  python -m deployment check-store --local --bytes       read every byte as well: hours, for terabytes
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `check-store`."""
    parser = subparsers.add_parser(
        "check-store",
        help="whether what the bucket, or its copy, holds is whole",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--copy", action="store_true", help="look at the copy in the second region")
    parser.add_argument("--against", action="store_true", help="and compare it with the first bucket")
    parser.add_argument(
        "--bytes", action="store_true", help="read every byte, and hold it against its digest"
    )
    store.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was counted, and each fault on a line of its own."""
    which, aws = store.opened(arguments)
    faults, counted = look(
        which, aws, copy=arguments.copy, against=arguments.against, read_bytes=arguments.bytes
    )
    print(counted)
    for fault in faults:
        print(shown(fault))
    return 1 if faults else 0


def look(
    which: Store, aws: Aws, *, copy: bool = False, against: bool = False, read_bytes: bool = False
) -> tuple[list[str], str]:
    """The faults of the bucket or its copy, and a line that says what was looked at."""
    copy = copy or against
    if copy and which.copy is None:
        raise DeploymentError("This store has no copy; `replica_region` makes one (infra/README.md).")
    first = aws.client("s3")
    if not copy or which.copy is None:
        found = check(first, read_holdings(first, which.bucket), read_bytes=read_bytes)
        return found.faults, f"{which.bucket}: {found}"
    second = aws.client("s3", which.copy.region)
    held = read_holdings(second, which.copy.bucket)
    found = check(second, held, read_bytes=read_bytes)
    lacking = differences(first, read_holdings(first, which.bucket), second, held) if against else []
    compared = f"; {len(lacking)} differences from {which.bucket}" if against else ""
    return [*found.faults, *lacking], f"{which.copy.bucket}: {found}{compared}"
