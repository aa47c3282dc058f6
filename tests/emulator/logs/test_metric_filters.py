"""What metric filters count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from smas_emulator.errors import StackError
from smas_emulator.log_groups import GROUPS, metric_filter
from smas_emulator.logs.errors import InvalidPatternError
from smas_emulator.logs.metric_filters import Counted, check_value, counted

FOLDER = Path(__file__).parents[3] / "infra" / "metric-filters"
FILTERS = {
    file.stem: asked for file in sorted(FOLDER.glob("*.json")) if (asked := metric_filter(file)) is not None
}
LINES = {
    "forbidden": {"audit": "refusal", "error_code": "forbidden"},
    "unauthenticated": {"audit": "refusal", "error_code": "unauthenticated"},
    "session": {"audit": "session", "role": "auditor"},
    "unknown": {"audit": "unknown_session", "role": "auditor"},
    "request": {"message": "request", "status": 403},
}


def events(*names: str) -> list[dict[str, Any]]:
    """Lines of the log as they come in, a second apart."""
    return [
        {"timestamp": number * 1000, "message": json.dumps(LINES[name])} for number, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("refusals", {"forbidden", "unauthenticated"}),
        ("unauthenticated", {"unauthenticated"}),
        ("unknown-sessions", {"unknown"}),
    ],
)
def test_each_filter_of_the_store_counts_its_lines(name: str, counts: set[str]) -> None:
    """One for each line it means, at the line's time; nothing of the other lines."""
    for line in LINES:
        values = [each.value for each in counted([FILTERS[name]], events(line))]
        assert values == [1.0 if line in counts else 0.0]


def test_values_have_the_times_of_their_lines() -> None:
    """Two of three lines are refusals: two values, at their lines' times."""
    found = counted([FILTERS["refusals"]], events("forbidden", "session", "unauthenticated"))

    assert found == [Counted("SMAS", "Refusals", 1.0, 0), Counted("SMAS", "Refusals", 1.0, 2000)]


def test_without_a_default_nothing_is_reported_of_nothing() -> None:
    """A default value is reported where nothing matches; without one, no value is."""
    filters = [{"filterPattern": "x", "metricTransformations": [_change()]}]

    assert counted(filters, events("session")) == []
    assert counted([FILTERS["refusals"]], []) == []


def test_every_file_is_one_filter_of_a_known_group() -> None:
    """Each file is named as its filter; all metrics are in the namespace SMAS and have a default."""
    assert set(FILTERS) == {"refusals", "unauthenticated", "unknown-sessions"}
    for name, asked in FILTERS.items():
        assert asked["filterName"] == name
        assert asked["logGroupName"] in GROUPS.values()
        (change,) = asked["metricTransformations"]
        assert change["metricNamespace"] == "SMAS"
        assert change["defaultValue"] == 0.0
        check_value([change])


@pytest.mark.parametrize("name", ["denied-calls", "gateway-throttles"])
def test_log_groups_that_only_aws_has_are_left_out(name: str) -> None:
    """Nothing writes them here, so there is nothing to filter."""
    assert metric_filter(FOLDER / f"{name}.json") is None


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', '{"name": "x", "log_group": "nobody"}'])
def test_another_file_is_named(tmp_path: Path, text: str) -> None:
    """A file that describes no filter ends a start with its name."""
    file = tmp_path / "odd.json"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(StackError, match=r"odd\.json does not describe a metric filter"):
        metric_filter(file)


def test_a_value_out_of_the_event_is_refused() -> None:
    """What is not supported does not count something else instead."""
    with pytest.raises(InvalidPatternError, match=r"\$\.size"):
        check_value([_change(value="$.size")])


def _change(value: str = "1") -> dict[str, Any]:
    return {"metricNamespace": "N", "metricName": "M", "metricValue": value}
