"""Which store, where: the configuration in `infra/` and the files of variables that make one of it.

Terraform itself reads the variables, so defaults, several files and what is refused are as they will be in
the plan.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deployment.errors import DeploymentError
from deployment.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPOSITORY: Final = Path(__file__).resolve().parent.parent
INFRA: Final = REPOSITORY / "infra"
# An image that there is not, where only its form matters.
NO_IMAGE: Final = "{account}.dkr.ecr.{region}.amazonaws.com/{name}@sha256:" + 64 * "0"
# What runs the three functions of one image at once (infra/lambda.tf), besides `capacity`.
_VERIFIER_SPARE: Final = 1
_TOKEN_GROUPS: Final = 10
_IMAGE: Final = re.compile(r'^variable "image" \{$.*?^\}$', re.MULTILINE | re.DOTALL)
# `bar` writes this one, into a file of its own that any other would go before.
_BARS: Final = re.compile(r'(?:^|[{,])\s*"?barred_identities"?\s*[:=]', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One store, as its variables have it. `account` is the one it belongs to, if they say so."""

    infra: Path
    files: tuple[Path, ...]
    variables: Mapping[str, str]
    region: str
    name: str
    account: str | None
    reserved_concurrency: Mapping[str, int]

    def given(self, image: str) -> dict[str, str]:
        """The variables to name singly to Terraform, beside the files."""
        return {**self.variables, "image": image}

    def placeholder(self, account: str) -> str:
        """An image as this store would run one, whose digest nothing has."""
        return NO_IMAGE.format(account=account, region=self.region, name=self.name)


def read_configuration(
    infra: Path, files: Sequence[Path], region: str | None, environment: Mapping[str, str]
) -> Configuration:
    """What the variables say; `region` goes before what the files have. Nothing is asked of AWS."""
    for file in files:
        if not file.is_file():
            message = f"There is no file {file}; infra/small.tfvars is an example to copy."
            raise DeploymentError(message)
        if _BARS.search(file.read_text(encoding="utf-8", errors="replace")):
            message = (
                f"{file} has barred_identities, and would let in again whom `bar` bars: move them to "
                f"{infra / 'barred.auto.tfvars.json'}, where `bar` and `unbar` write."
            )
            raise DeploymentError(message)
    if not files:
        message = (
            "Which store? Say it with a file of variables: VARS=infra/small.tfvars, or your own copy of it "
            "(infra/README.md has all variables)."
        )
        raise DeploymentError(message)
    variables = {"region": region} if region else {}
    with tempfile.TemporaryDirectory(prefix="smas-variables-") as folder:
        # The variables alone: neither a backend nor a provider is needed to know them. Without the image, as
        # that must be in the very region that is asked for here.
        text = _IMAGE.sub("", (infra / "variables.tf").read_text(encoding="utf-8"))
        (Path(folder) / "variables.tf").write_text(text, encoding="utf-8")
        said = Terraform(Path(folder), environment).evaluate(
            "{ region = var.region, name = var.name, account = var.account, capacity = var.capacity }",
            variables,
            files,
        )
    capacity = said["capacity"]
    name = said["name"]
    return Configuration(
        infra=infra,
        files=tuple(file.resolve() for file in files),
        variables=variables,
        region=said["region"],
        name=name,
        account=said["account"],
        reserved_concurrency={
            f"{name}-api": capacity["concurrency"],
            f"{name}-verifier": capacity["verifications"] + _VERIFIER_SPARE,
            f"{name}-token-groups": _TOKEN_GROUPS,
        },
    )
