"""Options that several commands share, each said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


def _all(*decorators: Callable[[Any], Any]) -> Callable[[F], F]:
    def apply(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def _presets(_: object, __: object, begun: str) -> list[CompletionItem]:
    from rainier_fast.machine.presets import presets

    return [
        CompletionItem(name, help=line)
        for name, line in presets().items()
        if name.startswith(begun)
    ]


SET: Final = click.option(
    "--set", "settings", metavar="PATH=VALUE", multiple=True,
    help="Change a field of the machine by its path below ultraserver, fabric (of each site), "
    "sites or wan, such as ultraserver.nic.bandwidth='50 GB/s'. May be repeated.",
)  # fmt: skip

_SIZED: Final = (
    click.option("--chips", metavar="N", help="Chips of rainier or of a preset of nodes."),
    click.option("--shape", metavar="AxBxC", help="Shape of a TPU slice, such as 4x4x8."),
    click.option("--sites", metavar="N", help="Spread rainier's chips over 1 to 3 sites."),
    SET,
)

FAULTS: Final = click.option(
    "--faults", metavar="WORDS",
    help="What is broken: a file of `faults --save`, or words by number: links=3,70-75; chips=; "
    "nics=; ultraservers=; sites=NAME; degrade=LINK:FACTOR; with ; between kinds.",
)  # fmt: skip

MACHINE: Final = _all(
    click.option(
        "--preset", metavar="NAME", shell_complete=_presets,
        help="Machine: a name that `presets` lists; rainier where nothing is said.",
    ),
    click.option(
        "--machine", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
        help="Machine: a file of a definition, TOML, YAML or JSON, as --save writes it.",
    ),
    *_SIZED,
    FAULTS,
)  # fmt: skip
"""Which machine."""

OUTPUT: Final = _all(
    click.option("--json", "as_json", is_flag=True, help="Print JSON, with numbers in SI units."),
    click.option("--csv", "as_csv", is_flag=True, help="Print the table as CSV, in SI units."),
)
"""How the answer is written."""

HOW: Final = _all(
    click.option(
        "--model", metavar="NAME", default="link_load", show_default=True,
        help="How links are shared: link_load, alpha_beta, fluid or fifo.",
    ),
    click.option(
        "--routing", metavar="NAME", default="dor", show_default=True,
        help="dor, adaptive, valiant, wild_first, shortest, up_down or balanced.",
    ),
    click.option("--dtype", metavar="TYPE", help="Type of the numbers, such as bf16 or fp32."),
)  # fmt: skip
"""How a collective runs, beside its algorithm."""

ALGORITHM: Final = click.option(
    "--algorithm", metavar="NAME", default="auto", show_default=True,
    help="auto is the fastest on the links, runtime what the machine's own software runs, others "
    "by name; several by tier with commas (UltraServer,site,WAN).",
)  # fmt: skip


def algorithm_of(text: str) -> str | tuple[str, ...]:
    """Read an algorithm, or several by tier."""
    names = tuple(name.strip() for name in text.split(","))
    return names[0] if len(names) == 1 else names


def how(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `HOW` out of all options, those that say something."""
    return {name: given.pop(name) for name in ("model", "routing")} | {"dtype": given.pop("dtype")}


def output(given: dict[str, Any]) -> dict[str, bool]:
    """Take the options of `OUTPUT` out of all options."""
    return {name: given.pop(name) for name in ("as_json", "as_csv")}
