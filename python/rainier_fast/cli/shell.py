"""Commands about this program: completion, manual."""

from __future__ import annotations

import click

from rainier_fast.cli.names import COMPLETE, NAME
from rainier_fast.cli.show import write

SHELLS = ("bash", "zsh", "fish")


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"completion": completion, "manual": manual}


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    r"""Print the script that completes commands, options and presets in a SHELL.

    \b
    bash: rainier-fast completion bash > ~/.local/share/bash-completion/completions/rainier-fast
    zsh:  rainier-fast completion zsh > a file _rainier-fast in a folder of $fpath
    fish: rainier-fast completion fish > ~/.config/fish/completions/rainier-fast.fish
    """
    from click.shell_completion import get_completion_class

    from rainier_fast.cli.app import app

    kind = get_completion_class(shell)
    assert kind is not None, "click has the three shells"
    made = kind(app, {}, NAME, COMPLETE)
    write(made.source_template % made.source_vars())


@click.command("manual")
def manual() -> None:
    """Print the manual of all commands as Markdown: docs/cli.md is made so."""
    from rainier_fast.cli.manual import text

    write(text())
