"""The program: its commands by name, loaded when they run, and its main job without one."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import click

from rainier_fast.cli.names import COMMANDS, FAMILIES, NAME


class Late(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; `all_reduce` is `all-reduce` too."""
        name = cmd_name.replace("_", "-")
        if name not in COMMANDS:
            return None
        module = import_module(f"rainier_fast.cli.{COMMANDS[name].module}")
        command: click.Command = module.commands()[name]
        command.short_help = COMMANDS[name].line
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the first word; a word that is none is told what it is like."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from rainier_fast.errors import unknown

            raise click.UsageError(str(unknown("command", args[0], COMMANDS)), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by family."""
        for family, commands in FAMILIES.items():
            with formatter.section(family):
                formatter.write_dl([(name, named.line) for name, named in commands.items()])


def _version(ctx: click.Context, _: click.Parameter, asked: object) -> None:
    if asked and not ctx.resilient_parsing:
        from rainier_fast import _core

        click.echo(f"{NAME} {_core.__version__}")
        ctx.exit()


@click.group(
    NAME,
    cls=Late,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Sizes, rates and times take units: '1 GiB', '50 GB/s', '200 Gbps', '1.5 us'. "
    f"{NAME} COMMAND --help says more; {NAME} manual is all of it.",
)
@click.option("--preset", metavar="NAME", help="Machine: a name that `presets` lists.")
@click.option("--chips", metavar="N", help="Chips of rainier or of a preset of nodes.")
@click.option("--shape", metavar="AxBxC", help="Shape of a TPU slice, such as 4x4x8.")
@click.option("--size", metavar="SIZE", help="Bytes, such as '1 GiB' (the default).")
@click.option("--collective", metavar="NAME", help="Such as all_reduce (the default).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Print the version and stop.",
)  # fmt: skip
@click.pass_context
def app(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - options by name
    """Model AWS Trainium clusters, and machines like them: routes, loads, collectives, jobs.

    Without a command it runs its main job: one collective on one machine, and what bounds it; all
    of Project Rainier where nothing else is said.
    """
    if ctx.invoked_subcommand is None:
        _main_job(given)
        return
    if said := [f"--{name.removeprefix('as_')}" for name, value in given.items() if value]:
        where = f"belongs after the command: {NAME} {ctx.invoked_subcommand} {said[0]} ..."
        raise click.UsageError(f"{said[0]} {where}", ctx)


def _main_job(given: dict[str, Any]) -> None:
    from rainier_fast.ask.options import OPERATIONS
    from rainier_fast.cli.machines import chips_of, shape_of
    from rainier_fast.cli.one import explained, told
    from rainier_fast.cli.show import Answer, show
    from rainier_fast.collectives.run import run
    from rainier_fast.errors import as_one_of
    from rainier_fast.machine.presets import preset

    started = time.perf_counter()
    collective = given["collective"] or "all_reduce"
    as_one_of("collective", collective, OPERATIONS)
    name = given["preset"] or "rainier"
    machine = preset(name, chips_of(given["chips"]), shape_of(given["shape"]))
    size = 0 if collective == "barrier" else given["size"] or "1 GiB"
    result = run(machine, collective, size)
    took = time.perf_counter() - started
    parts = [str(machine), str(result), *explained(result, took)]
    show(Answer(parts, lambda: told(result, took)), as_json=given["as_json"])
