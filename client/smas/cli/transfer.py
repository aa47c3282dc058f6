"""Publishing and fetching: push, pull."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from smas.cli.context import Run, common_options
from smas.cli.sizes import parse_size, size_text
from smas.progress import counted


def _rate(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        rate = parse_size(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if rate < 1:
        message = "at least one byte a second"
        raise click.BadParameter(message)
    return rate


_CONNECTIONS = click.option(
    "--connections", "-c", type=click.IntRange(1, 64), default=4, show_default=True, help="Transfers at once."
)
_LIMIT = click.option(
    "--limit-rate", metavar="RATE", callback=_rate, help="At most so many bytes a second, as in 500k or 10M."
)
_RETRIES = click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=7,
    show_default=True,
    help="Times to try again what made no progress.",
)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("model", metavar="TEAM/MODEL")
@click.option("--message", "-m", default="", help="What this version is, in a sentence.")
@click.option(
    "--metadata",
    multiple=True,
    metavar="FILE|KEY=VALUE",
    help="Facts to keep with the version: a JSON file, or single values (a.b=1 nests; repeatable).",
)
@click.option("--alias", "-a", help="Point this alias at the version once it is verified.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the version is verified.")
@click.option(
    "--wait-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=3600.0,
    show_default=True,
    help="How long to wait until it is verified.",
)
@click.option("--hidden", is_flag=True, help="Take hidden files too (.git, .env, …).")
@click.option(
    "--follow-symlinks", is_flag=True, help="Take what symbolic links lead to; they are refused else."
)
@click.option("--rehash", is_flag=True, help="Read every file, also those whose digest is remembered.")
@_CONNECTIONS
@_LIMIT
@_RETRIES
@common_options
def push(
    run: Run,
    source: Path,
    model: str,
    message: str,
    metadata: tuple[str, ...],
    alias: str | None,
    wait_seconds: float,
    connections: int,
    limit_rate: int | None,
    retries: int,
    *,
    no_wait: bool,
    hidden: bool,
    follow_symlinks: bool,
    rehash: bool,
) -> None:
    """Publish the folder or file SOURCE as the next version of TEAM/MODEL.

    Files the model holds already are not sent again. Run again after an interruption, it goes on where it
    stopped: only what is missing travels. Prints the version's name, as in fraud/credit-risk@7.

    Hidden files and empty folders are left out, and told. Symbolic links, unreadable files, names that are
    not allowed, files over 50 GB, more than 1,000 files: all are named before anything is sent.
    """
    pushed = run.store(**_transfer(connections, limit_rate, retries)).push(
        source,
        model,
        message=message,
        metadata=read_metadata(metadata),
        alias=alias,
        wait_seconds=0 if no_wait else wait_seconds,
        hidden=hidden,
        follow_symlinks=follow_symlinks,
        rehash=rehash,
    )
    if run.output.as_json:
        run.output.json(pushed.as_json())
        return
    version = pushed.version
    there = len(version.files) - pushed.sent_files
    rest = f"; {there} of {len(version.files)} were there already" if there > 0 else ""
    run.output.say(
        f"{version.state}; sent {counted(pushed.sent_files, 'file')}, {size_text(pushed.sent_bytes)}{rest}"
    )
    run.output.data(version.reference)


@click.command()
@click.argument("reference", metavar="TEAM/MODEL[@REF]")
@click.argument("dest", required=False, type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace local files that are in the way.")
@click.option("--verify", is_flag=True, help="Read what is there already, even if it looks untouched.")
@click.option(
    "--copy", is_flag=True, help="Make files of your own to edit, not read-only links into the cache."
)
@click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache.")
@click.option(
    "--wait-seconds",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="How long to wait for a version that is about to be served.",
)
@_CONNECTIONS
@_LIMIT
@_RETRIES
@common_options
def pull(
    run: Run,
    reference: str,
    dest: Path | None,
    wait_seconds: float,
    connections: int,
    limit_rate: int | None,
    retries: int,
    *,
    overwrite: bool,
    verify: bool,
    copy: bool,
    no_cache: bool,
) -> None:
    """Make the folder DEST hold the files of TEAM/MODEL[@REF].

    DEST is the model's name if left out, REF is "latest". Fetches only what differs, from the cache where it
    can, and holds every file against its SHA-256 before it gets its name. Run again after an interruption, it
    goes on where it stopped. Prints the folder.

    What else is in DEST stays. Files an earlier pull wrote and this version lacks are removed, unless they
    were changed; a file that is in the way is replaced only with --overwrite.
    """
    pulled = run.store(**_transfer(connections, limit_rate, retries)).pull(
        reference,
        dest,
        overwrite=overwrite,
        verify=verify,
        copy=copy,
        use_cache=not no_cache,
        wait_seconds=wait_seconds,
    )
    if run.output.as_json:
        run.output.json(pulled.as_json())
        return
    arrived = f"{counted(pulled.fetched_files, 'file')}, {size_text(pulled.fetched_bytes)}"
    said = [f"{pulled.version.reference}: fetched {arrived}"]
    said += [f"{pulled.cached_files} from the cache"] if pulled.cached_files else []
    said += [f"{pulled.unchanged_files} unchanged"] if pulled.unchanged_files else []
    said += [f"{len(pulled.removed)} removed"] if pulled.removed else []
    run.output.say("; ".join(said))
    run.output.data(pulled.folder)


def read_metadata(given: tuple[str, ...]) -> dict[str, Any]:
    """Metadata from JSON files and ``key=value`` pairs, later ones over earlier ones.

    A value that is JSON is taken as such, anything else as text. Raises ``click.BadParameter``.
    """
    metadata: dict[str, Any] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if equals and not _is_file(one):
            _set(metadata, key.split("."), _value(value), one)
        else:
            _merge(metadata, _json_file(Path(one)))
    return metadata


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a value may be longer than any name
        return False


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _set(metadata: dict[str, Any], keys: list[str], value: Any, shown: str) -> None:
    *folders, last = keys
    place: Any = metadata
    for key in folders:
        place = place.setdefault(key, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict) or not all(keys):
        message = f"{shown!r} does not fit what stands before it"
        raise click.BadParameter(message, param_hint="--metadata")
    place[last] = value


def _merge(metadata: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        held = metadata.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            _merge(held, value)
        else:
            metadata[key] = value


def _json_file(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except OSError as error:
        message = f"{path} can't be read ({error.strerror}); single values are written key=value"
        raise click.BadParameter(message, param_hint="--metadata") from error
    except ValueError as error:
        message = f"{path} is no JSON: {error}"
        raise click.BadParameter(message, param_hint="--metadata") from error
    if not isinstance(content, dict):
        message = f"{path} must hold a JSON object"
        raise click.BadParameter(message, param_hint="--metadata")
    return content


def _transfer(connections: int, limit_rate: int | None, retries: int) -> dict[str, Any]:
    from smas.retries import RetryPolicy  # noqa: PLC0415

    policy = RetryPolicy(attempts=retries + 1)
    return {"connections": connections, "bytes_per_second": limit_rate, "retries": policy}


COMMANDS = (push, pull)
