"""Findings, and the exceptions that excuse them: each for one version, for a reason, for a time."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from supply_chain.advisories import Accepted, AcceptedList, Finding, judge, stale
from supply_chain.locks import Lock, Pin, read_locks
from tests.local_aws import REPOSITORY

TODAY = date(2026, 11, 24)
ACCEPTED = Accepted(
    id="CVE-2026-1",
    lock="emulator",
    package="Old_Thing",
    version="1.0",
    reason="nothing here calls it, and there is no newer one",
    until=TODAY,
)
FINDING = Finding("old-thing", "1.0", ("GHSA-1", "CVE-2026-1"), ("1.1",), "it can be talked into it")


def lock(name: str, version: str = "1.0") -> Lock:
    """A lock of one pin."""
    pin = Pin(name="old-thing", version=version, marker="", sha256=(), asked_by=(), wanted=True)  # type: ignore[arg-type]  # it is normalised
    return Lock(name, (pin,))


def test_an_unexplained_finding_is_a_fault_in_every_lock_that_has_it() -> None:
    """It says what would help."""
    found = judge([FINDING], [], [lock("dev"), lock("emulator"), lock("service", "1.1")])
    assert [each.partition(" has ")[0] for each in found] == ["dev: old-thing 1.0", "emulator: old-thing 1.0"]
    assert "GHSA-1 = CVE-2026-1 (fixed in 1.1)" in found[0]
    assert "upgrade it, or accept it in advisories.toml" in found[0]


def test_an_exception_excuses_one_version_in_one_lock() -> None:
    """By any of the finding's names."""
    assert judge([FINDING], [ACCEPTED], [lock("emulator")]) == []
    (fault,) = judge([FINDING], [ACCEPTED], [lock("emulator"), lock("service")])
    assert fault.startswith("service: ")


def test_an_exception_for_nothing_is_a_fault() -> None:
    """Where the service does not report it any more, or it never named it."""
    (fault,) = judge([], [ACCEPTED], [lock("emulator")])
    assert fault.startswith("advisories.toml: CVE-2026-1 of Old_Thing 1.0 in emulator is stale: ")
    other = msgspec.structs.replace(ACCEPTED, id="CVE-2026-2")
    assert len(judge([FINDING], [other], [lock("emulator")])) == 2


def test_an_exception_lasts_to_its_day() -> None:
    """To its end, and not longer."""
    assert stale([ACCEPTED], [lock("emulator")], TODAY) == []
    (fault,) = stale([ACCEPTED], [lock("emulator")], TODAY + timedelta(days=1))
    assert "was accepted until 2026-11-24" in fault


@pytest.mark.parametrize(
    "locks", [[], [lock("emulator", "1.1")], [lock("service")]], ids=["gone", "upgraded", "elsewhere"]
)
def test_an_exception_for_what_is_not_locked_is_a_fault(locks: list[Lock]) -> None:
    """It would excuse a version that comes back."""
    (fault,) = stale([ACCEPTED], locks, TODAY)
    assert fault.endswith("is stale: that version is not locked there; remove it")


@pytest.mark.parametrize(
    "change", [{"reason": "because"}, {"reason": None}, {"until": "soon"}, {"until": None}, {"all": True}]
)
def test_an_exception_needs_a_reason_and_a_day(change: dict[str, object]) -> None:
    """A word is none."""
    entry = {
        "id": "CVE-2026-1",
        "lock": "emulator",
        "package": "old-thing",
        "version": "1.0",
        "reason": "nothing here calls it, and there is no newer one",
        "until": "2026-12-31",
    }
    assert msgspec.convert(entry, Accepted, strict=False)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**entry, **change}, Accepted, strict=False)


def test_what_is_accepted_is_locked() -> None:
    """The real list; `make audit` also holds it against the day and the service."""
    listed = msgspec.toml.decode(
        (REPOSITORY / "supply_chain/advisories.toml").read_bytes(), type=AcceptedList
    )
    locks = read_locks(REPOSITORY / "requirements")
    assert stale(listed.accepted, locks, min(each.until for each in listed.accepted)) == []
    assert [each.id for each in listed.accepted if each.lock in {"service", "client"}] == []
