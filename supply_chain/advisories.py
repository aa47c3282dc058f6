"""Findings against the explained exceptions: what is known, what is accepted, and what for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003  # msgspec reads the annotation
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from supply_chain.locks import Lock

ACCEPTED: Final = "advisories.toml"

_Words = Annotated[str, msgspec.Meta(min_length=20)]


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One known vulnerability that stays, for one pin of one lock, for a reason, until a day."""

    id: str
    lock: str
    package: str
    version: str
    reason: _Words
    until: date

    def __str__(self) -> str:
        return f"{self.id} of {self.package} {self.version} in {self.lock}"


class AcceptedList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    accepted: tuple[Accepted, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One advisory about one version; ``ids`` begin with its own id, other databases' names follow."""

    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]
    summary: str


def stale(accepted: Iterable[Accepted], locks: Sequence[Lock], today: date) -> list[str]:
    """Faults of the list itself: an exception for what is not locked any more, or past its day."""
    pins = {(lock.name, pin.name, pin.version) for lock in locks for pin in lock.pins}
    faults = []
    for each in accepted:
        if (each.lock, canonicalize_name(each.package), each.version) not in pins:
            faults.append(f"{ACCEPTED}: {each} is stale: that version is not locked there; remove it")
        elif each.until < today:
            faults.append(f"{ACCEPTED}: {each} was accepted until {each.until}; upgrade, or decide again")
    return faults


def judge(findings: Iterable[Finding], accepted: Sequence[Accepted], locks: Sequence[Lock]) -> list[str]:
    """Faults: a finding without an exception in a lock that has it, an exception that nothing reports."""
    faults = []
    reported: set[Accepted] = set()
    for finding in findings:
        for lock in locks:
            if finding.version not in {pin.version for pin in lock.named(finding.package)}:
                continue
            excused = [
                each
                for each in accepted
                if each.id in finding.ids
                and (each.lock, canonicalize_name(each.package), each.version)
                == (lock.name, canonicalize_name(finding.package), finding.version)
            ]
            reported.update(excused)
            if not excused:
                faults.append(_told(lock.name, finding))
    faults.extend(
        f"{ACCEPTED}: {each} is stale: the advisory service does not report it; remove it"
        for each in accepted
        if each not in reported
    )
    return faults


def _told(lock: str, finding: Finding) -> str:
    fixed = f"fixed in {', '.join(finding.fixed_in)}" if finding.fixed_in else "there is no fix"
    return (
        f"{lock}: {finding.package} {finding.version} has {' = '.join(finding.ids)} ({fixed}):\n"
        f"    {finding.summary}\n"
        f"    upgrade it, or accept it in {ACCEPTED} with a reason and a day"
    )
