"""The entry point: the list of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from smas.about import VERSION
from smas.cli import aliases, audit, browse, cache, completion, sign_in, transfer, uploads
from smas.cli.context import Run, start_debugging, with_options
from smas.errors import EXIT_CODES, SmasError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smas.transport import Transport

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
_UNEXPECTED = 1

EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM): it ends as after Ctrl-C, with another exit code."""


@click.group(
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    no_args_is_help=True,
)
@click.version_option(VERSION, prog_name="smas", message="%(prog)s %(version)s")
@with_options
@click.pass_obj
def smas(run: Run, address: str | None, *, as_json: bool, quiet: bool, debug: bool) -> None:
    """Publish and fetch models of a secure model artifact store.

    \b
    smas login https://models.example.com
    smas push out/ fraud/credit-risk --message "random forest" --alias champion
    smas pull fraud/credit-risk@champion in/

    A model is named TEAM/MODEL, a version TEAM/MODEL@REF, where REF is a number, an alias, or "latest" (also
    when it is left out). Results go to stdout, everything else to stderr. Options may stand before or after
    the command.
    """
    run.address = address
    run.output.as_json = as_json
    run.output.quiet = quiet
    if debug:
        start_debugging(run)


for module in (sign_in, transfer, browse, aliases, uploads, audit, cache, completion):
    for command in module.COMMANDS:
        smas.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    code = run(arguments)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code in (INTERRUPTED, TERMINATED):
        # Threads may still wait for a stalled connection; what they did is on disk already.
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None, *, transport: Transport | None = None) -> int:
    """Run one command; answers its exit code. ``transport`` is the way out, if not the real one."""
    this = Run(transport=transport)
    try:
        ended = smas.main(
            args=list(arguments) if arguments is not None else None, obj=this, standalone_mode=False
        )
    except SystemExit:
        # So click ends what was written to a pipe whose reader (`| head`) has what it wanted.
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every one of them ends here
        return _told(error, this)
    # Click answers the code of a command that ended itself with one, else what the command answers: nothing.
    return ended if isinstance(ended, int) else 0


def _told(error: BaseException, this: Run) -> int:
    """Say what ended the command; answers the exit code."""
    match error:
        case SmasError():
            this.output.error(error)
            return error.exit_code
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            error.show()
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            click.echo("\ninterrupted: run the same command again to continue where it stopped", err=True)
            # Click says `Abort` for both, and where it comes from.
            return TERMINATED if isinstance(error.__cause__ or error, Terminated) else INTERRUPTED
        case _:
            if this.debug:
                raise error
            click.echo(f"smas: an error of ours: {type(error).__name__}: {error}", err=True)
            click.echo("  next: run it with --debug and report what it prints", err=True)
            return _UNEXPECTED


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated


if __name__ == "__main__":
    main()
