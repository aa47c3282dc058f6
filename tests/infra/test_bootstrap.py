"""Before the store: the policies of state and images, and the script that makes both and can be repeated."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from smas_emulator.policies import render_policy

from tests.infra.policy_rules import allows_no_anonymous, has_unique_sids, is_valid_json
from tests.infra.rendering import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOTSTRAP: Final = Path(__file__).parents[2] / "infra" / "bootstrap"
POLICIES: Final = BOOTSTRAP / "policies"
VALUES: Final = {
    "partition": "aws",
    "account": "111122223333",
    "region": "eu-central-1",
    "name": "smas",
    "bucket": "smas-state-111122223333-eu-central-1",
}
# What the commands would say that the script asks, and what they leave behind.
FAKES: Final = {
    "aws": """\
echo "aws $*" >> "$CALLS"
case "$1 $2" in
    "sts get-caller-identity") echo 111122223333 ;;
    "kms describe-key") echo arn:aws:kms:eu-central-1:111122223333:key/state ;;
    "s3api head-object") test -e "$REMOTE" ;;
esac
""",
    "terraform": """\
if [ -e backend_override.tf ]; then where=local; else where=s3; fi
echo "$where: terraform $*" >> "$CALLS"
case "$1" in
    init) case "$*" in *-migrate-state*) cp terraform.tfstate "$REMOTE" ;; esac ;;
    apply)
        [ -z "${BREAK_APPLY-}" ] || exit 1
        if [ "$where" = local ]; then echo state > terraform.tfstate; else test -e "$REMOTE"; fi ;;
    output) echo "$3 of $where" ;;
esac
""",
}


class Machine:
    """A copy of the configuration, with an AWS and a Terraform that only note what they are asked."""

    def __init__(self, folder: Path) -> None:
        self.infra = folder / "infra"
        self.here = self.infra / "bootstrap"
        self.here.mkdir(parents=True)
        self.script = self.here / "bootstrap.sh"
        self.script.write_bytes((BOOTSTRAP / "bootstrap.sh").read_bytes())
        self.script.chmod(0o755)
        self.calls, self.remote = folder / "calls", folder / "remote"
        self.commands = folder / "bin"
        self.commands.mkdir()
        for name, text in FAKES.items():
            (self.commands / name).write_text(f"#!/bin/sh\nset -eu\n{text}", encoding="utf-8")
            (self.commands / name).chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script, from somewhere else."""
        self.calls.write_text("", encoding="utf-8")
        return subprocess.run(
            [self.script, *arguments],
            cwd=self.commands,
            env={
                "PATH": f"{self.commands}:{os.environ['PATH']}",
                "CALLS": str(self.calls),
                "REMOTE": str(self.remote),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def terraform(self) -> list[str]:
        """What Terraform was asked, and where its state was meanwhile."""
        lines = self.calls.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if "terraform " in line and " output " not in line]

    def files(self) -> set[str]:
        """What lies beside the script."""
        return {path.name for path in self.here.iterdir()} - {"bootstrap.sh"}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One that has nothing yet."""
    return Machine(tmp_path)


APPLY: Final = "terraform apply -input=false -var region=eu-central-1 -var name=smas"


def test_the_first_run_keeps_its_state_here_until_the_bucket_is_there(machine: Machine) -> None:
    """Then it moves, and nothing of it stays behind: it would soon be an old one."""
    ended = machine.run("eu-central-1")
    assert ended.returncode == 0, ended.stderr
    assert machine.terraform() == [
        "local: terraform init -input=false -reconfigure",
        f"local: {APPLY}",
        "s3: terraform init -input=false -migrate-state -force-copy -backend-config=state.config",
    ]
    assert machine.remote.read_text(encoding="utf-8") == "state\n"
    assert machine.files() == set()
    assert (machine.infra / "state.config").read_text(encoding="utf-8") == "state_config of s3\n"


def test_a_later_run_finds_its_state_in_the_bucket(machine: Machine) -> None:
    """On any machine: it needs no file of the first."""
    machine.remote.write_text("state\n", encoding="utf-8")
    ended = machine.run("eu-central-1", "bank")
    assert ended.returncode == 0, ended.stderr
    init, apply = machine.terraform()
    assert apply == f"s3: {APPLY.removesuffix('smas')}bank"
    assert init.startswith("s3: terraform init -input=false -reconfigure ")
    for option in (
        "bucket=bank-state-111122223333-eu-central-1",
        "key=bootstrap.tfstate",
        "region=eu-central-1",
        "encrypt=true",
        "kms_key_id=arn:aws:kms:eu-central-1:111122223333:key/state",
        "use_lockfile=true",
    ):
        assert f" -backend-config={option}" in init
    assert (machine.infra / "state.config").exists()


def test_a_first_run_that_broke_off_goes_on_from_its_file(machine: Machine) -> None:
    """What it made is in the file, and is not made twice."""
    assert machine.run("eu-central-1", BREAK_APPLY="yes").returncode != 0
    assert machine.files() == {"backend_override.tf"}
    assert not machine.remote.exists()
    assert machine.run("eu-central-1").returncode == 0
    assert machine.remote.exists()
    assert machine.files() == set()


@pytest.mark.parametrize("arguments", [(), ("eu-central-1", "smas", "more")])
def test_without_a_region_it_says_how_it_is_used(machine: Machine, arguments: tuple[str, ...]) -> None:
    """And asks nothing of AWS."""
    ended = machine.run(*arguments)
    assert ended.returncode == 2
    assert "REGION" in ended.stderr
    assert machine.calls.read_text(encoding="utf-8") == ""


def policies() -> Iterator[Policy]:
    """The configuration's policies, rendered."""
    for path in sorted(POLICIES.glob("*.json")):
        yield Policy(path.stem, render_policy(path, VALUES))


def statements(name: str) -> dict[str, dict[str, Any]]:
    """A policy's statements by their names."""
    found = next(policy for policy in policies() if policy.name == name)
    return {statement["Sid"]: statement for statement in found.statements}


def test_there_are_these_policies_and_each_is_sound() -> None:
    """Valid, with named statements, and nobody is allowed anything for being anybody."""
    found = list(policies())
    assert [policy.name for policy in found] == ["images", "key", "state-bucket"]
    for rule in (is_valid_json, has_unique_sids, allows_no_anonymous):
        assert [fault for policy in found for fault in rule(policy)] == []


def test_the_state_buckets_policy_only_refuses() -> None:
    """Who may is said by IAM; without TLS, from elsewhere, and to delete a version nobody may."""
    refused = statements("state-bucket")
    assert {each["Effect"] for each in refused.values()} == {"Deny"}
    assert set(refused) == {"NobodyDeletesAVersion", "ThisAccountOnly", "TlsOnly"}
    everything = ["arn:aws:s3:::" + VALUES["bucket"], "arn:aws:s3:::" + VALUES["bucket"] + "/*"]
    assert all(each["Resource"] == everything for each in refused.values())


def test_the_key_is_the_accounts() -> None:
    """Nobody is named beside it."""
    (statement,) = statements("key").values()
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}


def test_images_are_pulled_and_never_pushed_by_functions() -> None:
    """Of this store alone."""
    (statement,) = statements("images").values()
    assert statement["Action"] == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    assert statement["Condition"] == {
        "StringLike": {"aws:SourceArn": "arn:aws:lambda:eu-central-1:111122223333:function:smas-*"}
    }
