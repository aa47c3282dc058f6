"""`make audit` as a command: pip-audit over HTTP against a service on this machine, and the exit codes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.supply_chain.osv import BASICS, WELL_KNOWN, advisory, serving
from tests.supply_chain.repository import Repository
from tests.supply_chain.tools import TOOLS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supply_chain.tools import Ended

pytestmark = pytest.mark.supply_tools

BAD = {**BASICS, ("pleasant", "1.0"): [advisory("pleasant", "GHSA-1", alias="CVE-2026-1", fixed="1.1")]}
ACCEPTED = """
[[accepted]]
id = "CVE-2026-1"
lock = "service"
package = "pleasant"
version = "1.0"
reason = "nothing here calls it, and there is no newer one"
until = 2026-12-31
"""
VAGUE = '[[reading]]\npackage = "vague"\nlicence = "MIT"\nread = "https://vague.example/LICENSE"\n'


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One that has nothing to object to."""
    made = Repository(tmp_path)
    made.lock("pleasant==1.0", "vague==1.0")
    made.install("vague", "1.0")
    made.policy(VAGUE)
    return made


def audit(repository: Repository, service: str, *options: str) -> Ended:
    """Run it on a day in November."""
    folder = str(repository.folder)
    given = ["--root", folder, "--policy", folder, "--service", service, "--today", "2026-11-24", *options]
    return TOOLS.run("-m", "supply_chain.audit", *given)


def test_every_pin_is_asked_about(repository: Repository) -> None:
    """Of every interpreter and system, with one that is known to be bad."""
    repository.lock(
        "pleasant==1.0", "vague==1.0", "numbered==1.0 ; python_full_version < '3.12'", "numbered==2.0"
    )
    repository.install("numbered", "2.0", "License: MIT")
    with serving(BASICS) as service:
        ended = audit(repository, service.address, "--complete")
    assert (ended.code, ended.complained) == (0, "")
    numbered, others = [("numbered", "1.0"), ("numbered", "2.0")], [("pleasant", "1.0"), ("vague", "1.0")]
    assert sorted(service.asked) == [WELL_KNOWN, *numbered, *others]
    assert ended.said.splitlines() == [
        "licences  service: 3 distributions",
        "advisories  4 versions of 1 locks: 0 findings",
    ]


def test_a_finding_fails_it(repository: Repository) -> None:
    """And says what and where."""
    with serving(BAD) as service:
        ended = audit(repository, service.address)
    assert ended.code == 1
    assert "FAULT  service: pleasant 1.0 has CVE-2026-1 = GHSA-1 (fixed in 1.1)" in ended.said


def test_an_explained_finding_does_not(repository: Repository) -> None:
    """By its reason, until its day."""
    repository.accepted(ACCEPTED)
    with serving(BAD) as service:
        assert audit(repository, service.address).code == 0
        late = audit(repository, service.address, "--today", "2027-01-01")
    assert late.code == 1
    assert "was accepted until 2026-12-31" in late.said


def test_an_exception_that_nothing_reports_fails_it(repository: Repository) -> None:
    """It is not needed any more."""
    repository.accepted(ACCEPTED)
    with serving(BASICS) as service:
        ended = audit(repository, service.address)
    assert ended.code == 1
    assert "the advisory service does not report it" in ended.said


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1/query"


def test_a_service_out_of_reach_is_skipped_by_name(repository: Repository, nowhere: str) -> None:
    """The rest is looked at all the same, and nothing claims that there were no findings."""
    ended = audit(repository, nowhere)
    assert ended.code == 0
    assert "SKIPPED  vulnerability audit: 127.0.0.1 cannot be reached" in ended.said
    assert "findings" not in ended.said
    repository.accepted(ACCEPTED.replace("1.0", "0.9"))
    assert audit(repository, nowhere).code == 1


def test_a_release_skips_nothing(repository: Repository, nowhere: str) -> None:
    """It was not carried out, which is not a good result."""
    ended = audit(repository, nowhere, "--complete")
    assert ended.code == 2
    assert "--complete" in ended.complained


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (429, b"{}"), (200, b"<html>please sign in</html>"), (200, b"{}")]
)
def test_a_service_that_does_not_know_is_not_believed(
    repository: Repository, status: int, body: bytes
) -> None:
    """Neither out of order, nor a page in between, nor one that knows of no vulnerability at all."""
    with serving(BASICS) as service:
        service.status, service.instead = status, body
        ended = audit(repository, service.address)
    assert ended.code == 2
    assert ended.complained.startswith("audit not carried out: vulnerability audit: ")


def test_a_licence_fails_it(repository: Repository) -> None:
    """Whatever the service says."""
    repository.policy(VAGUE.replace("MIT", "AGPL-3.0-only"))
    with serving(BASICS) as service:
        ended = audit(repository, service.address)
    assert ended.code == 1
    assert "FAULT  service: vague 1.0 has the licence AGPL-3.0-only" in ended.said


def test_an_environment_that_is_not_made_is_skipped_by_name(repository: Repository) -> None:
    """And a release needs it."""
    (repository.folder / ".venv/.ready").unlink()
    with serving(BASICS) as service:
        assert (
            "SKIPPED  licences of requirements/service.txt: .venv is not made"
            in audit(repository, service.address).said
        )
        assert audit(repository, service.address, "--complete").code == 2


def test_a_lock_that_cannot_be_read_is_not_passed_over(repository: Repository) -> None:
    """Nor one without hashes."""
    (repository.folder / "requirements/more.txt").write_text("pleasant==1.0\n", encoding="utf-8")
    ended = audit(repository, "http://127.0.0.1:9/")
    assert (ended.code, ended.said) == (2, "")
    assert "is not an exact version with hashes" in ended.complained
