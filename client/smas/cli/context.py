"""Options that every command takes, and what they make: the output, the store."""

from __future__ import annotations

import functools
import logging
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from smas.about import VERSION
from smas.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from smas.http import HttpClient
    from smas.store import Store
    from smas.transport import Transport

Command = TypeVar("Command", bound="Callable[..., Any]")


@dataclass(slots=True)
class Run:
    """One run of the command; ``transport`` is the way out, None for the real one."""

    address: str | None = None
    debug: bool = False
    output: Output = field(default_factory=Output)
    transport: Transport | None = None

    def store(self, **options: Any) -> Store:
        """The store that is meant, as whoever is signed in. Raises ``SmasError``."""
        # Imported here: `smas --help` answers without it.
        from smas.retries import RetryPolicy  # noqa: PLC0415
        from smas.store import Store  # noqa: PLC0415

        # Somebody waits at the keyboard: but for transfers, a store out of reach is told soon.
        options.setdefault("retries", RetryPolicy(attempts=4))
        return Store(self.address, progress=self.output.progress(), transport=self.transport, **options)

    def http(self) -> HttpClient:
        """Single requests, to whomever."""
        from smas.http import HttpClient  # noqa: PLC0415
        from smas.retries import RetryPolicy, Stop  # noqa: PLC0415
        from smas.transport import Urllib3Transport  # noqa: PLC0415

        return HttpClient(self.transport or Urllib3Transport(1), RetryPolicy(), Stop())


_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--store", "address", metavar="URL", help="The store's address (default: where you signed in)."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document."),
    click.option("--quiet", "-q", is_flag=True, help="Print the result alone, no progress and no notes."),
    click.option(
        "--debug", is_flag=True, help="Print every request to stderr (never tokens or signed URLs)."
    ),
)


def with_options(command: Command) -> Command:
    """Add the options alone: `smas` itself takes them too."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def common_options(command: Command) -> Command:
    """Add the options that every command takes; the command is called with the ``Run`` first."""

    @functools.wraps(command)
    def called(
        *arguments: Any, address: str | None, as_json: bool, quiet: bool, debug: bool, **options: Any
    ) -> Any:
        run = click.get_current_context().find_object(Run)
        if run is None:
            raise AssertionError
        run.address = address or run.address
        run.output.as_json = run.output.as_json or as_json
        run.output.quiet = run.output.quiet or quiet
        if debug:
            start_debugging(run)
        return command(run, *arguments, **options)

    return with_options(cast("Command", called))


def start_debugging(run: Run) -> None:
    """Have every request told on stderr."""
    run.debug = True
    log = logging.getLogger("smas")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    versions = f"smas {VERSION}, Python {sys.version.split()[0]}, process {os.getpid()}"
    log.debug("%s", versions)
