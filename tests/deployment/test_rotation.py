"""New material for a key, and a machine's secret changed without a moment in which it has none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from deployment.errors import DeploymentError
from deployment.rotation import begin, finish, rotate_key
from deployment.store import Store
from tests.deployment.fake_aws import FakeAws, refusal

if TYPE_CHECKING:
    from pathlib import Path

STORE = Store("smas", "aws", "111122223333", "eu-central-1", "smas-models", "eu-central-1_pool")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Machine:
    """A client with secrets, and keys that can be turned."""

    secrets: dict[str, datetime] = field(default_factory=lambda: {"first": FIRST})
    turned: list[str] = field(default_factory=list)

    def aws(self) -> FakeAws:
        """The AWS that they are in."""
        return FakeAws(
            {
                "ListUserPoolClients": lambda _: {
                    "UserPoolClients": [
                        {"ClientId": "people", "ClientName": "smas-people"},
                        {"ClientId": "abc", "ClientName": "smas-machine-ci"},
                    ]
                },
                "ListUserPoolClientSecrets": lambda _: {
                    "ClientSecrets": [
                        {"ClientSecretId": name, "ClientSecretCreateDate": made}
                        for name, made in reversed(self.secrets.items())
                    ]
                },
                "AddUserPoolClientSecret": self._add,
                "DeleteUserPoolClientSecret": self._delete,
                "DescribeKey": self._describe,
                "RotateKeyOnDemand": self._rotate,
            }
        )

    def _add(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["ClientId"] == "abc"
        self.secrets["second"] = FIRST + timedelta(days=1)
        return {"ClientSecretDescriptor": {"ClientSecretId": "second", "ClientSecretValue": "hush"}}

    def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        del self.secrets[asked["ClientSecretId"]]
        return {}

    def _rotate(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.turned.append(asked["KeyId"])
        return {}

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["KeyId"] != "alias/smas-bytes":
            raise refusal("NotFoundException")
        return {"KeyMetadata": {"KeyId": "1", "Arn": "arn:aws:kms:eu-central-1:111122223333:key/1"}}


@pytest.fixture
def machine() -> Machine:
    """A machine with one secret."""
    return Machine()


def quiet(_: str) -> None:
    """Nobody listens."""


def test_a_secret_is_changed_in_two_steps(machine: Machine, tmp_path: Path) -> None:
    """Both work in between; the file is for its owner alone, and the older secret is the one that goes."""
    file = tmp_path / "new"
    begin(STORE, machine.aws(), "ci", file, quiet)  # type: ignore[arg-type]
    assert set(machine.secrets) == {"first", "second"}
    assert file.read_text(encoding="utf-8") == "hush\n"
    assert file.stat().st_mode & 0o777 == 0o600

    finish(STORE, machine.aws(), "ci", quiet)  # type: ignore[arg-type]
    assert set(machine.secrets) == {"second"}


def test_the_last_secret_stays(machine: Machine) -> None:
    """A finish without a beginning is told how to begin."""
    with pytest.raises(DeploymentError, match="begin with --output"):
        finish(STORE, machine.aws(), "ci", quiet)  # type: ignore[arg-type]
    assert set(machine.secrets) == {"first"}


def test_a_third_secret_is_not_asked_for(machine: Machine, tmp_path: Path) -> None:
    """Cognito keeps two; and a second one that nobody has got is taken away by its own id."""
    machine.secrets["second"] = FIRST + timedelta(days=1)
    with pytest.raises(DeploymentError, match=r"two secrets already: --finish .*--client-secret-id second$"):
        begin(STORE, machine.aws(), "ci", tmp_path / "new", quiet)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_no_secret_is_made_that_could_not_be_kept(machine: Machine, tmp_path: Path) -> None:
    """It is shown once, and a file that is there is not written over."""
    file = tmp_path / "new"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(DeploymentError, match="nothing was changed"):
        begin(STORE, machine.aws(), "ci", file, quiet)  # type: ignore[arg-type]
    assert (file.read_text(encoding="utf-8"), set(machine.secrets)) == ("mine", {"first"})


def test_a_machine_that_there_is_not_is_said_so(machine: Machine) -> None:
    """Before anything is done."""
    with pytest.raises(DeploymentError, match="no machine 'people'"):
        finish(STORE, machine.aws(), "people", quiet)  # type: ignore[arg-type]


def test_a_key_is_found_by_its_alias_and_turned_by_its_arn(machine: Machine) -> None:
    """KMS takes no alias for it."""
    rotate_key(STORE, machine.aws(), "bytes", quiet)  # type: ignore[arg-type]
    assert machine.turned == ["arn:aws:kms:eu-central-1:111122223333:key/1"]
    with pytest.raises(DeploymentError, match="alias/smas-logs was not rotated"):
        rotate_key(STORE, machine.aws(), "logs", quiet)  # type: ignore[arg-type]


def test_a_secret_that_was_not_made_leaves_no_file(machine: Machine, tmp_path: Path) -> None:
    """It would be in the way of the second try."""
    file, aws = tmp_path / "new", machine.aws()
    adds = aws.operations["AddUserPoolClientSecret"]

    def refused(_: dict[str, Any]) -> dict[str, Any]:
        raise refusal("TooManyRequestsException")

    aws.operations["AddUserPoolClientSecret"] = refused
    with pytest.raises(ClientError):
        begin(STORE, aws, "ci", file, quiet)  # type: ignore[arg-type]
    assert not file.exists()

    aws.operations["AddUserPoolClientSecret"] = adds
    begin(STORE, aws, "ci", file, quiet)  # type: ignore[arg-type]
    assert file.read_text(encoding="utf-8") == "hush\n"
