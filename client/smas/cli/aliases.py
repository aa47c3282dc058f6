"""Aliases: names that move from version to version."""

from __future__ import annotations

from typing import Literal

import click

from smas.cli.context import Run, common_options


@click.group(no_args_is_help=True)
def alias() -> None:
    """Set, list and remove aliases, and see where they were."""


@alias.command(name="set")
@click.argument("model", metavar="TEAM/MODEL")
@click.argument("name", metavar="ALIAS")
@click.argument("ref", metavar="REF")
@click.option("--expect", metavar="N|none", help="Only if it points to version N now (none: does not exist).")
@common_options
def set_alias(run: Run, model: str, name: str, ref: str, expect: str | None) -> None:
    """Point ALIAS at a version of TEAM/MODEL: REF is a number, "latest", or another alias.

    Protected aliases ("production", unless the model's settings say otherwise) are moved by approvers, and
    only to versions that somebody else published.
    """
    expected: int | Literal["any"] | None = "any"
    if expect is not None:
        if expect != "none" and not expect.isdecimal():
            message = f"{expect!r} is neither a version's number nor 'none'"
            raise click.BadParameter(message, param_hint="--expect")
        expected = None if expect == "none" else int(expect)
    moved = run.store().set_alias(model, name, ref, expected=expected)
    if run.output.as_json:
        run.output.json(moved.as_json())
    else:
        run.output.data(f"{moved.alias} -> {moved.version}")


@alias.command(name="list")
@click.argument("model", metavar="TEAM/MODEL")
@common_options
def list_aliases(run: Run, model: str) -> None:
    """List the aliases of TEAM/MODEL."""
    found = list(run.store().aliases(model))
    if run.output.as_json:
        run.output.json([one.as_json() for one in found])
        return
    run.output.table(
        ("ALIAS", "VERSION", "MOVED", "BY", ""),
        [
            (
                one.alias,
                str(one.version),
                one.updated_at,
                one.updated_by,
                "protected" if one.protected else "",
            )
            for one in found
        ],
    )
    if not found:
        run.output.say("no aliases yet: set one with `smas alias set`")


@alias.command()
@click.argument("model", metavar="TEAM/MODEL")
@click.argument("name", metavar="ALIAS")
@click.option("--at", metavar="TIME", help="Where it pointed at that time only, as in 2026-03-01T12:00:00Z.")
@common_options
def history(run: Run, model: str, name: str, at: str | None) -> None:
    """Show every move of ALIAS, newest first, or where it pointed at a time."""
    store = run.store()
    if at is not None:
        then = store.alias(model, name, at=at)
        if run.output.as_json:
            run.output.json(then.as_json())
        else:
            run.output.data(f"{then.alias} -> {then.version}  since {then.updated_at}, by {then.updated_by}")
        return
    moves = list(store.alias_history(model, name))
    if run.output.as_json:
        run.output.json([move.as_json() for move in moves])
        return
    run.output.table(
        ("VERSION", "MOVED", "BY"),
        [(str(move.version or "removed"), move.updated_at, move.updated_by) for move in moves],
    )


@alias.command(name="rm")
@click.argument("model", metavar="TEAM/MODEL")
@click.argument("name", metavar="ALIAS")
@common_options
def remove(run: Run, model: str, name: str) -> None:
    """Remove ALIAS; its history stays."""
    run.store().remove_alias(model, name)
    if run.output.as_json:
        run.output.json({"model": model, "alias": name, "removed": True})
    else:
        run.output.data(f"{name} removed")


COMMANDS = (alias,)
