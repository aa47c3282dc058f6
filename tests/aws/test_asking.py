"""A real account is tested in only when it is asked for by its own id, and no door stays open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.aws import door
from tests.aws.asked import ACCOUNT, OUTPUTS, Caller, NotAsked, asked_account, outputs_of, require
from tests.aws.door import SID, trust_policy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws.deployed import Deployed

ID = "111122223333"
SOMEBODY = Caller(ID, f"arn:aws:iam::{ID}:user/somebody")
STORE = {"service_settings": {"SMAS_ROLE_PREFIX": f"arn:aws:iam::{ID}:role/smas-"}}


def test_nothing_is_asked_for_by_default() -> None:
    """Credentials in the environment are not enough."""
    assert asked_account({"AWS_ACCESS_KEY_ID": "AKIA", "AWS_PROFILE": "production"}) is None
    assert asked_account({ACCOUNT: ID}) == ID


@pytest.mark.parametrize(
    "said", ["", "1", "yes", "true", "11112222333", "1111222233334", "11112222333a", " " + ID]
)
def test_an_account_is_asked_for_by_its_id(said: str) -> None:
    """A switch that somebody left on asks for no account."""
    with pytest.raises(NotAsked, match="twelve digits"):
        asked_account({ACCOUNT: said})


def test_the_account_that_is_asked_for_is_taken() -> None:
    """With credentials of it, and a store in it."""
    require(ID, SOMEBODY, STORE)


@pytest.mark.parametrize(
    ("caller", "outputs", "why"),
    [
        (Caller("444455556666", "arn:aws:iam::444455556666:user/somebody"), STORE, "are of 444455556666"),
        (Caller(ID, f"arn:aws:iam::{ID}:root"), STORE, "root"),
        (Caller(ID, f"arn:aws-cn:iam::{ID}:root"), STORE, "root"),
        (SOMEBODY, {}, "no outputs of a store"),
        (
            SOMEBODY,
            {"service_settings": {"SMAS_ROLE_PREFIX": "arn:aws:iam::444455556666:role/smas-"}},
            "is of account 444455556666",
        ),
    ],
)
def test_any_other_is_refused(caller: Caller, outputs: dict[str, Any], why: str) -> None:
    """Before anything is asked of it: other credentials, its root, no store, another account's store."""
    with pytest.raises(NotAsked, match=why):
        require(ID, caller, outputs)


def test_outputs_may_come_from_a_file(tmp_path: Path) -> None:
    """As `terraform output -json` writes it, where the state is out of reach."""
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({"url": {"sensitive": False, "type": "string", "value": "https://store"}}))
    assert outputs_of({OUTPUTS: str(file)}) == {"url": "https://store"}


def test_the_door_is_for_this_caller_and_for_a_while(deployed: Deployed) -> None:
    """Of all statements one is ours, with an end of its own; nobody else comes in by it."""
    iam = deployed.root_client("iam")
    for process in ("service", "worker"):
        role = f"{deployed.role_name_prefix}{process}"
        found = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        (ours,) = [each for each in found["Statement"] if each.get("Sid") == SID]
        assert ours["Principal"] == {"AWS": deployed.caller.arn}
        assert list(ours["Condition"]) == ["DateLessThan"]


def test_a_door_shuts_by_itself(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opened it may be killed: after its time nobody comes in. Shut, all is as it was before."""
    iam, role = deployed.root_client("iam"), f"{deployed.role_name_prefix}{deployed.spare_role}"
    before = trust_policy(iam, role)
    monkeypatch.setattr(door, "OPEN_FOR", -door.OPEN_FOR)
    sts = deployed.root_client("sts")
    arn = f"{deployed.role_prefix}{deployed.spare_role}"
    with door.opened(iam, [role], deployed.caller.arn), pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=arn, RoleSessionName="too-late")
    after = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    assert after == before
