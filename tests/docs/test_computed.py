"""The tables in the pages are what the sources compute, and the sources say of `infra/` what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from docs.sources import costs, prices, scaling, usage
from docs.sources.__main__ import DOCS, computed
from docs.sources.costs import LARGE, SMALL, Size
from docs.sources.scaling import Load
from docs.sources.tables import filled
from service.domain.parts import PART_BYTES
from tests.docs.terraform_files import INFRA, REPOSITORY, entries, files, resources

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = (DOCS / "deploy.md").read_text(encoding="utf-8")
OPERATIONS = " ".join((DOCS / "operations.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("page", computed(), ids=lambda page: page.name)
def test_a_page_has_what_is_computed(page: Path) -> None:
    """Whoever changes a price or an assumption runs `make docs`."""
    text = page.read_text(encoding="utf-8")
    assert filled(text, computed()[page]) == text


def test_a_missing_place_is_an_error() -> None:
    """Nothing is computed and then not shown."""
    with pytest.raises(ValueError, match="no place"):
        filled("", {"costs": "…"})


def test_keys_are_counted() -> None:
    """Those of the copy apart."""
    keys = {address for address in resources() if address.startswith("aws_kms_key.")}
    copies = {address for address in keys if "replica" in address}
    assert len(copies) == costs.REPLICA_KEYS
    assert len(keys - copies) == costs.KEYS


def test_alarms_are_counted() -> None:
    """As small.tfvars has them: without those of warm environments and of the copy."""
    alarms = INFRA / "alarms.tf"
    functions, letters = entries(alarms, "functions"), entries(alarms, "dead_letters")
    plain = len(entries(alarms, "plain_alarms")) + 2 * len(functions) + len(letters)
    assert plain + len(entries(INFRA / "cloudwatch.tf", "log_alarms")) == costs.PLAIN_ALARMS


def test_filters_and_routes_are_counted() -> None:
    """A filter is a file; a route is open, or the one with tokens."""
    assert len(list((INFRA / "metric-filters").glob("*.json"))) == costs.FILTERS
    api = (INFRA / "api.tf").read_text(encoding="utf-8")
    routes = re.search(r"open_routes = \[(.*?)\]", api, re.DOTALL)
    assert routes
    assert routes[1].count('"') // 2 + 1 == costs.ROUTES


def test_functions_have_the_memory_that_is_paid() -> None:
    """One processor for the API, two for the verifier."""
    functions = (INFRA / "lambda.tf").read_text(encoding="utf-8")
    assert f"one_processor = {costs.FUNCTION_GB * 1024:g}" in functions
    assert "memory_size = 2 * local.one_processor" in functions


def test_the_pool_is_the_one_that_is_paid() -> None:
    """Threat protection comes with Plus."""
    assert any('user_pool_tier = "PLUS"' in text for text in files())


def test_the_version_that_was_counted_goes_in_seven_parts() -> None:
    """Its large file does, and what was counted holds for parts of that size."""
    assert usage.VERSION_BYTES / PART_BYTES == 7


def test_a_price_is_for_what_is_not_free() -> None:
    """And never less than nothing."""
    assert prices.INVOCATIONS.of(1_000_000) == 0
    assert prices.INVOCATIONS.of(3_000_000) == pytest.approx(0.4)
    assert prices.READS.of(0) == 0


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=lambda size: size.name)
def test_no_amount_leaves_the_first_tier_of_its_price(size: Size) -> None:
    """Of S3 Standard, and of what leaves AWS: beyond it the price falls."""
    amounts = {line.price: line.amount for line in costs.monthly(size)}
    assert amounts[prices.STANDARD] <= 50 * 1024
    assert amounts[prices.OUT] <= 10 * 1024


def test_every_price_is_used_and_has_its_page() -> None:
    """None stands there for nothing."""
    text = (DOCS / "sources" / "costs.py").read_text(encoding="utf-8")
    names = [name for name, value in vars(prices).items() if isinstance(value, prices.Price)]
    assert [name for name in names if f"prices.{name}" not in text] == []
    assert all(price.page.startswith("https://aws.amazon.com/") and price.seen for price in prices.ALL)


def test_the_page_says_what_is_assumed() -> None:
    """In the words of the day that people have."""
    assert (usage.PUSHES_A_DAY, usage.PULLS_A_DAY, usage.LOOKS_A_DAY) == (1, 3, 10)
    assert "pushes one version a working day (20 a month), pulls three and looks at ten" in DEPLOY
    assert usage.WORKING_DAYS == 20
    assert (
        f"{SMALL.machine_pulls:,} versions a month in the small store, {LARGE.machine_pulls:,} in the"
        in DEPLOY
    )
    assert f"({usage.REQUEST_SECONDS} s a request)" in DEPLOY
    assert prices.TAKEN in DEPLOY


def test_what_is_said_of_the_bills_is_so() -> None:
    """Which part is the largest, in either."""
    small, large = (costs.monthly(size) for size in (SMALL, LARGE))
    kept, out = (
        next(line.dollars for line in large if line.price is price) for price in (prices.STANDARD, prices.OUT)
    )
    whole = sum(line.dollars for line in large)
    assert 0.7 < kept / whole < 0.8
    assert "bytes kept are three quarters of it" in DEPLOY
    assert out > (whole - kept) / 2
    metrics = next(line.dollars for line in small if line.price is prices.METRICS)
    assert metrics > sum(line.dollars for line in small) / 2


def test_the_large_example_is_added_up() -> None:
    """Its bill, the copy, what tiering saves in either region, and its warm environments."""
    copy, tiering, warm = (dollars for _, dollars in costs.extras(LARGE))
    environments = re.search(r"warm += (\d+)", (INFRA / "large.tfvars").read_text(encoding="utf-8"))
    assert environments
    bill = sum(line.dollars for line in costs.monthly(LARGE))
    whole = bill + copy + 2 * tiering + int(environments[1]) * warm
    assert f"costs some {round(whole, -2):,.0f} USD a month" in DEPLOY


def test_the_readme_has_the_same_bills() -> None:
    """It is the first number that many people see."""
    readme = " ".join((REPOSITORY / "README.md").read_text(encoding="utf-8").split())
    small, large = (
        f"{round(sum(line.dollars for line in costs.monthly(size))):,}" for size in (SMALL, LARGE)
    )
    said = f"about {small} USD a month for 10 people and 1 TB, {large} for 200 people and 50 TB in one region"
    assert said in readme


def test_costs_are_computed_for_any_size() -> None:
    """By the command that the page names."""
    command = [sys.executable, "-m", "docs.sources.costs", "--people", "40", "--terabytes", "8"]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert "8 TB × 1,024" in printed
    assert printed.splitlines()[-1].startswith("| **together** |")


def _people(asked_by_one: float, allowed: float) -> float:
    return allowed / asked_by_one


def test_which_quota_comes_first_is_what_is_computed() -> None:
    """From how many people on, rounded down."""
    one, limit = Load(1), {each.what: each.allowed for each in scaling.LIMITS}
    federation = _people(one.sign_ins, limit["Cognito, UserFederation"])
    authentication = _people(one.authentications, limit["Cognito, UserAuthentication"])
    sts = _people(one.requests, limit["STS, AssumeRole"])
    assert f"UserFederation, from {round(federation, -4):,.0f} people on" in OPERATIONS
    assert f"UserAuthentication from {int(authentication) // 10_000 * 10_000:,} on" in OPERATIONS
    assert f"STS's, from {round(sts, -4):,.0f} people on" in OPERATIONS


def test_the_fleet_is_computed() -> None:
    """Requests to the API, and to S3."""
    requests, reads = scaling.fleet()
    assert f"ask the API {requests:,.0f} times a second and S3 {reads:,.0f} times" in OPERATIONS


def test_the_large_example_carries_the_large_number() -> None:
    """`large.tfvars` has the capacity that the page names, and it is enough."""
    said = re.search(
        r"concurrency = (\d+), verifications = (\d+), requests_per_second = (\d+), burst = (\d+)", OPERATIONS
    )
    assert said
    example = (INFRA / "large.tfvars").read_text(encoding="utf-8")
    names = ("concurrency", "verifications", "requests_per_second", "burst")
    for name, value in zip(names, said.groups(), strict=True):
        assert re.search(rf"{name} += {value}$", example, re.MULTILINE)
    load = Load(max(scaling.PEOPLE))
    assert 2 * load.under_way <= int(said[1])
    assert 2 * load.verifying <= int(said[2])
    assert 2 * load.requests <= int(said[3])


def test_own_ceilings_are_as_the_variables_have_them() -> None:
    """The defaults of `capacity`, and what is fixed."""
    variables = (INFRA / "variables.tf").read_text(encoding="utf-8")
    for name in ("requests_per_second", "concurrency", "verifications"):
        row = re.search(rf"`capacity\.{name}` \| (\d+)", scaling.own_limits())
        assert row
        assert re.search(rf"{name} += optional\(number, {row[1]}\)", variables)
    assert "reserved_concurrent_executions = 10" in (INFRA / "lambda.tf").read_text(encoding="utf-8")
