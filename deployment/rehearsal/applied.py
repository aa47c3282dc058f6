"""The real configuration in an AWS of emulators: what every step of a rehearsal works on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

import boto3
from botocore.config import Config

from deployment.errors import DeploymentError
from deployment.rehearsal.emulators import ACCOUNT, OURS_PYTHON, REPOSITORY, emulators
from deployment.rehearsal.endpoints import ACCESS_KEY, SECRET_KEY
from deployment.rehearsal.infra_copy import infra_copy
from deployment.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployment.rehearsal.endpoints import Endpoints
    from deployment.rehearsal.function_containers import FunctionContainers

STATE: Final = REPOSITORY / ".smas" / "rehearsal"
VARIABLES: Final = Path(__file__).with_name("rehearsal.tfvars")
# The emulated account's own region: the one that it serves the store in.
REGION: Final = "us-east-1"
NAME: Final = "smas"
_GRACE_SECONDS: Final = 60.0


@dataclass(slots=True)
class Rehearsal:
    """Emulators that run, and what the deployment's commands need to take them for AWS.

    `state` holds all that is written, `infra` is the copy that is applied, `files` are the variables, `words`
    takes what programs say that nobody waits for, and functions run in `containers`, or `no_containers` says
    why not.
    """

    state: Path
    endpoints: Endpoints
    infra: Path
    environment: dict[str, str]
    words: IO[str]
    plugins: Path | None = None
    image: str = ""
    files: list[Path] = field(default_factory=lambda: [VARIABLES])
    containers: FunctionContainers | None = None
    no_containers: str = "nobody asked for containers"

    @property
    def terraform(self) -> Terraform:
        """Terraform on the copy, as the deployment's commands call it; good once it is bootstrapped."""
        return Terraform(self.infra, self.environment, self.plugins, self.words)

    def bootstrap(self) -> None:
        """Run `infra/bootstrap/bootstrap.sh`, as `make deploy` does first, and take up the state it made."""
        environment = {**self.environment, "TF_CLI_ARGS_apply": "-auto-approve"}
        if self.plugins is not None:
            environment["TF_CLI_ARGS_init"] = f"-plugin-dir={self.plugins}"
        self.run([str(self.infra / "bootstrap" / "bootstrap.sh"), REGION, NAME], environment)
        written = (self.infra / "state.config").read_text(encoding="utf-8")
        self.terraform.init(dict(re.findall(r'^(\w+)\s*=\s*"?([^"\n]*)"?$', written, re.MULTILINE)))

    def apply(self) -> None:
        """Apply what the variables make, and nothing around it."""
        self.terraform.apply(variables={"image": self.image}, files=self.files)

    def plan(self) -> bool:
        """Plan with the same variables; whether anything would change."""
        return self.terraform.plan({"image": self.image}, self.files)

    def command(
        self,
        name: str,
        *arguments: str,
        code: int = 0,
        heard: Callable[[str], None] = lambda _: None,
    ) -> str:
        """Run a command of `python -m deployment` on this store; what it says on stderr.

        `heard` is given each line of that while it comes. Raises `DeploymentError` at another exit code.
        """
        files = [f"--vars={file}" for file in self.files]
        program = [sys.executable, "-m", "deployment", name, f"--infra={self.infra}", *files, *arguments]
        environment = dict(self.environment)
        if self.plugins is not None:
            environment["TF_PLUGIN_DIR"] = str(self.plugins)
        ended, lines = self._heard(program, environment, heard, stream="stderr")
        if ended != code:
            last = lines[-1].strip() if lines else "it says nothing"
            message = f"`deployment {name}` ended with {ended}, not {code}: {last}"
            raise DeploymentError(message)
        return "".join(lines)

    def listen(self, program: list[str], environment: dict[str, str], heard: Callable[[str], None]) -> None:
        """Run a program whose lines are worth hearing. Raises `DeploymentError` unless it succeeds."""
        ended, lines = self._heard(program, environment, heard, stream="stdout")
        if ended:
            last = next((said for line in reversed(lines) if (said := line.strip("= \n"))), "it says nothing")
            message = f"{' '.join(program[1:4])} ended with {ended}: {last}"
            raise DeploymentError(message)

    def _heard(
        self,
        program: list[str],
        environment: dict[str, str],
        heard: Callable[[str], None],
        *,
        stream: Literal["stdout", "stderr"],
    ) -> tuple[int, list[str]]:
        """Run a program one of whose streams is listened to; its exit code, and the lines of that."""
        self.words.flush()
        lines = []
        streams: dict[str, Any] = {"stdout": self.words, "stderr": self.words, stream: subprocess.PIPE}
        with (
            subprocess.Popen(
                program,
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                text=True,
                **streams,
            ) as process,
            _ended_with_us(process),
        ):
            for line in getattr(process, stream):
                self.words.write(line)
                self.words.flush()
                lines.append(line)
                heard(line)
        return process.returncode, lines

    def run(self, program: list[str], environment: dict[str, str] | None = None) -> str:
        """Run a program on this AWS; what it prints. Raises `DeploymentError` unless it succeeds."""
        done = subprocess.run(
            program,
            cwd=REPOSITORY,
            env=environment or self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.words.write(done.stdout + done.stderr)
        self.words.flush()
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it says nothing"]
            message = f"{' '.join(program[:4])} ended with {done.returncode}: {last[0]}"
            raise DeploymentError(message)
        return done.stdout

    def client(self, service: str) -> Any:
        """A client of the account's root, to look at what was made."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoints.of(service),
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(proxies={}, retries={"mode": "standard"}),
        )

    def write_outputs(self) -> dict[str, Any]:
        """Leave Terraform's outputs, and nothing else, where the local stack reads them; answers them."""
        outputs = self.terraform.outputs()
        path = self.state / "outputs.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(outputs, indent=2) + "\n", encoding="utf-8")
        return outputs

    def register_image(self, manifest: str) -> str:
        """Give the repository an image by its manifest, and the name of it by digest."""
        ecr = self.client("ecr")
        put = ecr.put_image(repositoryName=NAME, imageManifest=manifest, imageTag="rehearsal")
        digest = put["image"]["imageId"]["imageDigest"]
        self.image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}@{digest}"
        return self.image


@contextmanager
def _ended_with_us(process: subprocess.Popen[str]) -> Iterator[None]:
    """Whatever breaks us off ends the process too; an interrupt of the keyboard has reached it already.

    It may need the emulators to end in order, so it is waited for, and not for ever.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            process.terminate()
        try:
            process.communicate(timeout=_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


@contextmanager
def rehearsal(
    state: Path = STATE, plugins: Path | None = None, containers: FunctionContainers | None = None
) -> Iterator[Rehearsal]:
    """Emulators and a copy of `infra/`, nothing in that AWS yet; stopped when the block ends."""
    with emulators(state, containers) as endpoints:
        infra = infra_copy(state / "infra")
        environment = endpoints.environment(os.environ, REGION)
        # The AWS CLI that came with our emulator, for the bootstrap and for `validate-logs`.
        environment["PATH"] = f"{OURS_PYTHON.parent}{os.pathsep}{environment.get('PATH', '')}"
        # Into a file, where colours are noise.
        environment |= {f"TF_CLI_ARGS_{command}": "-no-color" for command in ("destroy", "plan")}
        environment["TF_CLI_ARGS_apply"] = "-no-color -parallelism=20"
        with (state / "rehearsal.log").open("w", encoding="utf-8") as words:
            yield Rehearsal(state, endpoints, infra, environment, words, plugins, containers=containers)


def bootstrapped(rehearsed: Rehearsal) -> None:
    """Bootstrap, and name an image that there is none of, where no engine builds one."""
    rehearsed.bootstrap()
    rehearsed.register_image(_manifest_of_nothing())


def _manifest_of_nothing() -> str:
    """A manifest that is well formed; its layers exist nowhere."""
    empty = {"size": 2, "digest": "sha256:" + "0" * 64}
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", **empty}
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []})
