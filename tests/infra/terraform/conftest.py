"""Each configuration is initialized once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.terraform.command import Terraform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Terraform]:
    """What gives an initialized configuration by its folder."""
    ready: dict[Path, Terraform] = {}

    def of(configuration: Path) -> Terraform:
        if configuration not in ready:
            command = Terraform(configuration, tmp_path_factory.mktemp("terraform"))
            command.init()
            ready[configuration] = command
        return ready[configuration]

    return of
