"""Pushing and pulling 1 GiB with `smas`, against MLflow's artifact commands over presigned URLs.

MLflow is the whole of it, in an environment of its own (`requirements/mlflow.txt`, installed when this is
first run), with a tracking server whose artifacts lie in the same local AWS, and with the settings under
which its clients use presigned URLs instead of sending bytes through that server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.commands import PLAIN_BUCKET, Commands, write_gibibyte
from benchmarks.figures import Figure, Report, columns
from benchmarks.processes import run
from benchmarks.stack import REPOSITORY, BenchmarkError, free_port, running_stack, wait_until_listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.progress import Say

TITLE = "1 GiB in one file with `smas` against MLflow over presigned URLs, whole processes, interleaved"
_ENVIRONMENT = REPOSITORY / ".venv" / "mlflow"
_LOCK = REPOSITORY / "requirements" / "mlflow.txt"
_MLFLOW = str(_ENVIRONMENT / "bin" / "mlflow")
_PRESIGNED = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true",
}


def measure(runs: int, say: Say) -> Report:
    """Seconds and ratios."""
    _install(say)
    measured = []
    with running_stack() as stack, TemporaryDirectory(prefix="smas-bench-") as name:
        commands, folder = Commands(stack, Path(name)), Path(name)
        commands.prepare()
        with _tracking_server(commands, folder) as environment:
            for number in range(runs):
                measured.append(_one(commands, environment, folder, f"fraud/mlflow-{number}"))
                up, down = measured[-1][2], measured[-1][5]
                say(f"run {number + 1}: push {up:.2f} ×, pull {down:.2f} × of MLflow")
    rows = [
        ("MLflow log-artifact, presigned", "s"),
        ("smas push", "s"),
        ("smas push / MLflow", "×"),
        ("MLflow download, presigned", "s"),
        ("smas pull", "s"),
        ("smas pull / MLflow", "×"),
    ]
    figures = (Figure(row, unit, runs) for (row, unit), runs in zip(rows, columns(measured), strict=True))
    return Report("mlflow", TITLE, tuple(figures))


def _one(commands: Commands, environment: dict[str, str], folder: Path, model: str) -> tuple[float, ...]:
    source, target = folder / "source", folder / "target"
    write_gibibyte(source, 1)
    (file,) = source.iterdir()
    made = run((_MLFLOW, "runs", "create", "--experiment-id", "0"), environment).output
    run_id = made.rpartition('"run_id": "')[2].partition('"')[0]
    logged = commands.measured(
        (_MLFLOW, "artifacts", "log-artifact", "--local-file", str(file), "--run-id", run_id), environment
    )
    pushed = commands.smas("push", str(file), model, "--no-wait")
    commands.wait_until_available(model, 1)
    shutil.rmtree(source)
    downloaded = commands.measured(
        (
            _MLFLOW,
            "artifacts",
            "download",
            "--run-id",
            run_id,
            "--artifact-path",
            file.name,
            "-d",
            str(target),
        ),
        environment,
        [target],
    )
    pulled = commands.smas("pull", model, str(target), clear=[target, commands.cache])
    shutil.rmtree(target)
    commands.forget(model)
    return (
        logged.seconds,
        pushed.seconds,
        pushed.seconds / logged.seconds,
        downloaded.seconds,
        pulled.seconds,
        pulled.seconds / downloaded.seconds,
    )


def _install(say: Say) -> None:
    ready = _ENVIRONMENT / ".ready"
    if ready.exists() and ready.stat().st_mtime >= _LOCK.stat().st_mtime:
        return
    say("installing MLflow into an environment of its own (a minute or two)")
    script = str(REPOSITORY / "requirements" / "environment.sh")
    installed = subprocess.run([script, str(_ENVIRONMENT), str(_LOCK)], cwd=REPOSITORY, check=False)
    if installed.returncode:
        raise BenchmarkError("MLflow could not be installed.")


@contextmanager
def _tracking_server(commands: Commands, folder: Path) -> Iterator[dict[str, str]]:
    """MLflow's server on a free port; gives the environment of its clients."""
    port = free_port()
    database = f"sqlite:///{folder / 'mlflow.db'}"
    options = {"--backend-store-uri": database, "--artifacts-destination": f"s3://{PLAIN_BUCKET}/mlflow"}
    options |= {"--host": "127.0.0.1", "--port": str(port), "--workers": "1"}
    environment = {
        **commands.aws_environment,
        "MLFLOW_S3_ENDPOINT_URL": commands.aws_environment["AWS_ENDPOINT_URL"],
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # MLflow's server starts programs by their names.
        "PATH": f"{_ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    with (folder / "mlflow.log").open("ab") as log:
        arguments = [_MLFLOW, "server", *(word for option in options.items() for word in option)]
        process = subprocess.Popen(
            arguments, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until_listening(port, lambda: process.poll() is None)
        client = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
        yield {**client, **_PRESIGNED, "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}
    finally:
        process.terminate()
        process.wait(timeout=60)
