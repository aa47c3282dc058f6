"""The audit: who did what, and whether the record of it is whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from smas.cli.context import Run, common_options
from smas.cli.times import FORMS, parse_when

_SCREENFUL: Final = 100
_FOLLOWED_FROM: Final = 10


def _when(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    """A time, as ``parse_when`` reads it."""
    try:
        return None if given is None else parse_when(given, _now)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group(no_args_is_help=True)
def audit() -> None:
    """See who did what, and check the record of it.

    \b
    smas audit events --model fraud/credit-risk --since 2d
    smas audit events --denied --follow
    smas audit integrity --since 2026-11-01

    For compliance and auditors. What is shown is read from the log files that AWS CloudTrail itself delivers,
    and beside them what the store refused before it reached AWS.
    """


@audit.command()
@click.option(
    "--model", "-m", metavar="TEAM/MODEL[@N]", help="Only what was done to this model (or version N of it)."
)
@click.option("--version", type=click.IntRange(1), metavar="N", help="Only version N of the model.")
@click.option(
    "--who", "-w", metavar="NAME", help="Only of this session name or source identity, as in ds-fraud."
)
@click.option(
    "--action",
    "-a",
    metavar="ACTION",
    help="Only this call, as in s3:GetObject; a * at its end takes any ending.",
)
@click.option("--reads", "kind", flag_value="reads", help="Only calls that change nothing.")
@click.option("--writes", "kind", flag_value="writes", help="Only all other calls.")
@click.option("--people", is_flag=True, help="Leave out what the store did by itself, and AWS by the way.")
@click.option("--outcome", type=click.Choice(("success", "denied", "error")), help="Only what ended so.")
@click.option("--denied", is_flag=True, help="Only refusals, by AWS or by the store: --outcome denied.")
@click.option(
    "--since", callback=_when, metavar="WHEN", help=f"From then on (default: the last 24 hours): {FORMS}."
)
@click.option(
    "--until", callback=_when, metavar="WHEN", help="Before then (default: up to now); written as --since."
)
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(1),
    metavar="N",
    help=f"At most the N newest (default: {_SCREENFUL}; with --follow {_FOLLOWED_FROM} to begin with).",
)
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print CSV for spreadsheets, with a header and all fields."
)
@click.option(
    "--follow", "-f", is_flag=True, help="Go on and print what happens, oldest first, until Ctrl-C."
)
@common_options
def events(
    run: Run,
    model: str | None,
    version: int | None,
    who: str | None,
    action: str | None,
    kind: str | None,
    outcome: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    *,
    people: bool,
    denied: bool,
    everything: bool,
    as_csv: bool,
    follow: bool,
) -> None:
    """List who did what, newest first.

    Calls that AWS recorded, and those that the store refused.

    \b
    smas audit events --model fraud/x@3 --people           who touched version 3
    smas audit events --who ds-fraud --reads --since 12h   what ds-fraud read
    smas audit events --denied --follow                    refusals, as they happen
    smas audit events --since 2026-11-01 --all --csv > november.csv

    All filters that are given hold. Times are UTC. CloudTrail delivers a few minutes after the fact, seldom
    later; --follow looks back three hours for what comes late, and prints each event once.

    --people leaves out what the store's own roles did, and what AWS did for others by the way, such as S3
    decrypting what it hands out. It, --reads and --writes are sorted out here; all other filters are the
    store's. --json prints one JSON object a line, with the store's own fields. In --csv, what a spreadsheet
    would take for a formula has an apostrophe before it.
    """
    # Imported here: `smas --help` answers without them.
    from smas.audit import EventQuery  # noqa: PLC0415
    from smas.cli.audit_listing import Listing  # noqa: PLC0415

    _require_sense(run, follow=follow, everything=everything, as_csv=as_csv, until=until, limit=limit)
    model, version = _model_and_version(model, version)
    if denied and outcome not in {None, "denied"}:
        message = f"--denied is --outcome denied, and no event is {outcome} too"
        raise click.UsageError(message)
    query = EventQuery(model, version, who, action, "denied" if denied else outcome, since, until).checked()
    store = run.store()
    listing = Listing(run, store, query, kind, people=people, as_csv=as_csv)
    if follow:
        listing.follow(limit or _FOLLOWED_FROM)
    else:
        listing.print(None if everything else limit or _SCREENFUL)


@audit.command()
@click.option(
    "--since", callback=_when, metavar="WHEN", help=f"From then on (default: the last 24 hours): {FORMS}."
)
@click.option(
    "--until", callback=_when, metavar="WHEN", help="Before then (default: up to now); written as --since."
)
@common_options
def integrity(run: Run, since: str | None, until: str | None) -> None:
    """Check that the record of it is whole.

    CloudTrail's digests, their signatures and chain, and every log file that they list.

    \b
    smas audit integrity                     the last 24 hours
    smas audit integrity --since 30d         any range, in several parts
    smas audit integrity --since 2026-11-01 --until 2026-11-08 --json

    Tells what is wrong with which file, how far the proof reaches (digests come once an hour), and which
    sessions of the store's personas the store itself never announced: those somebody else began. Where two
    parts of a long range meet, a digest and its log files are counted twice.

    \b
    Exit codes:
      0    everything that was checked is as CloudTrail delivered it, and every session was announced
      1    something is wrong, a session is unknown, or the check ended early: the output says which
      ...  all others as `smas --help` has them; then nothing was found out
    """
    from smas.cli.audit_report import report  # noqa: PLC0415 - `smas --help` answers without it

    if not report(run, since, until).sound:
        click.get_current_context().exit(1)


def _require_sense(
    run: Run, *, follow: bool, everything: bool, as_csv: bool, until: str | None, limit: int | None
) -> None:
    """Raises ``click.UsageError`` for options that exclude each other."""
    for both, message in (
        (as_csv and run.output.as_json, "--csv and --json: which of them?"),
        (everything and limit is not None, "--all and --limit: which of them?"),
        (follow and everything, "--follow prints the oldest first: --limit says how many to begin with"),
        (follow and until is not None, "--follow goes on until Ctrl-C: there is no --until"),
    ):
        if both:
            raise click.UsageError(message)


def _model_and_version(model: str | None, version: int | None) -> tuple[str | None, int | None]:
    """``fraud/x@3`` is version 3 of fraud/x."""
    name, at, ref = (model or "").partition("@")
    if not at:
        return model, version
    if not ref.isascii() or not ref.isdecimal() or not int(ref):
        message = f"{ref!r} is no version's number; aliases move, `smas alias history` tells where they were"
        raise click.BadParameter(message, param_hint="--model")
    if version is not None and version != int(ref):
        message = f"--model names version {ref}, --version {version}"
        raise click.UsageError(message)
    return name, int(ref)


def _now() -> datetime:
    return datetime.now(UTC)


COMMANDS = (audit,)
