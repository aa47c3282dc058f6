"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from benchmarks import (
    audit_events,
    calls,
    cold_start,
    enforcement,
    machine,
    memory,
    mlflow_artifacts,
    presign,
    read,
    recording,
    throughput,
    transfers,
    verify,
)
from benchmarks.readme import record
from benchmarks.stack import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULES = {
    "read": read,
    "throughput": throughput,
    "presign": presign,
    "verify": verify,
    "memory": memory,
    "transfers": transfers,
    "mlflow": mlflow_artifacts,
    "enforcement": enforcement,
    "recording": recording,
    "audit": audit_events,
    "calls": calls,
    "cold-start": cold_start,
}
LEAST_RUNS_RECORDED = 5
EPILOG = """\
Each benchmark starts a stack of its own on free ports (about 15 s) and stops it again; a stack that runs
already is left alone, but it and everything else on the machine takes its share, so record figures on a
quiet one. All of them with --runs 5 take about half an hour.

A row is the median over the runs, with the lowest and the highest. Ratios compare things measured in the
same run in turn: they hold on other machines, absolute figures do not. A missed target is no error (exit 0).

benchmarks:
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 0 when all was measured, 1 after one sentence on stderr."""
    parser = _parser()
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(options.names)) or list(MODULES)
    if options.markdown and options.runs < LEAST_RUNS_RECORDED:
        parser.error(f"--markdown records {LEAST_RUNS_RECORDED} runs or more")
    signal.signal(signal.SIGTERM, _unwind)
    described = machine.description()
    for name, value in described.items():
        print(f"{name:<10} {value}")
    print(f"{'load':<10} {machine.load()} when it began, {options.runs} runs each\n", flush=True)
    reports = []
    try:
        for name in names:
            _say(f"{name}: starting")
            reports.append(MODULES[name].measure(options.runs, _say))
            print(reports[-1].as_text(), end="\n\n", flush=True)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    if options.markdown:
        given = shlex.join(sys.argv[1:] if arguments is None else arguments)
        record(described, f'make bench ARGS="{given}"', reports, MODULES)
    return 0


def _parser() -> argparse.ArgumentParser:
    listed = [
        f"  {name:<11} {(module.__doc__ or '').partition(chr(10))[0]}" for name, module in MODULES.items()
    ]
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=…",
        description="Measure the store on this machine.",
        epilog=EPILOG + "\n".join(listed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", type=_name, metavar="NAME", help="which (default: all)")
    parser.add_argument("--runs", type=_runs, default=5, metavar="N", help="how often each (default: 5)")
    parser.add_argument(
        "--markdown", action="store_true", help="also write the figures into benchmarks/README.md"
    )
    return parser


def _name(text: str) -> str:
    if text not in MODULES:
        message = f"there is no benchmark {text!r}: choose from {', '.join(MODULES)}"
        raise argparse.ArgumentTypeError(message)
    return text


def _runs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is not a number of runs: a whole number from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


_BEGUN = time.monotonic()


def _say(progress: str) -> None:
    print(f"[{time.monotonic() - _BEGUN:6.1f} s] {progress}", file=sys.stderr, flush=True)


def _unwind(number: int, _frame: object) -> NoReturn:
    """Let a termination unwind like an interruption, so that stacks are stopped."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
