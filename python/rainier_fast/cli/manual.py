"""The manual: Markdown of every command, made of the same words as its help."""

from __future__ import annotations

import io
import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

import click

from rainier_fast.cli.app import app
from rainier_fast.cli.examples import EXAMPLES, MEASURED, TABLE, Example
from rainier_fast.cli.names import CODES, FAMILIES, NAME
from rainier_fast.cli.program import main

_HEAD: Final = """# The command line

`{name}`, which `python -m rainier_fast` is too, asks the model from a shell. This page is what
`{name} manual` prints: every command by its own help, and examples with what they print.

Commands are made with [click](https://click.palletsprojects.com), which brings completion in bash,
zsh and fish and tests without processes, and needs nothing but Python; tables, colours and progress
with [rich](https://rich.readthedocs.io), which is loaded only where a terminal looks. Both are kept
by many hands. They are dependencies of the package, so that the program is always there.

- Tables have colours in a terminal and are plain text in a pipe; `--csv` and `--json` have all
  digits, in SI units. Progress and notes go to standard error.
- Sizes, rates and times take units: `'1 GiB'`, `'50 GB/s'`, `'200 Gbps'`, `ms`. `--begbytes`,
  `--endbytes` and `--stepbytes` are read as nccom-test and nccl-tests read them: `K`, `kb`, `M`,
  `GB` are powers of 1024.
- `--set` changes a field of the machine by its path: below `ultraserver` (its `axes` by name,
  `nic`, `chip`, `neuron`, ...), `fabric` (of each site; its `tiers` by number, or `all`), `sites`
  (by name) or `wan`. A path that is none is told what there is.
- In names of commands `_` is `-`: `all_reduce` is `all-reduce`.
- Completion: `{name} completion bash`, `zsh` or `fish` prints the script for your shell.

| exit code | what it means |
|---|---|
{codes}
"""

_WIDTH: Final = 100


def text() -> str:
    """Return the manual."""
    codes = "\n".join(f"| {code} | {line} |" for code, line in CODES.items())
    parts = [_HEAD.format(name=NAME, codes=codes), "## Questions and answers\n", *_examples()]
    context = app.make_context(NAME, [], resilient_parsing=True)
    parts.append(f"## Without a command\n\n{_page(app, context)}")
    for family, commands in FAMILIES.items():
        parts.append(f"## {family}\n")
        for name in commands:
            command = app.get_command(context, name)
            assert command is not None, "names.py has commands that are there"
            inner = click.Context(command, info_name=name, parent=context)
            parts.append(f"### {name}\n\n{_page(command, inner)}")
    return "\n".join(parts).rstrip("\n")


def _page(command: click.Command, context: click.Context) -> str:
    """Return the help of one command, without what a group lists."""
    formatter = click.HelpFormatter(width=_WIDTH, max_width=_WIDTH)
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    with formatter.section("Options"):
        records = (parameter.get_help_record(context) for parameter in command.get_params(context))
        formatter.write_dl([record for record in records if record is not None])
    return f"```text\n{formatter.getvalue().rstrip()}\n```\n"


def _examples() -> Iterator[str]:
    """Run the examples, and yield each with what it prints."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path(MEASURED).write_text(TABLE, encoding="utf-8")
        shown = False
        for example in EXAMPLES:
            if MEASURED in example.words and not shown:
                shown = True
                yield f"With what nccom-test printed in `{MEASURED}`:\n\n```text\n{TABLE}```\n"
            yield _example(example)


def _example(example: Example) -> str:
    lines = printed(example.words)[: example.most]
    command = shlex.join([NAME, *example.words])
    output = "\n".join(line.rstrip() for line in lines)
    return f"**{example.question}** {example.answer}\n\n```console\n$ {command}\n{output}\n```\n"


def printed(words: tuple[str, ...]) -> list[str]:
    """Return the lines that a command prints on standard output."""
    into = io.StringIO()
    with redirect_stdout(into), redirect_stderr(io.StringIO()):
        code = main(words)
    assert code == 0, f"{shlex.join(words)} ended with {code}"
    return into.getvalue().rstrip("\n").split(os.linesep)
