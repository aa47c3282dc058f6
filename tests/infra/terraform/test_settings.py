"""What is deployed is configured by Terraform's outputs: every setting a process reads, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.settings import SettingsError, service_settings, worker_settings

if TYPE_CHECKING:
    from collections.abc import Callable

INFRA = Path(__file__).parents[3] / "infra"
# Where AWS is, if not at AWS.
LOCAL_ONLY = {"AWS_ENDPOINT_URL", "SMAS_S3_PUBLIC_URL"}


class _Asked(Mapping[str, str]):
    """An environment without variables that remembers which it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _read_by(settings: Callable[[Mapping[str, str]], object]) -> set[str]:
    environ = _Asked()
    with pytest.raises(SettingsError):
        settings(environ)
    return environ.names - LOCAL_ONLY


def _given(name: str) -> set[str]:
    """The names in one of the maps of ``settings.tf``."""
    text = (INFRA / "settings.tf").read_text(encoding="utf-8")
    (body,) = re.findall(
        rf"\n  {name} = (?:merge\(local\.shared_settings, )?\{{\n(.*?)\n  \}}", text, re.DOTALL
    )
    return set(re.findall(r"^    ([A-Z_]+) +=", body, re.MULTILINE))


@pytest.mark.parametrize(
    ("settings", "given"),
    [(service_settings, "service_settings"), (worker_settings, "worker_settings")],
)
def test_the_outputs_are_the_settings(settings: Callable[[Mapping[str, str]], object], given: str) -> None:
    """None is missing and none is read by nobody; those of the local stack alone are left out."""
    assert _given("shared_settings") | _given(given) == _read_by(settings)


@pytest.mark.parametrize(
    ("function", "given"), [("api", "service_settings"), ("verifier", "worker_settings")]
)
def test_a_functions_environment_is_the_output(function: str, given: str) -> None:
    """Without what Lambda sets itself."""
    text = (INFRA / "lambda.tf").read_text(encoding="utf-8")
    (resource,) = re.findall(rf'resource "aws_lambda_function" "{function}" \{{\n(.*?)\n\}}', text, re.DOTALL)
    (variables,) = re.findall(r"environment \{\n +variables = (.*)\n", resource)
    kept = (
        f"{{ for name, value in local.{given} : name => value if !contains(local.reserved_settings, name) }}"
    )
    assert variables == kept
    outputs = (INFRA / "outputs.tf").read_text(encoding="utf-8")
    assert re.search(rf'output "{given}" \{{\n.*\n  value +=  ?local\.{given}\n', outputs)
