"""Terraform itself, on a configuration that reaches nothing: what each command answers, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deployment.errors import DeploymentError, Interrupted
from deployment.protection import lifted
from deployment.terraform import Terraform
from deployment.working_copy import OVERRIDE, working_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    Programs = Callable[[str, str], dict[str, str]]

APPLY = """\
import signal, sys
from pathlib import Path
from deployment.errors import Interrupted
from deployment.terraform import Terraform
import os
# A shell that runs the tests in the background has them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    Terraform(Path(sys.argv[1]), os.environ).apply(variables={"seconds": sys.argv[2]})
except Interrupted as error:
    print(error)
    sys.exit(130)
"""


@pytest.fixture
def applying(tiny: Terraform) -> Callable[[int], subprocess.Popen[str]]:
    """Starts an apply that takes so many seconds, in a process of its own; answers when it is at work."""

    def start(seconds: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", APPLY, str(tiny.folder), str(seconds)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if "local-exec" in line:
                break
        return process

    return start


def test_a_plan_says_whether_anything_would_change(tiny: Terraform, tmp_path: Path) -> None:
    """And exactly the saved one is applied."""
    plan = tmp_path / "saved"
    assert tiny.plan({"greeting": "good day"}, out=plan)
    tiny.apply(plan)
    assert tiny.outputs() == {"said": "good day"}
    assert not tiny.plan({"greeting": "good day"})
    assert tiny.plan()


def test_files_come_before_what_is_named_singly(tiny: Terraform, tmp_path: Path) -> None:
    """As REGION=… goes before what a file has."""
    file = tmp_path / "some.tfvars"
    file.write_text('greeting = "of a file"\n', encoding="utf-8")
    assert tiny.evaluate("var.greeting", files=[file]) == "of a file"
    assert tiny.evaluate("var.greeting", {"greeting": "single"}, [file]) == "single"
    assert tiny.evaluate('{ a = var.greeting, b = ["ü"] }') == {"a": "hello", "b": ["ü"]}


def test_a_refused_variable_is_told_in_the_configurations_words(tiny: Terraform) -> None:
    """Before anything else is looked at."""
    with pytest.raises(DeploymentError, match=r"greeting must be short\."):
        tiny.evaluate("var.greeting", {"greeting": "much longer than it may be"})


def test_the_state_is_known_by_addresses_and_values(tiny: Terraform) -> None:
    """Before the first apply there is none; what is forgotten is there no more."""
    assert tiny.state() == []
    assert tiny.outputs() == {}
    tiny.apply()
    assert tiny.state() == ["terraform_data.first", "terraform_data.second"]
    assert {each.address: each.values["output"] for each in tiny.resources()}[
        "terraform_data.first"
    ] == "hello"
    tiny.forget(["terraform_data.second"])
    assert tiny.state() == ["terraform_data.first"]
    tiny.destroy()
    assert tiny.state() == []


def test_what_is_protected_is_destroyed_only_from_a_copy_that_lifts_it(tiny: Terraform) -> None:
    """The configuration itself goes on to refuse."""
    tiny.apply()
    with pytest.raises(DeploymentError, match="says above why"):
        tiny.destroy()
    state = (tiny.folder / "terraform.tfstate").read_bytes()
    with working_copy(tiny.folder, lifted(tiny.folder)) as copy:
        (copy / "terraform.tfstate").write_bytes(state)
        apart = Terraform(copy, os.environ)
        apart.init()
        apart.destroy()
        assert apart.state() == []
    assert not copy.exists()
    assert not (tiny.folder / OVERRIDE).exists()


def test_a_copy_with_the_only_state_there_is_stays(tiny: Terraform) -> None:
    """Where Terraform could not write one to its backend, it leaves it beside the configuration."""
    with working_copy(tiny.folder, {}) as copy:
        (copy / "errored.tfstate").write_text("{}", encoding="utf-8")
    assert (copy / "errored.tfstate").exists()
    shutil.rmtree(copy.parent)


def test_an_interrupt_ends_an_apply_in_order(
    tiny: Terraform, applying: Callable[[int], subprocess.Popen[str]]
) -> None:
    """What was done is in the state, the lock is free, and the same command goes on."""
    process = applying(60)
    process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert "interrupting Terraform" in complaint
    assert "run the same command again" in said
    tiny.apply()
    assert tiny.outputs() == {"said": "hello"}


def test_a_second_run_says_who_holds_the_lock(
    tiny: Terraform, applying: Callable[[int], subprocess.Popen[str]]
) -> None:
    """Since when, and how a stale one is freed."""
    process = applying(8)
    try:
        with pytest.raises(DeploymentError, match="The state is locked since 2") as refusal:
            tiny.apply()
    finally:
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"terraform -chdir={tiny.folder} force-unlock " in str(refusal.value)
    assert not str(refusal.value).endswith("force-unlock ID")


def test_a_lock_seen_from_a_copy_is_freed_from_what_it_was_copied_from(
    tmp_path: Path, programs: Programs
) -> None:
    """The copy is gone when somebody reads it; `plan`, which locks nothing, has Terraform know the state."""
    locked = "Error acquiring the state lock\nLock Info:\n  ID:        1234\n  Who:       ada@laptop\n"
    environment = programs("terraform", f"printf '{locked}' >&2; exit 1")
    terraform = Terraform(tmp_path, environment, original=tmp_path / "infra")
    with pytest.raises(DeploymentError) as refusal:
        terraform.destroy()
    wanted = f"`plan` with the same options, and then terraform -chdir={tmp_path}/infra force-unlock 1234"
    assert str(refusal.value).endswith(wanted)


def test_a_failure_names_what_to_do_next(tiny: Terraform, capfd: pytest.CaptureFixture[str]) -> None:
    """Terraform's own words are shown as they come, and not a second time."""
    (tiny.folder / "broken.tf").write_text("resource {", encoding="utf-8")
    with pytest.raises(DeploymentError, match="run the same command again") as refusal:
        tiny.plan()
    shown = capfd.readouterr().err
    assert "broken.tf" in shown
    assert "broken.tf" not in str(refusal.value)


def test_without_terraform_it_says_where_to_get_it(tmp_path: Path) -> None:
    """On a path that has none."""
    with pytest.raises(DeploymentError, match="no terraform on the path: https://"):
        Terraform(tmp_path, {"PATH": str(tmp_path)}).version()


def test_a_missing_cli_configuration_ends_nothing(tiny: Terraform, tmp_path: Path) -> None:
    """A variable that names a file which is not there is left out."""
    environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(tmp_path / "none")}
    assert Terraform(tiny.folder, environment).version() >= (1, 4)


def test_interrupts_of_a_program_that_ended_are_our_own_again(tiny: Terraform) -> None:
    """The handlers that were there before are back."""
    before = signal.getsignal(signal.SIGINT)
    tiny.plan()
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_counts_although_terraform_had_all_but_ended(tmp_path: Path, programs: Programs) -> None:
    """Whoever breaks off a destruction between two of its steps does not see the next one begin."""
    environment = programs("terraform", f"trap : INT; touch {tmp_path}/begun; sleep 1 & wait; wait; exit 0")
    terraform = Terraform(tmp_path, environment)
    threading.Thread(target=interrupt_when, args=(tmp_path / "begun",), daemon=True).start()
    with pytest.raises((Interrupted, KeyboardInterrupt)) as ended:
        terraform.apply()
    assert ended.type is Interrupted


def interrupt_when(file: Path) -> None:
    """Interrupt this process as soon as the file is there."""
    while not file.exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_while_it_starts_reaches_it(
    tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would end it, or know that it holds the lock."""
    begun: list[subprocess.Popen[str]] = []

    def interrupted(*arguments: Any, **named: Any) -> subprocess.Popen[str]:
        begun.append(popen(*arguments, **named))
        os.kill(os.getpid(), signal.SIGINT)
        return begun[0]

    popen = subprocess.Popen
    monkeypatch.setattr("deployment.terraform.subprocess.Popen", interrupted)
    try:
        with pytest.raises((Interrupted, KeyboardInterrupt)) as ended:
            Terraform(tmp_path, programs("terraform", "exec sleep 60")).apply()
        assert ended.type is Interrupted
        assert begun[0].poll() == -signal.SIGINT
    finally:
        begun[0].kill()
        begun[0].wait()


def test_a_program_that_reads_nothing_still_says_why(tmp_path: Path, programs: Programs) -> None:
    """Its complaint is told, and not that it was gone."""
    environment = programs("terraform", "exec <&-; echo 'Error: no such file' >&2; exit 1")
    with pytest.raises(DeploymentError, match="no such file"):
        Terraform(tmp_path, environment).evaluate("0" * 1_000_000)
