"""Whether a real account is asked for, and whether it is the one that the credentials are of."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment.errors import DeploymentError
from deployment.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT, OUTPUTS = "SMAS_TEST_AWS", "SMAS_TEST_OUTPUTS"
INFRA = Path(__file__).parents[2] / "infra"
_ROOT = re.compile(r"arn:[a-z-]+:iam::\d{12}:root")


class NotAsked(Exception):
    """Nothing is done in an account that was not asked for; the message says what to do."""


@dataclass(frozen=True)
class Caller:
    """Whose credentials the environment holds, as STS says."""

    account: str
    arn: str


def asked_account(environment: Mapping[str, str]) -> str | None:
    """The account that is asked for, None for the local AWS. Raises `NotAsked` for what is no id."""
    wanted = environment.get(ACCOUNT)
    if wanted is None:
        return None
    if not re.fullmatch(r"\d{12}", wanted, re.ASCII):
        message = f"{ACCOUNT} must be the twelve digits of the account to test in, and is {wanted!r}."
        raise NotAsked(message)
    return wanted


def require(account: str, caller: Caller, outputs: Mapping[str, Any]) -> None:
    """Raise `NotAsked` unless caller and store are of the account, and the caller can test in it."""
    if caller.account != account:
        message = (
            f"{ACCOUNT} asks for account {account}, and the credentials of the environment are of "
            f"{caller.account} ({caller.arn}): take others, as AWS_PROFILE=…"
        )
        raise NotAsked(message)
    if _ROOT.fullmatch(caller.arn):
        raise NotAsked(
            "These are the credentials of the account's root, who can assume no role: take others."
        )
    settings = outputs.get("service_settings")
    if not settings:
        message = f"There are no outputs of a store: deploy one first, or name its outputs ({OUTPUTS}=…)."
        raise NotAsked(message)
    owner = settings["SMAS_ROLE_PREFIX"].split(":")[4]
    if owner != account:
        message = f"The store in Terraform's state is of account {owner}, and {ACCOUNT} asks for {account}."
        raise NotAsked(message)


def outputs_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """What Terraform puts out: from its state, or as `terraform output -json` wrote it to a file."""
    file = environment.get(OUTPUTS)
    if file:
        written = json.loads(Path(file).read_text(encoding="utf-8"))
        return {name: output["value"] for name, output in written.items()}
    try:
        return dict(Terraform(INFRA, environment).outputs())
    except DeploymentError as error:
        message = (
            f"`make plan` opens the store's state, or name its outputs ({OUTPUTS}=…). Terraform says: {error}"
        )
        raise NotAsked(message) from error
