"""Looking, describing: ls, show, diff, edit, open."""

from __future__ import annotations

import json
import webbrowser
from typing import TYPE_CHECKING, Any

import click

from smas.cli.context import Run, common_options
from smas.cli.sizes import size_text
from smas.progress import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smas.store import Store


@click.command()
@click.argument("what", required=False, metavar="[TEAM | TEAM/MODEL[@REF]]")
@click.option("--prefix", default="", help="Only models whose names begin so.")
@click.option("--limit", "-n", type=click.IntRange(1), help="At most so many.")
@common_options
def ls(run: Run, what: str | None, prefix: str, limit: int | None) -> None:
    """List models, a model's versions, or a version's files.

    \b
    smas ls                       all models you may see
    smas ls fraud                 those of a team
    smas ls fraud/credit-risk     versions, newest first
    smas ls fraud/credit-risk@7   files
    """
    store = run.store()
    if what is None or "/" not in what:
        _list_models(run, store, what, prefix, limit)
    elif "@" in what:
        _list_files(run, store, what, limit)
    else:
        _list_versions(run, store, what, limit)


def _list_models(run: Run, store: Store, team: str | None, prefix: str, limit: int | None) -> None:
    models = _first(store.models(team, prefix), limit)
    if run.output.as_json:
        run.output.json([model.as_json() for model in models])
        return
    rows = [
        (model.id, str(model.latest_version or "-"), model.updated_at, model.created_by, model.description)
        for model in models
    ]
    run.output.table(("MODEL", "LATEST", "UPDATED", "BY", "DESCRIPTION"), rows)
    if not rows:
        run.output.say("no models yet: publish one with `smas push`")


def _list_versions(run: Run, store: Store, model: str, limit: int | None) -> None:
    versions = _first(store.versions(model), limit)
    if run.output.as_json:
        run.output.json([version.as_json() for version in versions])
        return
    pointing: dict[int, list[str]] = {}
    for alias in store.aliases(model):
        pointing.setdefault(alias.version, []).append(alias.alias)
    rows = [
        (
            str(version.version),
            version.state,
            version.created_at,
            version.created_by,
            str(version.file_count),
            size_text(version.total_size),
            ", ".join(pointing.get(version.version, [])),
            version.message,
        )
        for version in versions
    ]
    headings = ("VERSION", "STATE", "PUBLISHED", "BY", "FILES", "SIZE", "ALIASES", "MESSAGE")
    run.output.table(headings, rows)


def _list_files(run: Run, store: Store, reference: str, limit: int | None) -> None:
    version = store.version(reference)
    files = version.files[:limit]
    if run.output.as_json:
        run.output.json([file.as_json() for file in files])
        return
    run.output.table(
        ("SIZE", "SHA256", "PATH"),
        [(size_text(file.size), file.sha256[:16] + "…", file.path) for file in files],
    )


@click.command()
@click.argument("what", metavar="TEAM/MODEL[@REF]")
@common_options
def show(run: Run, what: str) -> None:
    """Show a model, or with @REF a version: state, files, metadata, digests."""
    store = run.store()
    if "@" in what:
        _show_version(run, store, what)
    else:
        _show_model(run, store, what)


def _show_model(run: Run, store: Store, name: str) -> None:
    model, aliases = store.model(name), list(store.aliases(name))
    if run.output.as_json:
        run.output.json({**model.as_json(), "aliases": [alias.as_json() for alias in aliases]})
        return
    run.output.pairs(
        {
            "model": model.id,
            "description": model.description or "-",
            "tags": ", ".join(f"{key}={value}" for key, value in model.tags.items()) or "-",
            "latest version": str(model.latest_version or "none is available"),
            "created": f"{model.created_at} by {model.created_by}",
            "updated": model.updated_at,
            "aliases": ", ".join(f"{alias.alias} -> {alias.version}" for alias in aliases) or "-",
        }
    )


def _show_version(run: Run, store: Store, reference: str) -> None:
    version = store.version(reference)
    if run.output.as_json:
        run.output.json(version.as_json())
        return
    run.output.pairs(
        {
            "version": version.reference,
            "state": version.state if version.reason is None else f"{version.state}: {version.reason}",
            "message": version.message or "-",
            "published": f"{version.created_at} by {version.created_by}",
            "revision": version.revision,
            "files": f"{len(version.files)}, {size_text(version.total_size)}",
        }
    )
    for file in version.files:
        run.output.data(f"  {file.sha256}  {size_text(file.size):>10}  {file.path}")
    if version.metadata:
        run.output.data("metadata")
        text = json.dumps(version.metadata, indent=2, ensure_ascii=False)
        run.output.data("\n".join(f"  {line}" for line in text.splitlines()))


@click.command()
@click.argument("before", metavar="TEAM/MODEL@REF")
@click.argument("after", metavar="TEAM/MODEL@REF")
@common_options
def diff(run: Run, before: str, after: str) -> None:
    """Show what changed from one version to another: files and metadata."""
    found = run.store().diff(before, after)
    if run.output.as_json:
        run.output.json(found.as_json())
        return
    run.output.say(f"from {found.before} to {found.after}")
    for sign, files in (("+", found.added), ("-", found.removed), ("~", found.changed)):
        for file in files:
            run.output.data(f"{sign} {file.path}  {size_text(file.size)}")
    for key, (old, new) in found.metadata.items():
        run.output.data(
            f"~ {key}: {json.dumps(old, ensure_ascii=False)} -> {json.dumps(new, ensure_ascii=False)}"
        )
    run.output.say(f"{counted(found.unchanged, 'file')} unchanged")


@click.command()
@click.argument("model", metavar="TEAM/MODEL")
@click.option("--description", "-d", help="What the model is.")
@click.option("--tag", "-t", "tags", multiple=True, metavar="KEY=VALUE", help="Set a tag (repeatable).")
@click.option("--remove-tag", multiple=True, metavar="KEY", help="Remove a tag (repeatable).")
@common_options
def edit(
    run: Run, model: str, description: str | None, tags: tuple[str, ...], remove_tag: tuple[str, ...]
) -> None:
    """Change a model's description and tags; what is not named stays."""
    changes: dict[str, str | None] = dict.fromkeys(remove_tag)
    for tag in tags:
        key, equals, value = tag.partition("=")
        if not equals or not key:
            message = f"{tag!r} is no tag: write KEY=VALUE"
            raise click.BadParameter(message, param_hint="--tag")
        changes[key] = value
    run.store().edit(model, description=description, tags=changes or None)
    _show_model(run, run.store(), model)


@click.command(name="open")
@common_options
def open_docs(run: Run) -> None:
    """Open the page that describes the store's API in a browser, and print its address."""
    address = f"{run.store().address}/docs"
    if run.output.as_json:
        run.output.json({"url": address})
    else:
        run.output.data(address)
    if not webbrowser.open(address):
        run.output.say("no browser could be started here: open the address yourself")


def _first(items: Iterable[Any], limit: int | None) -> list[Any]:
    from itertools import islice  # noqa: PLC0415

    return list(islice(items, limit))


COMMANDS = (ls, show, diff, edit, open_docs)
