"""Gates of flows: messages of unlike sizes, and fair rates of many."""

import numpy as np
from numpy.typing import NDArray

import rainier_fast as rf
from gates import Gate, at_most

from measure import peak_growth_bytes
from yardsticks import random_pairs

FLOWS, MORE = 16_000, 8
OVER_WAN = 65_536
RATES = 1_000_000
ADAPTIVE = 20_000
STREAMED = 10_000_000


def closed_form(nbytes: NDArray[np.float64]) -> NDArray[np.float64]:
    """When messages that share a link of a byte/s end: processor sharing, sorted by size."""
    order = np.argsort(nbytes, kind="stable")
    steps = np.diff(nbytes[order], prepend=0.0) * np.arange(nbytes.size, 0, -1)
    ends = np.empty_like(nbytes)
    ends[order] = np.cumsum(steps)
    return ends


def unlike_messages() -> list[Gate]:
    """Finish times of messages of unlike sizes through one link, and over shared WAN links."""
    rng = np.random.default_rng(0)
    ring = rf.torus((8,), bandwidth=1.0)
    sizes = rng.random(MORE * FLOWS) * 1e6
    ends = [np.full(sizes.size, chip) for chip in (0, 1)]

    def through_one(flows: int) -> NDArray[np.float64]:
        return ring.finish_times(ends[0][:flows], ends[1][:flows], sizes[:flows])

    if not np.allclose(through_one(FLOWS), closed_form(sizes[:FLOWS]), rtol=1e-12):
        raise AssertionError("finish times and the closed form differ: nothing was timed")
    cluster = rf.preset("rainier", chips=OVER_WAN, sites=3)
    src, dst = random_pairs(OVER_WAN, OVER_WAN)
    unlike = rng.random(OVER_WAN) * 1e8
    torus, pairs = rf.torus((32,) * 3, bandwidth="50 GB/s"), random_pairs(RATES // 5, 32**3)
    values = rng.random(1_000_000)
    return [
        at_most(
            f"{FLOWS:,} unlike messages on one link / numpy's closed form",
            # Seen: 12; n^2 took 7,000.
            50,
            lambda: through_one(FLOWS),
            lambda: closed_form(sizes[:FLOWS]),
        ),
        at_most(
            f"{MORE * FLOWS:,} unlike messages on one link / {FLOWS:,}",
            # n log n is 9.7 times, n^2 64. Twice as many said little: 2.0 to 2.85, and n^2 is 4.
            16,
            lambda: through_one(MORE * FLOWS),
            lambda: through_one(FLOWS),
        ),
        at_most(
            f"{OVER_WAN:,} unlike messages over the WAN / stable sort of 1e6",
            # Seen: 11; of a permutation 2.3.
            20,
            lambda: cluster.finish_times(src, dst, unlike),
            lambda: np.sort(values, kind="stable"),
        ),
        at_most(
            f"max-min rates of {len(pairs[0]):,} random flows on 32^3 / stable sort of 1e6",
            # Seen: 2.9; 4.4 without link-time optimisation; 8 where each flow kept its links.
            4.5,
            lambda: torus.max_min_rates(*pairs),
            lambda: np.sort(values, kind="stable"),
        ),
    ]


def adaptive_loads() -> Gate:
    """Loads of random flows, each spread over all its minimal paths."""
    side = 32
    torus, pairs = rf.torus((side,) * 3, bandwidth="50 GB/s"), random_pairs(ADAPTIVE, side**3)
    values = np.random.default_rng(0).random(1_000_000)
    return at_most(
        f"minimal-adaptive loads of {ADAPTIVE:,} random flows on 32^3 / stable sort of 1e6",
        # Seen: 1.1 to 1.9; 5.5 where each flow found its own shares.
        2.2,
        lambda: torus.link_loads(*pairs, 1e6, "adaptive", n_threads=1),
        lambda: np.sort(values, kind="stable"),
    )


def streamed_loads() -> Gate:
    """Loads of random flows of one size, against reading the numbers of their chips once."""
    side = 32
    torus, (src, dst) = rf.torus((side,) * 3, bandwidth="50 GB/s"), random_pairs(STREAMED, side**3)
    return at_most(
        f"link loads of {STREAMED:,} random flows on {side}^3 / sums of their src and dst",
        # Seen without link-time optimisation: 9 to 12; 14 to 20 where ends of each were counted.
        13,
        lambda: torus.link_loads(src, dst, 1, n_threads=1),
        lambda: (src.sum(), dst.sum()),
    )


# Where flows go, and most MB of their rates beside the inputs. To one chip all stop at few links.
# Seen: 110, 90.
PEAKS = {"random": 200, "to one chip": 120}


def memory_of_rates() -> list[Gate]:
    """Peak memory of fair rates of flows on 32^3, beside the flows."""
    gates = []
    for where, most in PEAKS.items():
        factor = 1 if where == "random" else 0
        setup = f"""
import numpy as np, rainier_fast as rf
rng = np.random.default_rng(1)
src, dst = rng.integers(0, 32768, {RATES}), {factor} * rng.integers(0, 32768, {RATES})
torus = rf.torus((32, 32, 32), bandwidth="50 GB/s")
torus.max_min_rates(src[:9], dst[:9])
"""
        grown = peak_growth_bytes(setup, "rates = torus.max_min_rates(src, dst)")
        name = f"MB beside the inputs of rates of {RATES:,} flows, {where}"
        gates.append(Gate(name, grown / 1e6, f"< {most}", grown < most * 1e6))
    return gates
