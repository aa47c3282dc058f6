"""What is there before the store: found, or made by the script that makes it, and nothing in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deployment import bootstrap
from deployment.configuration import Configuration
from deployment.errors import DeploymentError
from tests.deployment.fake_aws import FakeAws, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Programs = Callable[[str, str], dict[str, str]]

BUCKET = "smas-state-111122223333-eu-central-1"


class Bootstrapped(FakeAws):
    """An account with the state's bucket, unless what `lacking` names is refused with a code."""

    id = "111122223333"

    def __init__(self, **lacking: str) -> None:
        def answer(name: str, said: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
            def answered(_: dict[str, Any]) -> dict[str, Any]:
                if name in lacking:
                    raise refusal(lacking[name])
                return said

            return answered

        key = {"KeyMetadata": {"KeyId": "1", "Arn": "arn:key"}}
        super().__init__({"HeadObject": answer("HeadObject", {}), "DescribeKey": answer("DescribeKey", key)})


@pytest.fixture
def store(tmp_path: Path) -> Configuration:
    """A store whose bootstrap notes what it is asked."""
    script = tmp_path / "bootstrap" / "bootstrap.sh"
    script.parent.mkdir()
    script.write_text(
        '#!/bin/sh\necho "$*|$TF_CLI_ARGS_apply|$TF_CLI_ARGS_init" >> "$CALLS"\nexit "${CODE-0}"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    return Configuration(tmp_path, (), {}, "eu-central-1", "smas", None, {})


def test_the_backend_is_the_stores_own_bucket_and_key(store: Configuration) -> None:
    """Encrypted, and locked by a file beside the state."""
    assert bootstrap.backend(store, Bootstrapped()) == {  # type: ignore[arg-type]
        "bucket": BUCKET,
        "key": "store.tfstate",
        "region": "eu-central-1",
        "encrypt": "true",
        "kms_key_id": "arn:key",
        "use_lockfile": "true",
    }


@pytest.mark.parametrize(
    "lacking", [{"HeadObject": "404"}, {"HeadObject": "NoSuchBucket"}, {"DescribeKey": "NotFoundException"}]
)
def test_half_a_bootstrap_is_none(store: Configuration, lacking: dict[str, str]) -> None:
    """One that was broken off is made anew, which can be repeated at any point."""
    assert bootstrap.backend(store, Bootstrapped(**lacking)) is None  # type: ignore[arg-type]


def test_a_bucket_that_cannot_be_read_is_not_taken_for_none(store: Configuration) -> None:
    """Who may not read the state would else be shown a plan to make everything."""
    with pytest.raises(DeploymentError, match=rf"{BUCKET} cannot be read \(403\): whoever deploys must"):
        bootstrap.backend(store, Bootstrapped(HeadObject="403"))  # type: ignore[arg-type]


def test_the_script_asks_unless_it_was_answered_already(
    store: Configuration, programs: Programs, tmp_path: Path
) -> None:
    """It gets region and name, and a mirror of providers where there is one."""
    environment = programs("aws", "true")
    bootstrap.make(store, environment, None, approved=False)
    bootstrap.make(store, environment, tmp_path, approved=True)
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        "eu-central-1 smas||",
        f"eu-central-1 smas|-auto-approve|-plugin-dir={tmp_path}",
    ]


def test_a_script_that_fails_or_cannot_run_is_told(
    store: Configuration, programs: Programs, tmp_path: Path
) -> None:
    """With what is missing, before anything is made; or that it can be repeated."""
    with pytest.raises(DeploymentError, match=r"There is no aws on the path: https://"):
        bootstrap.make(store, {"PATH": str(tmp_path)}, None, approved=True)
    with pytest.raises(DeploymentError, match="it can be repeated at any point"):
        bootstrap.make(store, {**programs("aws", "true"), "CODE": "1"}, None, approved=True)
