"""The command line of the local stack: `python -m smas_emulator.stack up|down|status|logs|aws|token`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from smas_emulator import compose, seed
from smas_emulator.development import DEFAULT_DEBUG_PORT, Debuggers
from smas_emulator.errors import StackError
from smas_emulator.log_follower import show_logs
from smas_emulator.processes import ProcessTable, is_running
from smas_emulator.programs import EMULATOR, SERVICE, SHIPPER, WORKER, root_environment
from smas_emulator.runtimes import AUTO, DOCKER, NATIVE, choose_runtime, running_runtime
from smas_emulator.sign_in import access_token
from smas_emulator.state import StateDirectory, read_stack
from smas_emulator.supervisor import DEFAULT_AWS_PORT, DEFAULT_PORT, Addresses, Wishes, down, up
from smas_emulator.trail_settings import DEFAULT_DIGEST_SECONDS, DEFAULT_LOG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = """\
Everything is written below the state directory, and everything listens on 127.0.0.1 only.
The local AWS keeps its data in memory: `down` forgets all objects, users and keys.

examples:
  up                       start, wait until ready, print the addresses
  up --only aws            the local AWS alone, provisioned: for tests
  up --port 8081           when something else has 8080
  token ds-fraud           an access token on stdout
"""
USAGE_ERROR = 2
_LAST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done, 1 after one sentence on stderr, 2 when called wrongly."""
    options = _parser().parse_args(arguments)
    state = StateDirectory(Path(options.state).absolute())
    try:
        return int(options.run(state, options))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smas-stack",
        description="Run the secure model artifact store on this machine, with an AWS of its own.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--state", default=".smas", metavar="DIR", help="the state directory (default: .smas)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "up", help="start everything that does not run yet; returns when it is ready"
    )
    command.set_defaults(run=_up)
    command.add_argument(
        "--port", type=_port, metavar="N", help=f"the service's port (default: {DEFAULT_PORT})"
    )
    command.add_argument(
        "--aws-port", type=_port, metavar="N", help=f"the local AWS's port (default: {DEFAULT_AWS_PORT})"
    )
    command.add_argument(
        "--only",
        choices=["aws", "empty-aws"],
        help="start and provision the local AWS, not the service and worker; or not even provision it",
    )
    command.add_argument(
        "--service-python",
        default=".venv/bin/python",
        metavar="FILE",
        help="the interpreter that has the service's libraries (default: .venv/bin/python)",
    )
    _add_project(command)
    command.add_argument(
        "--runtime",
        choices=[NATIVE, DOCKER, AUTO],
        help="processes or containers; auto is containers where an engine answers and has the base image"
        " (default: as it runs, else native)",
    )
    command.add_argument(
        "--base-image",
        metavar="IMAGE",
        help=f"what the containers' images are built on (default: {compose.DEFAULT_BASE_IMAGE})",
    )
    command.add_argument(
        "--dev",
        action="store_true",
        help="start service and worker anew when their code changes, and let a debugger attach",
    )
    command.add_argument(
        "--debug-port",
        type=_port,
        default=DEFAULT_DEBUG_PORT,
        metavar="N",
        help="with --dev, where the service's debugger listens, on this machine only; the worker's at the"
        f" next port (default: {DEFAULT_DEBUG_PORT})",
    )
    command.add_argument(
        "--sweep-seconds",
        type=_seconds,
        metavar="S",
        help="how often the worker looks for forgotten versions",
    )

    command.add_argument(
        "--log-seconds",
        type=_seconds,
        default=DEFAULT_LOG_SECONDS,
        metavar="S",
        help=f"how often the trail delivers log files (default: {DEFAULT_LOG_SECONDS:g}; AWS: minutes)",
    )
    command.add_argument(
        "--digest-seconds",
        type=_seconds,
        default=DEFAULT_DIGEST_SECONDS,
        metavar="S",
        help=f"how often it delivers a digest of them (default: {DEFAULT_DIGEST_SECONDS:g}; AWS: an hour)",
    )

    command = commands.add_parser("down", help="stop what up started, and nothing else")
    command.set_defaults(run=_down)
    _add_project(command)
    command.add_argument(
        "--keep-aws", action="store_true", help="let the local AWS run on (where all are processes)"
    )

    command = commands.add_parser("status", help="what runs; exit code 1 unless all that was started does")
    command.set_defaults(run=_status)
    _add_project(command)

    command = commands.add_parser("logs", help="follow the logs of all processes")
    command.set_defaults(run=_logs)
    command.add_argument(
        "--lines", type=int, default=20, metavar="N", help="begin with the last N of each (default: 20)"
    )
    command.add_argument("--no-follow", action="store_true", help="show what is there and end")

    command = commands.add_parser("aws", help="run the AWS CLI against the local AWS, as its root")
    command.set_defaults(run=_aws)
    command.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="...", help="what to hand to the AWS CLI"
    )

    command = commands.add_parser("token", help="print an access token of a local user, alone on stdout")
    command.set_defaults(run=_token)
    command.add_argument("user", nargs="?", default="", metavar="USER", help="one of the local users")
    return parser


def _add_project(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--project", default=".", metavar="DIR", help="the repository (default: the current directory)"
    )


def _up(state: StateDirectory, options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _exit_on_signal)
    begun = time.monotonic()

    def say(progress: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {progress}", file=sys.stderr, flush=True)

    wishes = Wishes(
        state=state,
        project=Path(options.project).absolute(),
        port=options.port,
        aws_port=options.aws_port,
        # Not resolved: an environment's python is a link, and what it links to lacks the environment's
        # libraries.
        service_python=str(Path(options.service_python).absolute()),
        only_aws=options.only is not None,
        empty=options.only == "empty-aws",
        sweep_seconds=options.sweep_seconds,
        log_seconds=options.log_seconds,
        digest_seconds=options.digest_seconds,
        debuggers=Debuggers(options.debug_port) if options.dev else None,
    )
    if choose_runtime(state, options.runtime, options.base_image, say) == DOCKER:
        addresses = compose.up(wishes, options.base_image, say)
    else:
        addresses = up(wishes, say)
    say("ready")
    print(f"AWS       {addresses.aws}  (empty)" if wishes.empty else _summary(addresses))
    return 0


def _summary(addresses: Addresses) -> str:
    users = ", ".join(user.name for user in seed.LOCAL_USERS)
    lines = [f'AWS       {addresses.aws}  (try: make aws ARGS="s3 ls")']
    if addresses.service is not None:
        lines.insert(0, f"service   {addresses.service}  (interface: {addresses.service}/docs)")
    if addresses.debuggers is not None:
        service, worker = addresses.debuggers.port, addresses.debuggers.worker_port
        lines.append(f"debugger  127.0.0.1:{service} for the service, 127.0.0.1:{worker} for the worker")
    lines.append(f"users     {users}  (password: {seed.LOCAL_PASSWORD})")
    if addresses.service is not None:
        lines.append(
            'next      curl -H "Authorization: Bearer $(make token USER=ds-fraud)" '
            f"{addresses.service}/v1/whoami"
        )
        lines.append(f"          .venv/bin/smas login {addresses.service} --username ds-fraud")
        lines.append("          or: make demo, make logs, make down")
    return "\n".join(lines)


def _exit_on_signal(number: int, _frame: object) -> NoReturn:
    """Let a termination unwind like an interruption, so that what was started is stopped again."""
    raise SystemExit(128 + number)


def _down(state: StateDirectory, options: argparse.Namespace) -> int:
    def say(progress: str) -> None:
        print(progress, file=sys.stderr, flush=True)

    if running_runtime(state) == DOCKER:
        compose.down(state, Path(options.project).absolute(), say)
    else:
        down(state, say, keep_aws=options.keep_aws)
    return 0


def _status(state: StateDirectory, options: argparse.Namespace) -> int:
    if running_runtime(state) == DOCKER:
        return _status_of_containers(state, Path(options.project).absolute())
    records = ProcessTable(state.processes).read()
    if not records:
        print("nothing has been started; start it with `make up`")
        return 1
    for name in (EMULATOR, SERVICE, WORKER, SHIPPER):
        if name not in records:
            continue
        record = records[name]
        port = f"  port {record.settings['port']}" if "port" in record.settings else ""
        condition = "running" if is_running(record) else "ended  "
        print(f"{name:<11} {condition}  pid {record.pid}{port}  log {record.log}")
    return 0 if all(is_running(record) for record in records.values()) else 1


def _status_of_containers(state: StateDirectory, project: Path) -> int:
    conditions = compose.conditions(state, project)
    for name, (_, words) in conditions.items():
        print(f"{name:<11} {words:<28}  log {state.logs / name}.log")
    return 0 if conditions and all(alive for alive, _ in conditions.values()) else 1


def _logs(state: StateDirectory, options: argparse.Namespace) -> int:
    if not state.logs.is_dir():
        raise StackError("There are no logs yet; start the stack with `make up`.")
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    try:
        show_logs(
            state.logs, sys.stdout, colour=colour, last=options.lines, follow=lambda: not options.no_follow
        )
    except KeyboardInterrupt:
        return 0  # the way to end following
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _token(state: StateDirectory, options: argparse.Namespace) -> int:
    names = [user.name for user in seed.LOCAL_USERS]
    if options.user not in names:
        asked = f"There is no local user {options.user!r}" if options.user else "Name a local user"
        print(f"{asked}; there are: {', '.join(names)} (as in: make token USER={names[0]})", file=sys.stderr)
        return USAGE_ERROR
    print(access_token(state, options.user))
    return 0


def _aws(state: StateDirectory, options: argparse.Namespace) -> int:
    stack = read_stack(state)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # Both, because the CLI asks SQS at an address of its own unless told here, and reads trails' buckets at
    # the address in the environment only.
    endpoint = ["--endpoint-url", stack["aws_endpoint"]]
    program = [sys.executable, "-m", "awscli", *endpoint, *options.arguments]
    sys.stdout.flush()
    environment = {**kept, **root_environment(stack["aws_endpoint"], kept)}
    os.execve(program[0], program, environment)  # noqa: S606 - our own interpreter


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= _LAST_PORT:
        msg = f"{text!r} is not a port: a whole number from 1 to {_LAST_PORT}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        msg = f"{text!r} is not a number of seconds above 0"
        raise argparse.ArgumentTypeError(msg)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
