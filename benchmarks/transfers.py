"""Pushing and pulling 1 GiB with `smas`, against `aws s3 cp` on the same local AWS.

Whole processes, from the shell's point of view, in turn in the same run; checksums as each does them by
default (`smas`: SHA-256 of every file, before it is sent and before it gets its name). The bucket of the AWS
CLI is encrypted and versioned as the store's own: the local AWS looks the key up at every request.
Verification is not in the clock: `smas push --no-wait`, and the verifier, which would take its part of the
machine, stands still while anything is measured. The cache is empty before a pull, but for the pulls that
say otherwise.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.commands import PLAIN_BUCKET, SMAS, Commands, write_gibibyte
from benchmarks.figures import Figure, Report, columns
from benchmarks.processes import run
from benchmarks.stack import running_stack

if TYPE_CHECKING:
    from benchmarks.progress import Say

TITLE = "1 GiB with `smas` against `aws s3 cp`, whole processes, interleaved"
SHAPES = (("one file", 1), ("64 files", 64))
# A digest is remembered only of files that were not written just before.
_SETTLE_SECONDS = 2.5
_HELP_RUNS = 5


def measure(runs: int, say: Say) -> Report:
    """Seconds, ratios, and peak memory of each command."""
    figures: list[Figure] = []
    with running_stack() as stack, TemporaryDirectory(prefix="smas-bench-") as name:
        commands, folder = Commands(stack, Path(name)), Path(name)
        commands.prepare()
        for shape, files in SHAPES:
            measured = []
            for number in range(runs):
                measured.append(_one(commands, folder, files, f"fraud/transfer-{files}-{number}"))
                up, down = measured[-1][2], measured[-1][5]
                say(f"{shape}, run {number + 1}: push {up:.2f} ×, pull {down:.2f} × of aws s3 cp")
            figures += _figures(shape, columns(measured))
        helps = [run((*SMAS, "--help"), commands.environment) for _ in range(max(runs, _HELP_RUNS))]
    figures.append(Figure("smas --help", "s", tuple(ended.seconds for ended in helps), target=0.25))
    return Report("transfers", TITLE, tuple(figures))


def _one(commands: Commands, folder: Path, files: int, model: str) -> tuple[float, ...]:
    """All of one shape, once."""
    source, target = folder / "source", folder / "target"
    plain = f"s3://{PLAIN_BUCKET}/{model}/"
    write_gibibyte(source, files)
    (source / "config.json").write_text('{"layers": 1}', encoding="utf-8")
    time.sleep(_SETTLE_SECONDS)
    aws_up = commands.aws("s3", "cp", "--recursive", str(source), plain)
    push = commands.smas("push", str(source), model, "--no-wait")
    commands.wait_until_available(model, 1)

    (source / "config.json").write_text('{"layers": 2}', encoding="utf-8")
    again = commands.smas("push", str(source), model, "--no-wait")
    commands.wait_until_available(model, 2)
    # The local AWS keeps its objects on the same disk; what is measured should not fill it.
    shutil.rmtree(source)

    aws_down = commands.aws("s3", "cp", "--recursive", plain, str(target), clear=[target])
    pull = commands.smas("pull", f"{model}@2", str(target), clear=[target, commands.cache])
    cached = commands.smas("pull", f"{model}@2", str(target), clear=[target])
    shutil.rmtree(target)
    commands.forget(model)
    return (
        aws_up.seconds,
        push.seconds,
        push.seconds / aws_up.seconds,
        aws_down.seconds,
        pull.seconds,
        pull.seconds / aws_down.seconds,
        again.seconds,
        again.seconds / push.seconds,
        cached.seconds,
        push.peak_bytes / 1e6,
        pull.peak_bytes / 1e6,
        aws_up.peak_bytes / 1e6,
        aws_down.peak_bytes / 1e6,
    )


def _figures(shape: str, measured: list[tuple[float, ...]]) -> list[Figure]:
    rows: list[tuple[str, str, float | None]] = [
        ("aws s3 cp, up", "s", None),
        ("smas push", "s", None),
        ("smas push / aws s3 cp", "×", 0.85),
        ("aws s3 cp, down", "s", None),
        ("smas pull", "s", None),
        ("smas pull / aws s3 cp", "×", 1.0),
        ("push again, one small file changed", "s", None),
        ("push again / first push", "×", 0.1),
        ("pull, all in the cache", "s", 1.0),
        ("peak memory, smas push", "MB", 200),
        ("peak memory, smas pull", "MB", 200),
        ("peak memory, aws s3 cp, up", "MB", None),
        ("peak memory, aws s3 cp, down", "MB", None),
    ]
    return [
        Figure(f"{shape}: {name}", unit, values, target=target)
        for (name, unit, target), values in zip(rows, measured, strict=True)
    ]
