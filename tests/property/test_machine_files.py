"""A machine that is saved and loaded is the same machine, to the bit, in every notation."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.definitions.nccl import FIGURES
from rainier_fast.files import kept, kinds
from rainier_fast.testing.strategies import machines

NOTATIONS = pytest.mark.parametrize("notation", ["toml", "yaml", "json"])


@cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(rf.machine_schema())


def again(machine: rf.Machine, notation: str) -> rf.Machine:
    text = kept.text_of(kinds.told(machine, "machine"), notation)
    read = kept.text_in(text.encode(), f"machine.{notation}")
    assert read.notation == notation
    assert validator().is_valid(read.content), text
    return kinds.of_text(read, "machine")


def same(one: rf.Machine, other: rf.Machine) -> None:
    assert one == other
    assert hash(one) == hash(other)
    assert dict(one.assumptions) == dict(other.assumptions)
    assert one.runtime == other.runtime


@st.composite
def damaged(draw: st.DrawFn) -> rf.Machine:
    machine = draw(machines())
    if machine.num_chips < 3:
        return machine
    dead = draw(st.lists(st.integers(1, machine.num_chips - 1), max_size=2, unique=True))
    slow = draw(st.integers(0, machine.num_links - 1)) if machine.num_links else None
    factor = draw(st.floats(1e-3, 1.0))
    made = machine.with_faults(chips=dead)
    return made if slow is None else made.with_faults(degrade={slow: factor})


@given(machine=machines() | damaged(), notation=st.sampled_from(["toml", "yaml", "json"]))
def test_what_is_loaded_is_what_was_saved(machine: rf.Machine, notation: str) -> None:
    loaded = again(machine, notation)
    same(machine, loaded)
    if not machine.is_damaged:
        size = 1_000_003
        assert machine.all_reduce(size).time_s == loaded.all_reduce(size).time_s


@given(
    rate=st.floats(1.0, 1e15),
    latency=st.floats(0.0, 1e-3),
    notation=st.sampled_from(["toml", "yaml", "json"]),
)
def test_numbers_are_the_same_to_the_bit(rate: float, latency: float, notation: str) -> None:
    machine = rf.torus((2, 3), rate, latency)
    same(machine, again(machine, notation))


SHARES = st.floats(0.01, 1.0)
TIMES = st.floats(0.0, 1e-3)
RATES = st.floats(1.0, 1e15)


@st.composite
def parameters(draw: st.DrawFn) -> rf.Machine:
    """Two sites whose chips, NICs, runtimes and WAN have numbers that nobody would choose."""
    chip = rf.Chip("c", {"bf16": draw(RATES)}, {}, draw(st.integers(1, 2**40)), draw(RATES))
    sizes = sorted(draw(st.sets(st.floats(1.0, 1e9), max_size=3)))
    neuron = rf.Neuron(
        call=draw(TIMES),
        step=draw(TIMES),
        hbm_efficiency=draw(SHARES),
        link_efficiency=draw(SHARES),
        chip_all_reduce=tuple((size, draw(TIMES)) for size in sizes),
    )
    timing = rf.NcclTiming(**{name: draw(SHARES) for name in FIGURES})
    gpu = rf.Gpu("hopper", network_latency=draw(TIMES), timing=timing, collnet=draw(st.booleans()))
    either: dict[str, Any] = draw(st.sampled_from([{"neuron": neuron}, {"gpu": gpu}, {}]))
    axis = rf.Axis("x", 2, "switch", draw(RATES), draw(TIMES))
    nic = rf.Nic(draw(RATES), draw(TIMES), draw(TIMES))
    server = rf.UltraServer("s", chip, (axis,), nic, draw(TIMES), draw(TIMES), **either)
    fabric = rf.Fabric([rf.Tier(2, 1 + draw(SHARES), draw(TIMES))])
    sites = [rf.Site("a", 2, server, fabric), rf.Site("b", 3, server)]
    latency = [[0, draw(TIMES)], [draw(TIMES), 0]]
    window = draw(st.none() | st.floats(1.0, 1e9))
    return rf.Cluster(sites, rf.Wan(draw(RATES), latency, window=window), "odd \u00e9 # name: 'x'")


@given(machine=parameters(), notation=st.sampled_from(["toml", "yaml", "json"]))
def test_parameters_are_the_same_to_the_bit(machine: rf.Machine, notation: str) -> None:
    same(machine, again(machine, notation))


@NOTATIONS
def test_every_preset_comes_back_with_what_it_assumes(notation: str) -> None:
    for name in rf.presets():
        machine = rf.preset(name)
        loaded = again(machine, notation)
        same(machine, loaded)
        asked = {"algorithm": "runtime" if machine.runtime else "auto"}
        one, other = (each.all_reduce("1 KiB", **asked) for each in (machine, loaded))
        assert one.time_s == other.time_s
        assert one.unmeasured == other.unmeasured


@NOTATIONS
def test_what_is_no_preset_comes_back(notation: str) -> None:
    rainier = rf.preset("rainier", chips=16_384, sites=3)
    trn2 = rf.preset("trn2")
    rows = [{"op": "allr", "bytes": 2e6 * at, "time_us": 50 + 20 * at} for at in range(1, 7)]
    fit = rf.calibrate(trn2, rows)
    sampled = rainier.sample_faults("llama3", hours=3, seed=3)
    made = [
        rainier,
        rainier.with_faults(
            links=rf.LinkAt("z", site="indiana", ultraserver=3), sites=["mississippi"]
        ),
        rf.preset("tpu-v5p", shape=(4, 4, 8)),
        rf.preset("h100", chips=64).without_latency(),
        rf.preset("rainier", chips=64).in_mode(2),
        rf.domain(rf.TRN3_ULTRASERVER_GEN2, name="one"),
        fit.machine,
        sampled,
    ]
    for machine in made:
        loaded = again(machine, notation)
        same(machine, loaded)
    measured = again(fit.machine, notation)
    assert measured.measurements == fit.machine.measurements
    asked = {"algorithm": "neuron", "dtype": "bf16"}
    one, other = (machine.all_reduce("2 MiB", **asked) for machine in (fit.machine, measured))
    assert one.to_dict() == other.to_dict()


def texts() -> list[tuple[str, bytes]]:
    machines = [
        rf.preset("rainier", chips=256, sites=2).with_faults(chips=[3], degrade={70: 0.5}),
        rf.torus((4, 4), "50 GB/s", "1 us"),
        rf.preset("h100"),
    ]
    told = [kinds.told(machine, "machine") for machine in machines]
    return [
        (notation, kept.text_of(one, notation).encode())
        for one in told
        for notation in kept.NOTATIONS
    ]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Cut, flip, repeat or put in a few bytes."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(made) or 1)
        way = chance.randrange(5)
        if way == 0:
            del made[at:]
        elif way == 1 and made:
            made[at % len(made)] ^= 1 << chance.randrange(8)
        elif way == 2:
            made[at:at] = chance.choice(
                [b"[", b"{", b'"', b"1e999", b"-", b"\n", b"&a ", b"*a", b"\0"]
            )
        elif way == 3:
            made[at:at] = made[at : at + chance.randint(1, 200)]
        else:
            made[at : at + chance.randint(1, 9)] = b"9" * chance.randint(0, 400)
    return bytes(made)


def attempt(notation: str, data: bytes) -> bool:
    """Load what may be anything; only an error of ours may come out."""
    try:
        machine = kinds.of_text(kept.text_in(data, f"m.{notation}"), "machine")
    except rf.InvalidFile:
        return False
    return isinstance(machine, rf.Machine)


def test_mutated_files_are_refused_or_are_machines() -> None:
    chance = random.Random(15)
    bases = texts()
    for _ in range(200):
        notation, data = chance.choice(bases)
        attempt(notation, mutated(data, chance))
