"""Completion for shells, by click."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes smas commands in SHELL.

    \b
    bash   eval "$(smas completion bash)"            in ~/.bashrc
    zsh    eval "$(smas completion zsh)"             in ~/.zshrc
    fish   smas completion fish | source             in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError
    click.echo(kind(context.find_root().command, {}, "smas", "_SMAS_COMPLETE").source())


COMMANDS = (completion,)
