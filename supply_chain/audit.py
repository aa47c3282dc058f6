"""`make audit`: the licences of every lock, and what is known against its versions.

Exit code 0: nothing to object to, and what could not be looked at is named. 1: faults. 2: it could not be
carried out, which is never taken for a good result.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from supply_chain import licences
from supply_chain.advisories import ACCEPTED, AcceptedList, judge, stale
from supply_chain.locks import LockError, read_locks
from supply_chain.metadata import installed
from supply_chain.scan import OSV, ScanFailed, ServiceUnreachable, scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supply_chain.locks import Lock

REPOSITORY: Final = Path(__file__).resolve().parent.parent
FAULTS: Final = 1
NOT_CARRIED_OUT: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="the repository")
    parser.add_argument(
        "--policy", type=Path, default=Path(__file__).parent, help=f"the folder of {licences.POLICY}"
    )
    parser.add_argument("--service", default=OSV, help="an advisory service that speaks OSV's JSON")
    parser.add_argument(
        "--today", type=date.fromisoformat, default=datetime.now(UTC).date(), help="for tests"
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="fail where something cannot be looked at; releases are made so",
    )
    given = parser.parse_args(arguments)
    try:
        locks = read_locks(given.root / "requirements")
        policy = licences.read_policy(given.policy)
        listed = msgspec.toml.decode((given.policy / ACCEPTED).read_bytes(), type=AcceptedList)
    except (LockError, OSError, msgspec.DecodeError) as error:
        return _not_carried_out(str(error))
    faults, skipped = _licences(given.root, policy, locks)
    faults += stale(listed.accepted, locks, given.today)
    try:
        faults += _advisories(listed, locks, given.service)
    except ServiceUnreachable as error:
        skipped.append(f"vulnerability audit: {urlsplit(given.service).hostname} cannot be reached ({error})")
    except ScanFailed as error:
        _tell(faults, skipped)
        return _not_carried_out(f"vulnerability audit: {error}")
    _tell(faults, skipped)
    if faults:
        return FAULTS
    return _not_carried_out("--complete was asked for") if skipped and given.complete else 0


def _licences(root: Path, policy: licences.Policy, locks: Sequence[Lock]) -> tuple[list[str], list[str]]:
    environments, skipped = {}, []
    for lock, folder in policy.environments.items():
        made = (root / folder / ".ready").exists()
        if made and (site_packages := next((root / folder).glob("lib/python3*/site-packages"), None)):
            environments[lock] = installed(site_packages)
        else:
            skipped.append(f"licences of requirements/{lock}.txt: {folder} is not made")
    checked = licences.check(policy, locks, environments)
    for lock, count in checked.counted.items():
        print(f"licences  {lock}: {count} distributions")
    return list(checked.faults), skipped


def _advisories(listed: AcceptedList, locks: Sequence[Lock], service: str) -> list[str]:
    pins = {(str(pin.name), pin.version) for lock in locks for pin in lock.pins}
    findings = scan(pins, service)
    print(f"advisories  {len(pins)} versions of {len(locks)} locks: {len(findings)} findings")
    return judge(findings, listed.accepted, locks)


def _tell(faults: Sequence[str], skipped: Sequence[str]) -> None:
    for each in skipped:
        print(f"SKIPPED  {each}")
    for each in faults:
        print(f"FAULT  {each}")


def _not_carried_out(why: str) -> int:
    print(f"audit not carried out: {why}", file=sys.stderr)
    return NOT_CARRIED_OUT


if __name__ == "__main__":
    sys.exit(main())
