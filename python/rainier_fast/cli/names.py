"""Names: the commands by family, with one line on each, exit codes, and the program itself."""

from __future__ import annotations

from typing import Final, NamedTuple

OK: Final = 0
FAILED: Final = 1
WRONG: Final = 2
STOPPED: Final = 130
CLOSED: Final = 141
CODES: Final = {
    OK: "the command did what it says",
    FAILED: "it could not: no room to write, too little memory, or a check found a difference",
    WRONG: "the words are wrong: an option, a value or a file; the line names it and the mend",
    STOPPED: "stopped by Ctrl-C",
    CLOSED: "whoever read the output, such as `head`, closed it; nothing is printed",
}
"""What each exit code means."""

NAME: Final = "rainier-fast"
COMPLETE: Final = "_RAINIER_FAST_COMPLETE"
"""What a shell sets to ask for completions."""


class Named(NamedTuple):
    """Where a command is, and what it does in one line."""

    module: str
    line: str


FAMILIES: Final[dict[str, dict[str, Named]]] = {
    "Machines": {
        "presets": Named("look", "List the machines by name."),
        "describe": Named("look", "Show a machine: chips, links, NICs, sites, assumptions."),
        "route": Named("look", "Show the links that a message takes."),
        "traffic": Named("look", "Show how busy a traffic pattern makes each class of links."),
    },
    "Collectives": {
        "all-reduce": Named("collectives", "Sum of all buffers on every rank."),
        "all-gather": Named("collectives", "Shares of all ranks on every rank."),
        "reduce-scatter": Named("collectives", "A share of the sum on every rank."),
        "all-to-all": Named("collectives", "A share from every rank to every rank."),
        "broadcast": Named("collectives", "The root's buffer on every rank."),
        "reduce": Named("collectives", "Sum of all buffers on the root."),
        "gather": Named("collectives", "Shares of all ranks on the root."),
        "scatter": Named("collectives", "A share of the root's buffer on every rank."),
        "send-recv": Named("collectives", "A message from each rank to one further on."),
        "barrier": Named("collectives", "Nobody leaves before everybody came."),
    },
    "Studies": {
        "compare": Named(
            "studies", "Set machines, changes of one, or a measured table side by side."
        ),
        "mapping": Named("studies", "Rank the ways to lay a mesh over a machine."),
        "sweep": Named("sweeping", "Ask a question of a file at all combinations of its axes."),
        "faults": Named("studies", "Draw or read faults, and rank the ways to go on with them."),
        "calibrate": Named("measured", "Fit a machine's parameters to a measured table."),
        "validate": Named("measured", "Print published figures beside ours, with errors."),
    },
    "Jobs": {
        "train": Named("jobs", "Time a training step, or rank the layouts of a job."),
        "serve": Named("jobs", "Time a service, or rank its layouts and loads."),
        "goodput": Named("operate", "Say what failures and checkpoints leave of a job's work."),
        "cost": Named("operate", "Say what a machine, a step or a service costs."),
    },
    "Files": {
        "report": Named("reports", "Write a page of HTML about a collective, or a saved answer."),
        "read": Named("files", "Say what is in a file of another program, by its content."),
    },
    "This program": {
        "completion": Named("shell", "Print the completion script of a shell."),
        "manual": Named("shell", "Print the manual of all commands as Markdown."),
    },
}
"""Commands by family, in the order in which help lists them."""

COMMANDS: Final = {name: named for family in FAMILIES.values() for name, named in family.items()}
