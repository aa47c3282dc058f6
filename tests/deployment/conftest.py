"""A Terraform configuration that needs no provider, and programs that only say what they are asked."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from deployment.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TINY = """\
terraform {
  required_version = ">= 1.4"
}

variable "greeting" {
  type    = string
  default = "hello"

  validation {
    condition     = length(var.greeting) < 20
    error_message = "greeting must be short."
  }
}

variable "seconds" {
  default = 0
}

resource "terraform_data" "first" {
  input = var.greeting

  provisioner "local-exec" {
    command = "sleep ${var.seconds}"
  }
}

resource "terraform_data" "second" {
  input = terraform_data.first.output

  lifecycle {
    prevent_destroy = true
  }
}

output "said" {
  value = terraform_data.second.output
}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Terraform:
    """Terraform on a configuration of two things that are nowhere."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on the path")
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "main.tf").write_text(TINY, encoding="utf-8")
    terraform = Terraform(folder, os.environ, lock_seconds=0)
    terraform.init()
    return terraform


@pytest.fixture
def programs(tmp_path: Path) -> Callable[[str, str], dict[str, str]]:
    """Puts a shell script on a path that has nothing else of its name; answers the environment for it."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def add(name: str, script: str) -> dict[str, str]:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
        return {"PATH": f"{folder}:/usr/bin:/bin", "CALLS": str(tmp_path / "calls")}

    return add
