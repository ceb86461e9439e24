"""The manual: Markdown of every command, made of the same words as its help."""

from __future__ import annotations

from typing import Final

import click

from rainier_fast.cli.app import app
from rainier_fast.cli.names import FAMILIES
from rainier_fast.cli.program import CODES, NAME

HEAD: Final = """# The command line

`{name}`, which `python -m rainier_fast` is too, asks the model from a shell. This page is what
`{name} manual` prints: each command with its own help.

Commands are made with [click](https://click.palletsprojects.com), which brings completion in bash, zsh and fish
and tests without processes, and needs nothing but Python; tables, colours and progress with
[rich](https://rich.readthedocs.io), which is loaded only where a terminal looks. Both are kept by many hands and
are dependencies of the package, so that the program is always there.

- Tables have colours and lines in a terminal and are plain text in a pipe; `--csv` and `--json` have all digits, in SI
  units. Progress and notes go to standard error.
- Sizes, rates and times take units: `'1 GiB'`, `'50 GB/s'`, `'200 Gbps'`, `'1.5 us'`. `--begbytes`, `--endbytes` and
  `--stepbytes` are read as nccom-test and nccl-tests read them: `K`, `kb`, `M`, `GB` are powers of 1024.
- `--set` changes a field of the machine by its path: below `ultraserver` (its `axes` by name, `nic`, `chip`,
  `neuron`, ...), `fabric` (of each site; its `tiers` by number, or `all`), `sites` (by name) or `wan`. A path that is
  none is told what there is.
- `_` in the name of a command is `-`: `all_reduce` is `all-reduce`.

| exit code | what it means |
|---|---|
{codes}
"""


def text() -> str:
    """Return the manual."""
    from rainier_fast.cli.examples import EXAMPLES

    codes = "\n".join(f"| {code} | {line} |" for code, line in CODES.items())
    parts = [HEAD.format(name=NAME, codes=codes), EXAMPLES]
    context = app.make_context(NAME, [], resilient_parsing=True)
    parts.append(_page("Without a command", app, context, commands=False))
    for family, commands in FAMILIES.items():
        parts.append(f"## {family}\n")
        for name in commands:
            command = app.get_command(context, name)
            assert command is not None, "names.py has commands that are there"
            inner = click.Context(command, info_name=name, parent=context, max_content_width=_WIDTH)
            parts.append(_page(f"{NAME} {name}", command, inner))
    return "\n".join(parts).rstrip("\n")


_WIDTH: Final = 100


def _page(title: str, command: click.Command, context: click.Context, *, commands: bool = True) -> str:
    context.max_content_width = context.terminal_width = _WIDTH
    help_text = command.get_help(context) if commands else _without_commands(command, context)
    return f"### {title}\n\n```text\n{help_text.rstrip()}\n```\n"


def _without_commands(command: click.Command, context: click.Context) -> str:
    formatter = context.make_formatter()
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    with formatter.section("Options"):
        records = (parameter.get_help_record(context) for parameter in command.get_params(context))
        formatter.write_dl([record for record in records if record is not None])
    return formatter.getvalue()
