"""Which licences may come in with a lock, and what was read where the metadata does not say.

Denied by default: a licence that no rule allows, a distribution whose licence nobody has read, and a note
that nothing needs any more are all faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from license_expression import AND, OR, LicenseSymbol
from packaging.utils import NormalizedName, canonicalize_name

from supply_chain.metadata import SPDX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from license_expression import BaseSymbol

    from supply_chain.locks import Lock, Pin
    from supply_chain.metadata import Installed

POLICY: Final = "licences.toml"


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person read where metadata names no licence exactly.

    ``read`` is a file that came with the distribution, and ``sha256`` its digests at the versions that are
    locked: another text has to be read again. Where nothing came with it, ``read`` is an address.
    """

    package: str
    licence: str
    read: str
    sha256: tuple[str, ...] = ()
    because: str = ""


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done with the distributions of some locks, and so which licences they may have.

    ``allowed`` are SPDX ids with a reason, empty where it is obvious; ``families`` are classifiers that are
    good enough here, though they name several licences. ``also`` names a use whose licences are allowed, too.
    """

    locks: tuple[str, ...]
    allowed: dict[str, str]
    also: str | None = None
    families: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. ``environments`` says where each lock is installed."""

    environments: dict[str, str]
    use: dict[str, Use]
    reading: Annotated[tuple[Reading, ...], msgspec.Meta(min_length=1)]

    def use_of(self, lock: str) -> Use | None:
        """What a lock is for."""
        return next((use for use in self.use.values() if lock in use.locks), None)

    def allowed_for(self, use: Use) -> frozenset[str]:
        """The ids that are allowed for a use."""
        return frozenset(use.allowed) | (self.allowed_for(self.use[use.also]) if use.also else frozenset())

    def readings(self) -> dict[NormalizedName, str]:
        """What persons read, by name."""
        return {canonicalize_name(each.package): each.licence for each in self.reading}


def read_policy(folder: Path) -> Policy:
    """The policy of a folder.

    Raises:
        msgspec.DecodeError: the file is not TOML, or not a policy.
    """
    return msgspec.toml.decode((folder / POLICY).read_bytes(), type=Policy)


def allows(allowed: frozenset[str], expression: str) -> bool:
    """Whether allowed licences are enough for an SPDX expression: one side of an OR, all of an AND."""
    return _allows(allowed, SPDX.parse(expression, validate=True, strict=True))


def _allows(allowed: frozenset[str], parsed: BaseSymbol) -> bool:
    match parsed:
        case OR():
            return any(_allows(allowed, each) for each in parsed.args)
        case AND():
            return all(_allows(allowed, each) for each in parsed.args)
        case LicenseSymbol() | _:
            return str(parsed) in allowed


class Checked(msgspec.Struct, frozen=True):
    """What came of it: faults as sentences, and how many distributions of each lock were looked at."""

    faults: tuple[str, ...]
    counted: dict[str, int]


def check(
    policy: Policy, locks: Iterable[Lock], environments: Mapping[str, Mapping[NormalizedName, Installed]]
) -> Checked:
    """Hold locks against the policy; ``environments`` has what is installed, where that can be seen."""
    review = _Review(policy)
    counted = {}
    names = set()
    for lock in locks:
        names.add(lock.name)
        review.locked |= {pin.name for pin in lock.pins}
        if lock.name in environments:
            review.looked_at(lock, environments[lock.name])
            counted[lock.name] = len({pin.name for pin in lock.pins})
        else:
            review.unseen |= {pin.name for pin in lock.pins}
    review.stale(names)
    return Checked(tuple(dict.fromkeys(review.faults)), counted)


class _Review:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.readings = {canonicalize_name(each.package): each for each in policy.reading}
        self.faults: list[str] = []
        self.locked: set[NormalizedName] = set()
        self.unseen: set[NormalizedName] = set()
        self._used: set[NormalizedName] = set()
        self._texts: set[str] = set()
        if len(self.readings) != len(policy.reading):
            self.faults.append(f"{POLICY} has two readings of one package")

    def looked_at(self, lock: Lock, environment: Mapping[NormalizedName, Installed]) -> None:
        use = self.policy.use_of(lock.name)
        if use is None:
            self.faults.append(
                f"{lock.name}: no use in {POLICY} names this lock, so nothing is allowed in it"
            )
            return
        allowed = self.policy.allowed_for(use)
        for pin in lock.pins:
            where = f"{lock.name}: {pin.name} {pin.version}"
            found = environment.get(pin.name)
            installed = found.version if found is not None else ""
            if installed not in {each.version for each in lock.named(pin.name)} and (
                installed or not pin.marker
            ):
                self.faults.append(f"{where} is locked, {installed or 'nothing'} installed: make it again")
                continue
            licence = self._licence(where, pin, found, use)
            if licence and not allows(allowed, licence):
                self.faults.append(f"{where} has the licence {licence}, which {POLICY} does not allow there")

    def _licence(self, where: str, pin: Pin, found: Installed | None, use: Use) -> str:
        """The expression to judge; nothing where a classifier was enough or a fault was noted."""
        if found is not None and found.declared:
            return found.declared
        reading = self.readings.get(pin.name)
        if reading is None:
            if found is None or not found.families or not set(found.families) <= set(use.families):
                says = f"says {found.says!r}" if found is not None else "is not for this system"
                self.faults.append(f"{where} {says}: read its licence and note it in {POLICY}")
            return ""
        self._used.add(pin.name)
        if found is not None and reading.sha256:
            digest = found.digest(reading.read) or "none"
            self._texts.add(digest)
            if digest not in reading.sha256:
                again = f"read it again and note it in {POLICY}"
                self.faults.append(f"{where}: its {reading.read} is another (sha256 {digest}): {again}")
        return reading.licence

    def stale(self, locks: set[str]) -> None:
        """Faults for what the policy says and nothing needs."""
        for name, reading in self.readings.items():
            stale = f"{POLICY}: the reading of {reading.package} is stale"
            if name not in self.locked:
                self.faults.append(f"{stale}: no lock has it")
            elif name in self.unseen:
                continue
            elif name not in self._used:
                self.faults.append(f"{stale}: its metadata names the licence now")
            elif unused := set(reading.sha256) - self._texts:
                self.faults.append(f"{stale}: no version has the text {min(unused)} any more")
        uses = {lock for use in self.policy.use.values() for lock in use.locks}
        unknown = sorted((uses | set(self.policy.environments)) - locks)
        self.faults.extend(f"{POLICY} names the lock {lock}, which there is not" for lock in unknown)
