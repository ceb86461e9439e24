"""What the lines round a table say of the run that printed it: command, ranks, nodes, groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rainier_fast.errors import Unsupported
from rainier_fast.formats.lines import Line
from rainier_fast.formats.rows import fault, has_no_model, known_operation, operation

NCCOM, NCCL, OSU, UCC = "nccom-test", "nccl-tests", "OSU micro-benchmarks", "UCC's perftest"

_PROGRAMS: Final = (
    (NCCOM, re.compile(r"(?:.*/)?nccom-test$")),
    (NCCL, re.compile(r"(?:.*/)?(\w+)_perf(?:_mpi)?$")),
    (OSU, re.compile(r"(?:.*/)?osu_(\w+)$")),
    (UCC, re.compile(r"(?:.*/)?ucc_perftest$")),
)
_LAUNCHERS: Final = re.compile(r"(?:.*/)?(mpirun|mpiexec|orterun|prterun|srun)$")

# Options of the launchers by what they count; a launcher's options stand before the program.
_PROCESSES: Final = {"mpi": ("-np", "-n", "--np", "--n", "-c"), "srun": ("-n", "--ntasks")}
_EACH_NODE: Final = {
    "mpi": ("-npernode", "--npernode", "-ppn", "--ppn", "-N"),
    "srun": ("--ntasks-per-node",),
}
_NODES: Final = {"mpi": (), "srun": ("-N", "--nodes")}
_EACH_PROCESS: Final = (("-t", "--nthreads"), ("-g", "--ngpus"))  # of nccl-tests and rccl-tests

# What of nccom-test's options measures something else than one collective over all ranks.
_OTHER: Final = {
    "--data-parallel-dimension": "several groups at once",
    "--custom-replica-group": "groups of its own",
    "--custom-src-target-pairs": "pairs of its own",
    "--coalesced-cc-size-ratio": "several collectives at once",
    "--sb2sb": "buffers in SBUF",
}

_RANK: Final = re.compile(
    r"Rank\s+(\d+)(?:\s+Group\s+(\d+))?\s+Pid\s+\d+\s+on\s+(\S+)\s+device\s+(\d+)"
)
_THREADS: Final = re.compile(r"nThread\s+(\d+)\s+nGpus\s+(\d+)\b")
_MENTION: Final = re.compile(r"\b(\w+_perf)\b")
_OSU_TITLE: Final = re.compile(r"OSU\s+(?:\w+\s+)?(?:MPI|NCCL|xCCL)\S*\s+(.+?)\s+Latency\s+Test")
_UCC_FACT: Final = re.compile(r"(Collective|Datatype|Inplace):\s+(\S+)$")


@dataclass(slots=True)
class Run:
    """Facts of one run, each by what says so."""

    tool: str = ""
    op: str | None = None
    ranks: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, int] = field(default_factory=dict)
    each: dict[str, int] = field(default_factory=dict)
    """GPUs of one process: the ranks are a multiple of it."""
    lnc: int | None = None
    dtype: str | None = None
    in_place: bool = False
    used: bool = False
    """Whether rows were read since."""
    listed: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Group and host of each rank."""

    @property
    def cores(self) -> bool:
        """Whether its ranks are NeuronCores."""
        return self.tool == NCCOM

    def sole(self, what: str) -> int | None:
        """Return the number that all that speak of ranks or nodes agree on."""
        said: dict[str, int] = dict(getattr(self, what))
        if self.listed and what == "ranks":
            said["the list of devices"] = len(self.listed)
        if self.listed and what == "nodes":
            said["the list of devices"] = len({host for _, host in self.listed.values()})
        each = self.each if what == "ranks" else {}
        if not said and max(each.values(), default=0) > 1:
            said = each
        if len(set(said.values())) > 1:
            words = ", ".join(f"{count} by {name}" for name, count in said.items())
            raise fault("the run", f"{what} that disagree ({words})", "must be of one run")
        found = next(iter(said.values()), None)
        for count in each.values():
            if found and count > 1 and found % count:
                got = f"{found} ranks of processes with {count} GPUs each"
                raise fault("the run", got, "must be a whole number of processes")
        return found

    def check(self) -> None:
        """Refuse what is not one collective over all ranks."""
        groups = {group for group, _ in self.listed.values()}
        if len(groups) > 1:
            raise Unsupported(
                f"table: its ranks are in {len(groups)} groups that ran at once (column Group of "
                "the devices): a machine is fitted to one collective at a time; measure without "
                "NCCL_TESTS_SPLIT"
            )


class Runs:
    """Reads lines for facts; `now` is the run that the next rows are of."""

    def __init__(self) -> None:
        self.now = Run()

    def look(self, line: Line) -> None:
        """Take what a line says of a run."""
        if self._command(line, line.text.split()):
            return
        for pattern, take in _FACTS:
            if match := pattern.search(line.plain):
                if "concluded" not in line.plain:
                    take(self._fresh(), match, line)
                return

    def _fresh(self) -> Run:
        if self.now.used:
            self.now = Run()
        return self.now

    def _command(self, line: Line, words: list[str]) -> bool:
        words = [word.strip("`'\"") for word in words]
        for at, word in enumerate(words):
            for tool, pattern in _PROGRAMS:
                match = pattern.match(word)
                if match is None or "Collective test" in line.text:
                    continue
                if tool != NCCOM and not _is_command(words, at, word):
                    continue
                self.now = read_command(tool, match, words, at, line.where)
                return True
        return False


def _is_command(words: Sequence[str], at: int, word: str) -> bool:
    """Tell a command from words about it: it has a path, a launcher, options, or stands alone."""
    return (
        "/" in word
        or len(words) == 1
        or any(_LAUNCHERS.match(one) for one in words[:at])
        or any(one.startswith("-") for one in words[at + 1 :])
    )


def read_command(tool: str, match: re.Match[str], words: Sequence[str], at: int, where: str) -> Run:
    """Return what a command says: `at` is where its program stands."""
    before, after = words[:at], words[at + 1 :]
    run = Run(tool)
    for one in before:
        if found := re.match(r"NEURON_(?:LOGICAL_NC_CONFIG|RT_VIRTUAL_CORE_SIZE)=(\d+)$", one):
            run.lnc = int(found[1])
    if tool == NCCOM:
        _nccom(run, after, where)
        return run
    if tool == UCC:
        word = _value(after, ("-c", "--coll"))
        run.op = None if word is None else known_operation(word, where)
    elif operation(match[1]) or has_no_model(match[1]):
        run.op = known_operation(match[1], where)
    processes, nodes = _launched(before)
    if tool == NCCL:
        threads, gpus = (_count(after, names) for names in _EACH_PROCESS)
        run.each["the command"] = (1 if threads is None else threads) * (
            1 if gpus is None else gpus
        )
    each = run.each.get("the command", 1)  # 0 where it is no number, but a variable of a shell
    if processes and each:
        run.ranks["the command"] = processes * each
    if nodes:
        run.nodes["the command"] = nodes
    return run


def _nccom(run: Run, after: Sequence[str], where: str) -> None:
    plain = [word for word in after if not word.startswith("-")]
    if refused := next((one for one in after if one.partition("=")[0] in _OTHER), None):
        option = refused.partition("=")[0]
        raise Unsupported(
            f"table, {where}: {option} measures {_OTHER[option]}, and a machine is fitted to one "
            "collective over all ranks, from HBM to HBM"
        )
    word = next((one for one in plain if operation(one) or has_no_model(one)), None)
    if word is not None:
        run.op = known_operation(word, where)
    for what, names in (("ranks", ("-r", "--nworkers")), ("nodes", ("-N", "--nnodes"))):
        if count := _count(after, names):
            getattr(run, what)["the command"] = count
    run.dtype = _value(after, ("-d", "--datatype"))


def _launched(before: Sequence[str]) -> tuple[int | None, int | None]:
    """Return how many processes a launcher starts, and on how many nodes."""
    starts = [at for at, word in enumerate(before) if _LAUNCHERS.match(word)]
    if not starts:
        return None, None
    options = before[starts[-1] + 1 :]
    kind = "srun" if before[starts[-1]].endswith("srun") else "mpi"
    processes, each = _count(options, _PROCESSES[kind]), _count(options, _EACH_NODE[kind])
    nodes = _count(options, _NODES[kind])
    if each is None and (found := re.search(r"\bppr:(\d+):node\b", " ".join(options))):
        each = int(found[1])
    if processes is None and each and nodes:
        processes = each * nodes
    if nodes is None and processes and each and processes % each == 0:
        nodes = processes // each
    return processes, nodes


def _count(words: Sequence[str], names: Sequence[str]) -> int | None:
    """Return the number of an option; None where it is not given, 0 where it is no number."""
    value = _value(words, names)
    if value is None:
        return None
    return int(value) if re.fullmatch(r"\d{1,9}", value) else 0


def _value(words: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the last value of an option by any of its names: `-g 8`, `-g8`, `--ngpus=8`."""
    found = None
    for at, word in enumerate(words):
        name, _, value = word.partition("=")
        short = re.match(r"^(-[A-Za-z])(\d+)$", word)
        if word in names and at + 1 < len(words):
            found = words[at + 1]
        elif short and short[1] in names:
            found = short[2]
        elif name in names and value:
            found = value
    return found


def _take_rank(run: Run, match: re.Match[str], line: Line) -> None:
    rank, group = int(match[1]), int(match[2] or 0)
    run.tool = run.tool or NCCL
    if rank in run.listed:
        raise fault(
            line.where,
            f"rank {rank} a second time",
            "must be of one run: processes that each start at rank 0 ran alone (nccl-tests built "
            "without MPI), and their tables measure no collective between them",
        )
    run.listed[rank] = (group, match[3])


def _take_threads(run: Run, match: re.Match[str], _line: Line) -> None:
    run.tool = run.tool or NCCL
    run.each["the tool's first line"] = int(match[1]) * int(match[2])


def _take_mention(run: Run, match: re.Match[str], line: Line) -> None:
    if operation(match[1]) or has_no_model(match[1]):
        _same_op(run, known_operation(match[1], line.where), line)


def _take_title(run: Run, match: re.Match[str], line: Line) -> None:
    run.tool = OSU
    if operation(match[1]) or has_no_model(match[1]):
        _same_op(run, known_operation(match[1], line.where), line)


def _take_ucc(run: Run, match: re.Match[str], line: Line) -> None:
    if match[1] == "Collective":
        run.tool = UCC
        _same_op(run, known_operation(match[2], line.where), line)
    elif run.tool != UCC:
        return
    elif match[1] == "Datatype":
        run.dtype = match[2]
    else:
        run.in_place = match[2] == "1"


def _same_op(run: Run, op: str, line: Line) -> None:
    if run.op not in (None, op):
        raise fault(line.where, f"{op} after a command of {run.op}", "must be of one run")
    run.op = op


_FACTS: Final = (
    (_RANK, _take_rank),
    (_THREADS, _take_threads),
    (_OSU_TITLE, _take_title),
    (_UCC_FACT, _take_ucc),
    (_MENTION, _take_mention),
)
