"""Each configuration is initialized once, and all use one process of the provider."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.infra.terraform.command import Terraform
from tests.infra.terraform.provider_process import running_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Terraform]]:
    """What gives an initialized configuration by its folder."""
    ready: dict[Path, Terraform] = {}
    provider = ExitStack()
    attached: dict[str, str] = {}

    def of(configuration: Path) -> Terraform:
        if configuration not in ready:
            command = Terraform(configuration, tmp_path_factory.mktemp("terraform"))
            command.init()
            if not attached:
                attached.update(provider.enter_context(running_provider(command.data)))
            ready[configuration] = replace(command, attached=attached)
        return ready[configuration]

    with provider:
        yield of
