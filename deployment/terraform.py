"""Terraform on one configuration: its commands, its exit codes, its state, and how an interrupt reaches it.

What Terraform says goes to the terminal as it is; the errors raised here say what to do next.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from deployment.errors import DeploymentError, Interrupted
from deployment.interrupts import held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
_CHANGES: Final = 2
# Another run may be about to end.
_LOCK_SECONDS: Final = 30
_INTERRUPTING: Final = "interrupting Terraform, which ends what it is at; again, and the state stays locked"
_LOCKED: Final = "Error acquiring the state lock"
# Where Terraform puts a state that it could not write to its backend: the only copy there is.
_ERRORED: Final = "errored.tfstate"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that the state knows: its address, its type, and its attributes as last seen."""

    address: str
    type: str
    values: Mapping[str, Any]


class Terraform:
    """Terraform in a folder: `environment` is all it gets of one, `plugins` a mirror of providers.

    What is for the user goes to `output`, where one is given, instead of the terminal. Commands that the user
    is told to run are about `original`, where `folder` is a copy of it that is gone by then.

    One interrupt ends a run in order, and lets go of the lock; `Interrupted` is raised then.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        plugins: Path | None = None,
        output: IO[str] | None = None,
        *,
        original: Path | None = None,
        lock_seconds: int = _LOCK_SECONDS,
    ) -> None:
        self.folder = folder
        self._original = original
        self._lock_seconds = lock_seconds
        self._output = output
        self._plugins = plugins
        self._environment = {
            **environment,
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
        }
        configured = environment.get("TF_CLI_CONFIG_FILE")
        if configured and not Path(configured).is_file():
            # Terraform would end every command for it.
            del self._environment["TF_CLI_CONFIG_FILE"]

    def version(self) -> tuple[int, ...]:
        """The version of the program, as (1, 11, 4)."""
        said = json.loads(self._ask("version", "-json"))
        return tuple(int(part) for part in re.findall(r"\d+", said["terraform_version"])[:3])

    def init(self, backend: Mapping[str, str] | None = None) -> None:
        """Get the locked provider, and the state that `backend`, or the folder itself, names."""
        options = [f"-backend-config={name}={value}" for name, value in (backend or {}).items()]
        if self._plugins is not None:
            options.append(f"-plugin-dir={self._plugins}")
        self._ask("init", "-reconfigure", "-lockfile=readonly", *options)

    def plan(
        self,
        variables: Mapping[str, str] | None = None,
        files: Sequence[Path] = (),
        *,
        out: Path | None = None,
        destroy: bool = False,
        targets: Sequence[str] = (),
        lock: bool = True,
    ) -> bool:
        """Show what would change and keep it in `out`; whether anything would."""
        options = [f"-out={out}"] if out else []
        options += ["-destroy"] if destroy else []
        options += self._lock() if lock else ["-lock=false"]
        options += [*_given(variables, files), *_targets(targets)]
        return self._show("plan", "-detailed-exitcode", *options, good=(0, _CHANGES)) == _CHANGES

    def apply(
        self,
        plan: Path | None = None,
        variables: Mapping[str, str] | None = None,
        files: Sequence[Path] = (),
        *,
        targets: Sequence[str] = (),
    ) -> None:
        """Apply a saved plan, or without one what these variables make; nobody is asked."""
        if plan is not None:
            self._show("apply", *self._lock(), str(plan))
            return
        options = [*self._lock(), *_given(variables, files), *_targets(targets)]
        self._show("apply", "-auto-approve", *options)

    def destroy(
        self,
        variables: Mapping[str, str] | None = None,
        files: Sequence[Path] = (),
        *,
        targets: Sequence[str] = (),
    ) -> None:
        """Destroy everything, or `targets` and what hangs on them; nobody is asked."""
        options = [*self._lock(), *_given(variables, files), *_targets(targets)]
        self._show("destroy", "-auto-approve", *options)

    def outputs(self) -> dict[str, object]:
        """The outputs by name; none before the first apply."""
        return {name: output["value"] for name, output in json.loads(self._ask("output", "-json")).items()}

    def state(self) -> list[str]:
        """The addresses of everything in the state, sorted; none where there is no state yet."""
        return sorted(resource.address for resource in self.resources())

    def resources(self) -> list[Resource]:
        """Everything in the state that Terraform made, its modules included; not what it only read."""
        shown = json.loads(self._ask("show", "-json"))
        return list(_resources(shown.get("values", {}).get("root_module", {})))

    def forget(self, addresses: Sequence[str]) -> None:
        """Take these out of the state; what they name stays as it is."""
        if addresses:
            self._show("state", "rm", *self._lock(), *addresses)

    def evaluate(
        self, expression: str, variables: Mapping[str, str] | None = None, files: Sequence[Path] = ()
    ) -> Any:
        """The value of an expression over the configuration's variables."""
        code, said, complaint = self._run(
            ["console", *_given(variables, files)], quiet=True, stdin=f"jsonencode({expression})\n"
        )
        # A variable that is refused leaves the exit code at 0.
        if code != 0 or "Error:" in complaint:
            raise DeploymentError(_plain(complaint))
        answer = _plain(said).splitlines()[-1]
        if answer.startswith("("):
            message = f"Something in {expression} has no value: {answer}."
            raise DeploymentError(message)
        return json.loads(json.loads(answer))

    def _lock(self) -> list[str]:
        return [f"-lock-timeout={self._lock_seconds}s"]

    def _ask(self, command: str, *arguments: str, stdin: str | None = None) -> str:
        """What a command says, which nobody else sees; its complaint is in the error."""
        code, said, complaint = self._run([command, *arguments], quiet=True, stdin=stdin)
        if code != 0:
            message = f"terraform {command} failed: {_plain(complaint)}"
            raise DeploymentError(message)
        return said

    def _show(self, command: str, *arguments: str, good: tuple[int, ...] = (0,)) -> int:
        """Run a command whose output is for the user, who has read its complaint already."""
        plain = [] if sys.stdout.isatty() or command == "state" else ["-no-color"]
        code, _, complaint = self._run([command, *plain, *arguments], quiet=False)
        if code in good:
            return code
        raise DeploymentError(self._advice(command, complaint))

    def _advice(self, command: str, complaint: str) -> str:
        if (self.folder / _ERRORED).exists():
            return (
                f"Terraform could not write the state; the only copy is {self.folder / _ERRORED}. When the "
                f"state's bucket answers again: terraform -chdir={self.folder} state push {_ERRORED}"
            )
        if _LOCKED in complaint:
            return _locked(complaint, self.folder, self._original)
        return (
            f"terraform {command} failed, and says above why. What it did before is in the state: put right "
            "what it says and run the same command again."
        )

    def _run(
        self, arguments: Sequence[str], *, quiet: bool, stdin: str | None = None
    ) -> tuple[int, str, str]:
        program = shutil.which("terraform", path=self._environment.get("PATH"))
        if program is None:
            raise DeploymentError(
                "There is no terraform on the path: https://developer.hashicorp.com/terraform/install"
            )
        running: list[subprocess.Popen[str]] = []

        def interrupt(_number: int) -> None:
            for process in running:
                process.send_signal(signal.SIGINT)

        with held(interrupt, "" if quiet else _INTERRUPTING) as interrupts:
            process = subprocess.Popen(
                [program, *arguments],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE if quiet else self._output,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                # A group of its own: an interrupt from the keyboard would reach it twice, and end it at once.
                process_group=0,
            )
            running.append(process)
            if interrupts:  # that came while it was being started
                process.send_signal(signal.SIGINT)
            complaint = _Complaint(process, show=not quiet)
            with process:
                if stdin is not None and process.stdin is not None:
                    # Whoever ends without reading it says why.
                    with suppress(BrokenPipeError), process.stdin:
                        process.stdin.write(stdin)
                said = process.stdout.read() if process.stdout is not None else ""
                code = process.wait()
                text = complaint.text()
        if interrupts:
            message = (
                f"Interrupted; terraform {arguments[0]} has ended. What was done is in the state: run the "
                "same command again to go on."
            )
            raise Interrupted(message)
        return code, said, text


class _Complaint:
    """What a process writes to stderr: shown while it comes, and kept."""

    def __init__(self, process: subprocess.Popen[str], *, show: bool) -> None:
        self._lines: list[str] = []
        self._show = show
        self._thread = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        self._thread.join()
        return "".join(self._lines)

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stderr is None:
            return
        for line in process.stderr:
            self._lines.append(line)
            if self._show:
                with suppress(OSError):  # of a terminal that is gone; the pipe must be read all the same
                    sys.stderr.write(line)
                    sys.stderr.flush()


def _given(variables: Mapping[str, str] | None, files: Sequence[Path]) -> list[str]:
    """The options of variables; later ones win, and those named singly come last."""
    return [
        *(f"-var-file={file.resolve()}" for file in files),
        *(f"-var={name}={value}" for name, value in (variables or {}).items()),
    ]


def _targets(addresses: Sequence[str]) -> list[str]:
    return [f"-target={address}" for address in addresses]


def _resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            yield Resource(resource["address"], resource["type"], resource["values"])
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _plain(complaint: str) -> str:
    """Terraform's words without its frame and colours."""
    bare = re.sub(r"\x1b\[[0-9;]*m", "", complaint)
    lines = (line.strip("╷│╵├─ ") for line in bare.splitlines())
    return "\n".join(line for line in lines if line) or "it says nothing more"


def _locked(complaint: str, folder: Path, original: Path | None) -> str:
    known = dict(re.findall(r"^\W*(ID|Who|Created):\s+(.+?)\s*$", _plain(complaint), flags=re.MULTILINE))
    return (
        f"The state is locked since {known.get('Created', 'some time')} by {known.get('Who', 'somebody')}: "
        "another run is going on, or one was killed. If you know that none is going on: "
        # `plan` locks nothing, and has Terraform know the state there.
        f"{'`plan` with the same options, and then ' if original else ''}"
        f"terraform -chdir={original or folder} force-unlock {known.get('ID', 'ID')}"
    )
