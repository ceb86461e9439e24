"""Gates of damaged machines: what damage adds to an all-reduce, to a draw, to making a schedule."""

from dataclasses import replace

import numpy as np

import rainier_fast as rf
from gates import Gate, at_least, at_most

from measure import few

CHIPS = 1_048_576
# Seen: 1.4. Five calls of whole machines were allowed when those took about a sort each.
MOST_SORTS = 3
# Draws of a day's faults, and what a thousand may take: as long as a hundred healthy all-reduces of
# the build that priced each draw from nothing, each of which took a third of a sort.
DRAWS = 300
SORTS_PER_THOUSAND = 33
HOURS = 24
# A minute, in stable sorts of a million numbers on a machine of 2 cores (65 ms, measured).
SORTS_PER_MINUTE = 920


def damaged() -> rf.Machine:
    """A million chips, 1,000 links, 200 chips and 50 NICs of them dead."""
    random = np.random.default_rng(1)
    whole = rf.preset("rainier", chips=CHIPS, sites=3)
    inside = whole.num_ultraservers * 384
    return whole.with_faults(
        links=random.choice(inside, 1000, replace=False),
        chips=random.choice(CHIPS, 200, replace=False),
        nics=random.choice(CHIPS, 50, replace=False),
    )


def damaged_all_reduce() -> Gate:
    """All-reduce over a damaged million chips against sorts: whole ones take far less by now."""
    hurt = damaged()
    values = np.random.default_rng(0).random(1_000_000)
    gate = at_least(
        f"all_reduce over {CHIPS:,} chips with 1,250 faults, stable sort of 1e6 / ours",
        1 / MOST_SORTS,
        # By a machine that remembers nothing of the run before.
        lambda: hurt.with_faults().all_reduce("1 GiB", algorithm="hierarchical"),
        lambda: np.sort(values, kind="stable"),
    )
    return replace(gate, note=f"overlay of {hurt.faults.nbytes:,} bytes; {gate.note}")


def drawn_faults() -> Gate:
    """All-reduce on draws of a day's faults of half a million chips, against sorts."""
    machine = rf.preset("rainier")
    values = np.random.default_rng(0).random(1_000_000)
    sorts = 3
    gate = at_least(
        f"all_reduce on {DRAWS} draws of a day's faults, {sorts} stable sorts of 1e6 / ours",
        sorts / (SORTS_PER_THOUSAND * DRAWS / 1_000),
        lambda: machine.monte_carlo("all_reduce", "1 GiB", hours=HOURS, draws=DRAWS, n_threads=1),
        lambda: [np.sort(values, kind="stable") for _ in range(sorts)],
    )
    return replace(gate, note=f"{1e3 * gate.seconds / DRAWS:.2f} ms a draw; {gate.note}")


def made_schedule() -> Gate:
    """A schedule for 4,096 chips with dead cables: less than a minute of sorts."""
    torus = rf.torus((16, 16, 16), bandwidth="50 GB/s", latency="1 us")
    hurt = torus.with_faults(links=[5, 77, 1000])
    values = np.random.default_rng(0).random(1_000_000)
    gate = at_most(
        "a schedule made for 4,096 chips, in stable sorts of 1e6",
        SORTS_PER_MINUTE,
        lambda: hurt.all_gather("1 GiB", algorithm="synthesized"),
        lambda: np.sort(values, kind="stable"),
        few,
    )
    return replace(gate, note="the fewest that a minute holds")
