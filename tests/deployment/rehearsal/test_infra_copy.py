"""The copy that is applied: the configuration itself, and how addresses are formed."""

from __future__ import annotations

import filecmp
import re
from pathlib import Path

from deployment.rehearsal.endpoints import OVERRIDE
from deployment.rehearsal.infra_copy import INFRA, infra_copy


def test_every_file_of_the_configuration_is_applied_as_it_is(tmp_path: Path) -> None:
    """The override files are all that differs from what is deployed."""
    copy = infra_copy(tmp_path / "infra")

    copied = {file.relative_to(copy) for file in copy.rglob("*") if file.is_file()}
    added = {file for file in copied if not (INFRA / file).exists()}
    assert added == {Path(OVERRIDE), Path("bootstrap") / OVERRIDE}
    same = copied - added
    _, differing, unreadable = filecmp.cmpfiles(INFRA, copy, [str(file) for file in same], shallow=False)
    assert (differing, unreadable) == ([], [])
    wanted = {file.relative_to(INFRA) for file in INFRA.rglob("*.tf") if "tests" not in file.parts}
    assert {
        file for file in wanted if ".terraform" not in file.parts and "backend_override.tf" not in file.name
    } <= same


def test_a_new_copy_holds_nothing_of_an_old_one(tmp_path: Path) -> None:
    """No state, no plan and no resource that the configuration no longer has."""
    copy = infra_copy(tmp_path / "infra")
    (copy / "terraform.tfstate").write_text("{}", encoding="utf-8")
    (copy / "gone.tf").write_text("", encoding="utf-8")

    infra_copy(tmp_path / "infra")

    assert not (copy / "terraform.tfstate").exists()
    assert not (copy / "gone.tf").exists()


def test_every_provider_of_the_configuration_is_overridden(tmp_path: Path) -> None:
    """An override for each alias that there is: Terraform merges only those it finds."""
    copy = infra_copy(tmp_path / "infra")

    for folder in (copy, copy / "bootstrap"):
        given = (folder / OVERRIDE).read_text(encoding="utf-8")
        texts = [file.read_text(encoding="utf-8") for file in folder.glob("*.tf") if file.name != OVERRIDE]
        providers = sum(len(re.findall(r'^provider "aws"', text, re.MULTILINE)) for text in texts)
        aliases = {
            alias for text in texts for alias in re.findall(r'^  alias\s*= "(\w+)"', text, re.MULTILINE)
        }
        assert len(re.findall(r'^provider "aws"', given, re.MULTILINE)) == providers
        assert set(re.findall(r'alias = "(\w+)"', given)) == aliases


def test_the_bootstrap_may_still_say_where_its_first_state_is() -> None:
    """Of two overrides of the backend Terraform takes the later by name, and the script writes its own."""
    script = (INFRA / "bootstrap" / "bootstrap.sh").read_text(encoding="utf-8")

    (written,) = re.findall(r"> (\w+_override\.tf)$", script, re.MULTILINE)
    assert written > OVERRIDE
