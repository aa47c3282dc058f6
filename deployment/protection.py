"""What Terraform itself protects from destruction, and the override that lifts it in a working copy."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from deployment.terraform import Resource

_RESOURCE: Final = re.compile(r'^resource "([^"]+)" "([^"]+)" \{$(.*?)^\}$', re.MULTILINE | re.DOTALL)
_PREVENTED: Final = re.compile(r"^\s*prevent_destroy\s*=\s*true\s*$", re.MULTILINE)
_MODULE: Final = re.compile(r'^\s*source\s*=\s*"\./([^"]+)"\s*$', re.MULTILINE)

# Protections that are AWS's own or the provider's, by the type of resource: they have to be applied before
# a destruction.
_SWITCHES: Final = {
    "aws_cognito_user_pool": ("deletion_protection", "INACTIVE"),
    # With the history of what was asked.
    "aws_athena_workgroup": ("force_destroy", True),
}


def lifted(infra: Path) -> dict[str, str]:
    """The overrides that lift every protection, by the folder of the module that they are for."""
    overrides = {}
    for folder in [".", *_modules(infra)]:
        blocks = [
            block
            for file in sorted((infra / folder).glob("*.tf"))
            for block in _blocks(file.read_text(encoding="utf-8"))
        ]
        if blocks:
            overrides[folder] = "# Written for one destruction.\n\n" + "\n\n".join(blocks) + "\n"
    return overrides


def switched_on(resources: Iterable[Resource]) -> list[str]:
    """The addresses of what has a protection on that must be applied away."""
    return [
        resource.address
        for resource in resources
        if resource.type in _SWITCHES
        and resource.values.get(_SWITCHES[resource.type][0]) != _SWITCHES[resource.type][1]
    ]


def _blocks(text: str) -> list[str]:
    blocks = []
    for kind, name, body in _RESOURCE.findall(text):
        lines = []
        if kind in _SWITCHES:
            argument, value = _SWITCHES[kind]
            lines.append(f"{argument} = {json.dumps(value)}")
        if _PREVENTED.search(body):
            lines += ["lifecycle {", "  prevent_destroy = false", "}"]
        if lines:
            inside = "\n".join(f"  {line}" for line in lines)
            blocks.append(f'resource "{kind}" "{name}" {{\n{inside}\n}}')
    return blocks


def _modules(infra: Path) -> list[str]:
    """Folders of local modules, those of modules included."""
    found: list[str] = []
    waiting = ["."]
    while waiting:
        folder = waiting.pop()
        for file in sorted((infra / folder).glob("*.tf")):
            for source in _MODULE.findall(file.read_text(encoding="utf-8")):
                name = source if folder == "." else f"{folder}/{source}"
                if name not in found:
                    found.append(name)
                    waiting.append(name)
    return found
