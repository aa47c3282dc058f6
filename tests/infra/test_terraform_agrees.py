"""What Terraform and the local stack make of the same: policies, what expires and what is announced."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from smas_emulator.policies import Placeholders
from smas_emulator.storage import NOTIFIED_PREFIXES, SHORT_LIVED_PREFIXES

from tests.infra.rendering import AWS_NAMES, NAMES, SHARED, TEMPLATES, VALUES, rendered

if TYPE_CHECKING:
    from pathlib import Path

INFRA = TEMPLATES.parent
TERRAFORM = shutil.which("terraform")


def block(file: str, name: str) -> str:
    """The lines of a map or a list that a local value is, in a file of `infra/`."""
    text = (INFRA / file).read_text(encoding="utf-8")
    found = re.search(rf"^  {name} += (\{{.*?^  \}}|\[.*?\])$", text, re.MULTILINE | re.DOTALL)
    assert found, f"{file} has no local value {name}"
    return found[1]


def test_the_placeholders_are_the_local_stacks() -> None:
    """What a template may name, both renderers give; the keys' own policies need less."""
    named = re.findall(r"^ {4}(\w+) += ", block("main.tf", "placeholders"), re.MULTILINE)
    of_keys = re.findall(r"^ {4}(\w+) += ", block("main.tf", "key_placeholders"), re.MULTILINE)
    assert sorted(named) == sorted(each.name for each in fields(Placeholders))
    assert set(of_keys) < set(named)


def test_the_bucket_forgets_and_announces_the_same() -> None:
    """The same records expire, and the verifier hears of the same kinds."""

    def prefixes(name: str) -> tuple[str, ...]:
        return tuple(f"{kind}/" for kind in json.loads(block("s3.tf", name)))

    assert prefixes("passing") == SHORT_LIVED_PREFIXES
    assert prefixes("notified") == NOTIFIED_PREFIXES


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on the path")
def test_terraform_renders_every_policy_as_the_local_stack_does(tmp_path: Path) -> None:
    """`templatefile` and `string.Template` give the same policy of the same values, for every template."""
    values = {
        "folder": str(TEMPLATES),
        "shared": SHARED,
        "all": VALUES,
        "names": {name: name in NAMES for name in (*NAMES, *AWS_NAMES)},
    }
    (tmp_path / "main.tf").write_text(
        'variable "names" { type = map(bool) }\n'
        'variable "folder" { type = string }\n'
        'variable "shared" { type = map(string) }\n'
        'variable "all" { type = map(string) }\n',
        encoding="utf-8",
    )
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    expression = (
        "jsonencode({ for name, shared in var.names : name => "
        'templatefile("${var.folder}/${name}.json", shared ? var.shared : var.all) })\n'
    )
    console = subprocess.run(
        [str(TERRAFORM), "console"],
        input=expression,
        cwd=tmp_path,
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert console.returncode == 0, console.stderr
    policies = json.loads(json.loads(console.stdout))
    assert {name: json.loads(text) for name, text in policies.items()} == {
        name: rendered(name).document for name in values["names"]
    }
