"""The licence policy: denied by default, explained one by one, and nothing in it that nothing needs."""

from __future__ import annotations

import re
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supply_chain.licences import Policy, allows, check, read_policy
from supply_chain.locks import read_locks
from supply_chain.metadata import installed
from tests.local_aws import REPOSITORY
from tests.supply_chain.repository import Repository

IDS = ("MIT", "Apache-2.0", "GPL-3.0-only", "BSD-3-Clause")
READ = sha256(b"do as you like").hexdigest()
expressions = st.recursive(
    st.sampled_from(IDS),
    lambda inner: st.tuples(inner, st.sampled_from(("AND", "OR")), inner).map(lambda e: f"({' '.join(e)})"),
)
allowed_sets = st.frozensets(st.sampled_from(IDS))


@given(expressions, expressions, allowed_sets)
def test_an_or_needs_one_side_and_an_and_both(one: str, other: str, allowed: frozenset[str]) -> None:
    """Whatever stands on the sides."""
    assert allows(allowed, f"({one}) OR ({other})") == (allows(allowed, one) or allows(allowed, other))
    assert allows(allowed, f"({one}) AND ({other})") == (allows(allowed, one) and allows(allowed, other))


@given(expressions, allowed_sets, allowed_sets)
def test_allowing_more_forbids_nothing(
    expression: str, allowed: frozenset[str], more: frozenset[str]
) -> None:
    """And nothing is allowed where nothing is."""
    assert not allows(frozenset(), expression)
    assert not allows(allowed, expression) or allows(allowed | more, expression)


def test_an_exception_to_a_licence_is_a_licence_of_its_own() -> None:
    """Somebody has to decide on it."""
    expression = "GPL-2.0-only WITH Classpath-exception-2.0"
    assert not allows(frozenset({"GPL-2.0-only"}), expression)
    assert allows(frozenset({expression}), expression)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository whose one distribution names its licence."""
    return Repository(tmp_path)


def faults(repository: Repository) -> tuple[str, ...]:
    """What the check says, without the reading that the file cannot be without."""
    locks = read_locks(repository.folder / "requirements")
    environments = {"service": installed(repository.site_packages)}
    found = check(read_policy(repository.folder), locks, environments).faults
    return tuple(each for each in found if "reading of pleasant is stale" not in each)


def test_what_is_allowed_passes(repository: Repository) -> None:
    """Named by its metadata, in the list."""
    assert faults(repository) == ()


def test_a_new_licence_is_a_fault(repository: Repository) -> None:
    """It says where it came in, and what it is."""
    repository.lock("pleasant==1.0", "greedy==2.0")
    repository.install("greedy", "2.0", "License-Expression: AGPL-3.0-only")
    (fault,) = faults(repository)
    assert fault.startswith(
        "service: greedy 2.0 has the licence AGPL-3.0-only, which licences.toml does not allow"
    )


def test_an_unexplained_distribution_is_a_fault(repository: Repository) -> None:
    """Its metadata is vague and nobody has read."""
    repository.lock("pleasant==1.0", "vague==2.0")
    repository.install("vague", "2.0", "License: BSD")
    (fault,) = faults(repository)
    assert fault == "service: vague 2.0 says 'BSD': read its licence and note it in licences.toml"


def test_one_for_another_system_has_to_be_explained_too(repository: Repository) -> None:
    """Its metadata cannot be read here; somebody's is."""
    repository.lock("pleasant==1.0", "windowed==2.0 ; sys_platform == 'win32'")
    assert faults(repository) == (
        "service: windowed 2.0 is not for this system: read its licence and note it in licences.toml",
    )


def reading(package: str, licence: str = "BSD-3-Clause", digest: str = READ) -> str:
    """A reading of a package's file LICENSE."""
    fields = {"package": package, "licence": licence, "read": "LICENSE"}
    lines = (f'{name} = "{value}"\n' for name, value in fields.items())
    return f'[[reading]]\n{"".join(lines)}sha256 = ["{digest}"]\n'


def test_a_reading_explains_it(repository: Repository) -> None:
    """As long as it is of the text that is there."""
    repository.lock("pleasant==1.0", "vague==2.0")
    repository.install("vague", "2.0", "License: BSD")
    repository.policy(reading("vague"))
    assert faults(repository) == ()
    repository.policy(reading("vague", "GPL-3.0-only"))
    assert ["does not allow" in each for each in faults(repository)] == [True]


def test_another_text_has_to_be_read_again(repository: Repository) -> None:
    """A licence may change where the metadata stays vague."""
    repository.lock("pleasant==1.0", "vague==2.0")
    repository.install("vague", "2.0", "License: BSD", licence="do as I like")
    repository.policy(reading("vague"))
    assert ["read it again" in each for each in faults(repository)] == [True, False]
    assert faults(repository)[1].endswith(f"no version has the text {READ} any more")


@pytest.mark.parametrize(
    ("package", "why"), [("gone", "no lock has it"), ("exact", "its metadata names the licence now")]
)
def test_a_reading_that_nothing_needs_is_a_fault(repository: Repository, package: str, why: str) -> None:
    """It would go on excusing."""
    repository.lock("pleasant==1.0", "exact==1.0")
    repository.install("exact", "1.0", "License-Expression: MIT")
    repository.policy(reading(package))
    assert faults(repository) == (f"licences.toml: the reading of {package} is stale: {why}",)


def test_a_lock_without_a_use_is_a_fault(repository: Repository) -> None:
    """A new lock is denied everything until somebody says what it is for."""
    policy = msgspec.structs.replace(read_policy(repository.folder), use={})
    found = check(policy, read_locks(repository.folder / "requirements"), {"service": {}}).faults
    assert "service: no use in licences.toml names this lock, so nothing is allowed in it" in found


def test_an_environment_that_is_not_the_lock_is_a_fault(repository: Repository) -> None:
    """What was looked at would be something else."""
    repository.lock("pleasant==1.1")
    assert faults(repository) == ("service: pleasant 1.1 is locked, 1.0 installed: make it again",)
    repository.lock("pleasant==1.0", "absent==1.0")
    assert faults(repository) == ("service: absent 1.0 is locked, nothing installed: make it again",)


def test_tools_may_have_what_the_image_may_not() -> None:
    """And the image nothing that asks for more than its notice."""
    policy = read_policy(REPOSITORY / "supply_chain")
    shipped, tools = policy.allowed_for(policy.use["shipped"]), policy.allowed_for(policy.use["tools"])
    assert shipped < tools
    assert not [each for each in shipped if each.startswith(("GPL", "AGPL", "LGPL", "MPL", "EPL", "SSPL"))]
    assert not [each for each in tools if each.startswith(("AGPL", "SSPL"))]


@pytest.mark.parametrize("name", ["shipped", "local", "tools"])
def test_each_use_is_documented_with_its_locks(name: str) -> None:
    """All of them, as `licences.toml` has them."""
    page = (REPOSITORY / "docs" / "supply-chain.md").read_text(encoding="utf-8")
    (locks,) = re.findall(rf"^\| {name} \|([^|]*)\|", page, re.MULTILINE)
    policy = read_policy(REPOSITORY / "supply_chain")
    assert re.findall("`([^`]*)`", locks) == list(policy.use[name].locks)


def test_there_is_no_use_beside_the_documented_ones() -> None:
    """Nor a lock without one."""
    policy = read_policy(REPOSITORY / "supply_chain")
    assert policy.use.keys() == {"shipped", "local", "tools"}
    assert {lock.name for lock in read_locks(REPOSITORY / "requirements")} == {
        lock for use in policy.use.values() for lock in use.locks
    }


def test_what_we_ship_is_within_the_policy() -> None:
    """The locks of the image and the client, which this environment holds; `make audit` looks at all."""
    policy: Policy = read_policy(REPOSITORY / "supply_chain")
    (site_packages,) = Path(sys.prefix).glob("lib/python3*/site-packages")
    here = installed(site_packages)
    found = check(policy, read_locks(REPOSITORY / "requirements"), {"service": here, "client": here})
    assert found.counted.keys() == {"service", "client"}
    assert found.faults == ()
