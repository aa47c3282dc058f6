"""`rehearse`: the whole deployment, offline, on emulators of AWS."""

from __future__ import annotations

import argparse
import shutil
import signal
from pathlib import Path
from typing import NoReturn

from deployment.errors import DeploymentError
from deployment.options import plugins
from deployment.rehearsal.applied import STATE
from deployment.rehearsal.run import rehearse
from deployment.rehearsal.steps import STEPS

_DESCRIPTION = """\
Rehearse the deployment on this machine: no AWS account, no network. The configuration, the commands and the
programs are the ones that are deployed; endpoints and credentials are the emulators'. The emulators get free
ports of this machine and are stopped at the end, also after Ctrl-C.

Terraform finds its provider where it always does; TF_PLUGIN_DIR names a mirror of it.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "rehearse",
        help="the whole deployment on this machine, on emulators of AWS",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=STATE,
        metavar="DIR",
        help="where everything is written (default: .smas/rehearsal)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STEP",
        help="leave out the steps that are not named; may be repeated. Later steps need the earlier ones. "
        f"There are: {', '.join(step.title for step in STEPS)}",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Rehearse."""
    if shutil.which("terraform") is None:
        raise DeploymentError(
            "There is no terraform on the path: https://developer.hashicorp.com/terraform/install"
        )
    unknown = set(arguments.only) - {step.title for step in STEPS}
    if unknown:
        message = f"There is no step {min(unknown)!r}; there are: {', '.join(step.title for step in STEPS)}."
        raise DeploymentError(message)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit_on_signal)
    steps = [step for step in STEPS if not arguments.only or step.title in arguments.only]
    rehearse(steps, arguments.state.absolute(), plugins())
    return 0


def _exit_on_signal(number: int, _frame: object) -> NoReturn:
    """Let a termination unwind like an interruption, so that the emulators are stopped."""
    raise SystemExit(128 + number)
