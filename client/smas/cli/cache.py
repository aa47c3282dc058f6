"""The cache of fetched files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from smas.cli.context import Run, common_options
from smas.cli.sizes import parse_age, size_text
from smas.progress import counted

if TYPE_CHECKING:
    from smas.transfer.cache import BlobCache


@click.group(no_args_is_help=True)
def cache() -> None:
    """See and empty the cache of fetched files (SMAS_CACHE names its folder)."""


@cache.command()
@common_options
def show(run: Run) -> None:
    """Show where the cache is and what it holds."""
    held = _cache()
    blobs = list(held.blobs())
    size, linked = sum(blob.size for blob in blobs), sum(blob.linked for blob in blobs)
    if run.output.as_json:
        run.output.json({"folder": str(held.root), "files": len(blobs), "bytes": size, "linked": linked})
        return
    run.output.pairs(
        {
            "folder": str(held.root),
            "files": f"{len(blobs)}, of which {linked} are linked into pulled folders",
            "size": size_text(size),
        }
    )


@cache.command()
@click.option(
    "--unused",
    default="30d",
    show_default=True,
    metavar="AGE",
    help="Remove what no pull used for so long, as in 12h, 30d or 4w; 0s removes all.",
)
@common_options
def prune(run: Run, unused: str) -> None:
    """Remove fetched files that were not used for a while; pulled folders keep theirs."""
    try:
        seconds = parse_age(unused)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--unused") from error
    files, size = _cache().prune(seconds)
    if run.output.as_json:
        run.output.json({"files": files, "bytes": size})
    else:
        run.output.data(f"removed {counted(files, 'file')}, {size_text(size)}")


def _cache() -> BlobCache:
    from smas.session import Places  # noqa: PLC0415
    from smas.transfer.cache import BlobCache  # noqa: PLC0415

    return BlobCache(Places.of(os.environ).cache)


COMMANDS = (cache,)
