"""Which store the variables make, as Terraform itself reads them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from deployment.configuration import INFRA, read_configuration
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the path")


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "cn-north-1"])
def test_a_store_may_be_in_any_region(tmp_path: Path, region: str) -> None:
    """No image is needed to know it, which would have to be there; and REGION=… goes before the file."""
    file = tmp_path / "our.tfvars"
    text = 'name = "bank"\naccount = "111122223333"\nteams = ["fraud"]\nalarm_emails = []\n'
    file.write_text(f'region = "{region}"\n{text}', encoding="utf-8")

    found = read_configuration(INFRA, [file], None, os.environ)

    assert (found.region, found.name, found.account) == (region, "bank", "111122223333")
    assert set(found.reserved_concurrency) == {"bank-api", "bank-verifier", "bank-token-groups"}
    moved = read_configuration(INFRA, [file], "eu-west-1", os.environ)
    assert moved.region == "eu-west-1"
    assert moved.given("image") == {"region": "eu-west-1", "image": "image"}


@pytest.mark.parametrize(("size", "name"), [("small", "smas"), ("large", "bank-models")])
def test_the_examples_are_stores(size: str, name: str) -> None:
    """What one begins with is read as it is."""
    assert read_configuration(INFRA, [INFRA / f"{size}.tfvars"], None, os.environ).name == name


def test_what_a_variable_may_not_be_is_said_in_its_own_words(tmp_path: Path) -> None:
    """Before AWS is asked for anything."""
    file = tmp_path / "our.tfvars"
    file.write_text('region = "Frankfurt"\nteams = ["fraud"]\n', encoding="utf-8")
    with pytest.raises(DeploymentError, match="region must be the name of an AWS region"):
        read_configuration(INFRA, [file], None, os.environ)
