"""One process of the provider for all commands: Terraform alone starts four of them for each `run` of a test.

https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode
"""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_VARIABLE: Final = "TF_REATTACH_PROVIDERS"
_LONGEST_START: Final = 120.0


@contextmanager
def running_provider(data: Path) -> Iterator[Mapping[str, str]]:
    """The provider that `terraform init` found to be the locked one, until the end of the block.

    Gives the variables that have Terraform use it.
    """
    (program,) = data.glob("providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*")
    said = data / "provider.log"
    with said.open("w", encoding="utf-8") as log:
        process = subprocess.Popen([program, "-debug"], stdout=log, stderr=subprocess.STDOUT)
    try:
        yield {_VARIABLE: _address(process, said)}
    finally:
        process.terminate()
        process.wait(timeout=60)


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    deadline = time.monotonic() + _LONGEST_START
    while not (found := re.search(rf"{_VARIABLE}='(.*)'", text := said.read_text(encoding="utf-8"))):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The provider did not start: {text[-2000:]}", pytrace=False)
        time.sleep(0.1)
    return found[1]
