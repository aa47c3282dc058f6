"""checkov finds in `infra/` what is explained in `infra/checkov.yaml`, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml  # type: ignore[import-untyped]  # comes with other libraries, without types

from tests.infra.terraform.configurations import INFRA, name_of, terraform_files

if TYPE_CHECKING:
    from pathlib import Path

# An environment of its own: `make infra-check` makes it.
CHECKOV: Final = INFRA.parent / ".venv" / "infra" / "bin" / "checkov"
EXPLAINED: Final = INFRA / "checkov.yaml"
FEWEST_CHECKS: Final = 200


def explained() -> list[tuple[str, str]]:
    """Check and resource of each finding that stays."""
    entries = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8"))
    return [(entry["check"], resource) for entry in entries for resource in entry["resources"]]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What checkov says of `infra/`."""
    if not CHECKOV.exists():
        pytest.skip("checkov is not installed: `make infra-check` does it")
    ended = subprocess.run(
        [
            str(CHECKOV),
            f"--directory={INFRA}",
            "--framework=terraform",
            # Tests of Terraform, which it takes for configurations.
            "--skip-path=/tests/",
            "--skip-download",
            "--compact",
            "--output=json",
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.stdout.startswith("{"), ended.stdout + ended.stderr
    return dict(json.loads(ended.stdout))


@pytest.mark.timeout(600)
def test_only_what_is_explained_is_found(report: dict[str, Any]) -> None:
    """Each finding is explained, and each explanation has its finding."""
    found = {
        (each["check_id"], re.sub(r"\[.*?\]", "", each["resource"]))
        for each in report["results"]["failed_checks"]
    }

    assert found - set(explained()) == set(), "explain it in infra/checkov.yaml, or mend it"
    assert set(explained()) - found == set(), "no longer found: take it out of infra/checkov.yaml"


@pytest.mark.timeout(600)
def test_checkov_understood_everything(report: dict[str, Any]) -> None:
    """It could read every file, ran its checks, and skipped none."""
    assert report["results"]["parsing_errors"] == []
    assert report["results"]["skipped_checks"] == []
    assert report["summary"]["passed"] >= FEWEST_CHECKS


def test_each_explanation_has_a_reason_and_stands_once() -> None:
    """A reason is a sentence; no finding is explained twice."""
    entries = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8"))

    assert all(set(entry) == {"check", "resources", "reason"} for entry in entries)
    assert all(len(entry["reason"]) > 40 for entry in entries)
    assert max(Counter(explained()).values()) == 1


@pytest.mark.parametrize("file", terraform_files(), ids=name_of)
def test_nothing_is_skipped_by_a_comment(file: Path) -> None:
    """checkov, trivy and tfsec take comments in the code for orders."""
    orders = re.findall(
        r"(?:checkov|bridgecrew|tfsec|trivy):(?:skip|ignore)", file.read_text(encoding="utf-8")
    )

    assert orders == []
