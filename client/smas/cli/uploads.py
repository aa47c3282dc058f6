"""Uploads of large files that somebody began and nobody completed."""

from __future__ import annotations

import click

from smas.cli.context import Run, common_options
from smas.cli.sizes import size_text


@click.group(no_args_is_help=True)
def uploads() -> None:
    """See and end uploads that were begun and not completed.

    Pushing the same file again continues one, whoever of the team began it; after a day they end by
    themselves.
    """


@uploads.command(name="ls")
@click.argument("model", metavar="TEAM/MODEL")
@common_options
def list_uploads(run: Run, model: str) -> None:
    """List the open uploads of TEAM/MODEL."""
    found = list(run.store().open_uploads(model))
    if run.output.as_json:
        run.output.json([upload.as_json() for upload in found])
        return
    run.output.table(
        ("SHA256", "SIZE", "BEGUN", "BY"),
        [(upload.sha256, size_text(upload.size), upload.created_at, upload.created_by) for upload in found],
    )
    if not found:
        run.output.say("none is open")


@uploads.command()
@click.argument("model", metavar="TEAM/MODEL")
@click.argument("sha256")
@common_options
def abort(run: Run, model: str, sha256: str) -> None:
    """End the open upload of the file with that SHA256; what was sent of it is freed."""
    run.store().abort_upload(model, sha256)
    if run.output.as_json:
        run.output.json({"model": model, "sha256": sha256, "aborted": True})
    else:
        run.output.data("aborted")


COMMANDS = (uploads,)
