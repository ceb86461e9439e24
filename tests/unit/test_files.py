"""Files by hand: what a person may write, and which line and key an error names."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import jsonschema
import pytest

import rainier_fast as rf
from rainier_fast.files import kept, kinds
from rainier_fast.measure import shipped

HEAD = {
    "toml": 'format = "rainier_fast machine"\nversion = 1\n',
    "yaml": "format: rainier_fast machine\nversion: 1\n",
    "json": '{"format": "rainier_fast machine",\n"version": 1,\n',
}


def machine(notation: str, rest: str) -> rf.Machine:
    return kinds.of_text(kept.text_in((HEAD[notation] + rest).encode(), f"m.{notation}"), "machine")


def refused(notation: str, rest: str, line: int | None, key: str, *words: str) -> None:
    with pytest.raises(rf.InvalidFile) as caught:
        machine(notation, rest)
    error = caught.value
    assert (error.path, error.line, error.key) == (f"m.{notation}", line, key), str(error)
    for word in words:
        assert word in str(error)


def test_a_preset_with_changes_is_that_preset_but_for_them() -> None:
    text = """
preset = {name = "rainier", chips = 128}
name = "mine"

[ultraserver.nic]
bandwidth = "400 Gbps"

[[ultraserver.axes]]
name = "z"
latency_s = 2e-6
"""
    made = machine("toml", text)
    before = rf.preset("rainier", chips=128).ultraserver
    assert made.name == "mine"
    assert made.ultraserver.nic.bandwidth_Bps == 5e10
    assert made.ultraserver.nic.latency == before.nic.latency
    assert [axis.latency_s for axis in made.ultraserver.axes] == [1.5e-6, 1.5e-6, 2e-6]
    assert made.ultraserver.chip == before.chip
    assert "efa_nic_latency" in made.assumptions


def test_a_bare_preset_is_the_preset() -> None:
    assert machine("yaml", "preset: trn2\n") == rf.preset("trn2")
    assert repr(machine("json", '"preset": "trn2"}')) == repr(rf.preset("trn2"))


def test_parts_by_name() -> None:
    text = """
ultraserver: {like: TRN2_ULTRASERVER, name: mine, chip: trainium1}
fabric: {tiers: [{group: 4, latency: 1 us}]}
sites:
- {name: here, ultraservers: 8}
"""
    made = machine("yaml", text)
    assert made.ultraserver.chip == rf.Chip.from_catalog("trainium1")
    assert made.sites[0].tiers == (rf.Tier(4, latency="1 us"),)
    assert machine("toml", 'ultraserver = "H100_NODE"') == rf.domain(rf.H100_NODE)


def test_faults_by_their_words() -> None:
    text = """
preset: {name: rainier, chips: 128}
faults:
  links: [{axis: z, x: 1, y: 2}]
  degraded: [[{axis: x, x: 0, y: 0, z: 0, direction: +}, 0.5]]
"""
    known = rf.preset("rainier", chips=128)
    link = rf.LinkAt("z", x=1, y=2)
    assert len(machine("yaml", text).faults.links) == len(
        known.with_faults(links=link).faults.links
    )


@pytest.mark.parametrize("notation", ["toml", "yaml", "json"])
def test_an_error_names_file_line_and_key(notation: str) -> None:
    rest = {
        "toml": '[torus]\nshape = [4, 4]\nbandwidth = "50 Gx/s"\n',
        "yaml": "torus:\n  shape: [4, 4]\n  bandwidth: 50 Gx/s\n",
        "json": '"torus": {\n"shape": [4, 4],\n"bandwidth": "50 Gx/s"}}',
    }
    refused(notation, rest[notation], 5, "torus.bandwidth", "50 Gx/s")
    rest = {
        "toml": '[[ultraserver.axes]]\nname="x"\nsize=4\n[[ultraserver.axes]]\nname="y"\nsizes=4',
        "yaml": "ultraserver:\n  axes:\n  - {name: x,\n     size: 4}\n  - name: y\n    sizes: 4\n",
        "json": '"ultraserver": {"axes": [\n{"name": "x"},\n{"name": "y",\n"size": "4"}]}}',
    }
    at = {"toml": (8, "sizes"), "yaml": (8, "sizes"), "json": (4, "")}[notation]
    key = f"ultraserver.axes[1].{at[1]}" if at[1] else "ultraserver.axes[0]"
    refused(notation, rest[notation], at[0], key, *(["'size'"] if at[1] else []))


def test_a_number_needs_a_unit() -> None:
    refused("toml", "torus = {shape = 4, bandwidth = 5e10}", 3, "torus.bandwidth", "bandwidth_Bps")
    made = machine("toml", "torus = {shape = 4, bandwidth_Bps = 5e10}")
    assert made == rf.torus(4, 5e10)
    nic = "preset = 'rainier'\n[ultraserver.nic]\nlatency = 3\n"
    refused("toml", nic, 5, "ultraserver.nic.latency", "latency_s")


def test_headers_and_versions() -> None:
    def of(text: str, kind: str | None = None) -> object:
        return kinds.of_text(kept.text_in(text.encode(), "m.toml"), kind)

    cases = {
        'format = "rainier_fast machine"\nversion = 2\npreset = "trn2"': ("version", 2, "upgrade"),
        'format = "rainier_fast machine"\npreset = "trn2"': ("", None, "version = 1"),
        'format = "rainier_fast machin"\nversion = 1': ("format", 1, "'rainier_fast machine'"),
        'preset = "trn2"': ("", None, "rainier_fast machine"),
    }
    for text, (key, line, words) in cases.items():
        with pytest.raises(rf.InvalidFile) as caught:
            of(text, "machine")
        assert (caught.value.key, caught.value.line) == (key, line), str(caught.value)
        assert words in str(caught.value)


def test_contradictions_are_refused() -> None:
    refused("toml", 'preset = "trn2"\ntorus = {}', 4, "torus", "preset")
    refused("toml", 'presett = "trn2"', 3, "presett", "'preset'")
    refused("toml", 'preset = "trn9"', 3, "preset", "trn9")
    refused("toml", "", None, "", "preset")
    elsewhere = "preset = 'rainier'\n[[sites]]\nname = 'ohio'\nultraservers = 3\n"
    refused("toml", elsewhere, 4, "sites", "wan")
    refused("toml", "ultraserver = {name = 'x', axes = 3}", 3, "ultraserver.axes", "a number")
    refused("yaml", "wan: {bandwidth: 1 GB/s, latency: 1 ms}\nultraserver: H100_NODE\n", 3, "wan")
    refused("yaml", "preset: trn2\nfaults: {chips: [99]}\n", 4, "faults.chips", "99")
    refused("yaml", "preset: trn2\nfaults: {degraded: [[3]]}\n", 4, "faults.degraded[0]")


@pytest.mark.parametrize(
    ("notation", "rest"),
    [
        ("yaml", "a: &a [*a]\n"),
        ("yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
        ("yaml", "a: " + "[" * 100_000),
        ("yaml", "- " * 50_000),
        ("yaml", "a: 1\na: 2\n"),
        ("yaml", "a: !!python/object:os.system x\n"),
        ("yaml", "<<: {a: 1}\n"),
        ("json", '"a": ' + "[" * 1_000_000),
        ("json", '"a": 1, "a": 2}'),
        ("json", '"a": NaN}'),
        ("json", '"a": ' + "9" * 1_000_000 + "}"),
        ("toml", "a = " + "[" * 1_000_000),
        ("toml", ".".join("a" * 500_000) + " = 1"),
        ("toml", '"a b".' * 100_000 + "x = 1"),
        ("toml", "a = " + "9" * 1_000_000),
        ("toml", "a = 1\na = 2"),
        ("toml", "[[a]]\n" * 100_000),
    ],
    ids=lambda value: value[:12],
)
def test_what_would_cost_much_is_refused_at_once(notation: str, rest: str) -> None:
    begin = time.process_time()
    with pytest.raises(rf.InvalidFile):
        machine(notation, rest)
    assert time.process_time() - begin < 2.0  # a second a MB, and slack


def test_files_are_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.toml"
    rf.preset("trn2").save(path)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        rf.preset("h100").save(path)
    assert [one.name for one in tmp_path.iterdir()] == ["m.toml"]
    assert rf.Machine.load(path) == rf.Cluster.load(path) == rf.read(path) == rf.preset("trn2")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    pair = rf.Schedule("all_reduce", 64, [0, 1], [rf.Send(0, 1, [0], step=0, reduce=True)])
    step = rf.Program((rf.ProgramCollective("a", "all_reduce", 8, 8, "fp32"),))
    made = {
        "machine": rf.preset("trn2").save,
        "program": step.save,
        "faults": rf.Faults(links=[3]).save,
        "schedule": pair.save,
        "table": rf.Table({"x": [1]}).to_parquet,
        "timeline": rf.timeline(pair, rf.preset("trn2")).save,
        "hosts": lambda path: rf.preset("trn2").place(16, hosts="n1").write(path, "nodelist"),
    }
    for name, save in made.items():
        path = tmp_path / f"{name}.json"
        os.mkfifo(path)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            save(path)
            assert os.read(reading, 1), name
        finally:
            os.close(reading)
        assert path.is_fifo(), name
    assert len(list(tmp_path.iterdir())) == len(made)


def test_a_key_twice_is_named() -> None:
    for data in (b'{"a": {"b": 1, "b": 2}}', b"a:\n  b: 1\n  b: 2\n"):
        with pytest.raises(rf.InvalidFile) as caught:
            kept.text_in(data, "m")
        assert caught.value.key == "b"


@pytest.mark.parametrize("path", [None, 3, ""])
def test_a_path_that_is_none_is_refused_by_name(path: Any) -> None:
    step = rf.Program((rf.ProgramCollective("a", "all_reduce", 8, 8, "fp32"),))
    for save in (step.save, rf.Faults(links=[3]).save, rf.Table({"x": [1]}).to_parquet):
        with pytest.raises(rf.RainierError, match=r"^path"):
            save(path)


def test_the_name_tells_the_notation(tmp_path: Path) -> None:
    with pytest.raises(rf.InvalidArgument):
        rf.preset("trn2").save(tmp_path / "m")
    rf.preset("trn2").save(tmp_path / "m", format="yaml")
    assert rf.read(tmp_path / "m") == rf.preset("trn2")
    with pytest.raises(rf.UnknownName):
        rf.preset("trn2").save(tmp_path / "m", format="xml")
    with pytest.raises(FileNotFoundError):
        rf.Machine.load(tmp_path / "none.toml")


def test_what_ships_is_fresh_and_equal() -> None:
    assert rf.files.schema.SCHEMA_FILE.read_text() == shipped.schema_text()
    files = shipped.preset_files()
    assert {path.stem for path in shipped.FOLDER.iterdir()} == set(files)
    schema = jsonschema.Draft202012Validator(rf.machine_schema())
    for name, text in files.items():
        path = shipped.FOLDER / f"{name}.toml"
        assert path.read_text() == text
        assert rf.Machine.load(path) == rf.preset(name)
        assert schema.is_valid(kept.read(path).content)


def test_the_schema_refuses_what_is_unknown() -> None:
    schema = jsonschema.Draft202012Validator(rf.machine_schema())
    head = {"format": "rainier_fast machine", "version": 1}
    assert schema.is_valid(head | {"preset": "rainier", "ultraserver": {"nic": {"latency_s": 1}}})
    for wrong in (
        {},
        {"preset": "rainier", "torus": {"shape": 4, "bandwidth": "1 GB/s"}},
        {"preset": "rainier", "ultraserver": {"nick": {}}},
        {"torus": {"shape": 4}},
        {"preset": "trn9"},
    ):
        assert not schema.is_valid(head | wrong)


def test_a_class_may_have_formats_of_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Made(rf.Schedule):
        __slots__ = ()
        _written_as = MappingProxyType({"repr": "files.of_a_test"})

    module = ModuleType("rainier_fast.files.of_a_test")
    module.text = repr
    monkeypatch.setitem(sys.modules, module.__name__, module)
    one = Made("all_reduce", 1e6, [0, 1], [rf.Send(0, 1, [0], step=0)])
    one.save(tmp_path / "x.any", format="repr")
    assert (tmp_path / "x.any").read_text() == repr(one)
    with pytest.raises(rf.UnknownName, match="repr"):
        one.save(tmp_path / "x.any", format="reps")


def test_other_programs_files_are_read_by_the_same_readers() -> None:
    for text in ('{"a": 1, "a": 2}', '{"a": NaN}', "[" * 100_000):
        with pytest.raises(rf.InvalidArgument):
            rf.Ec2Topology.parse(text)
    for text in ("- topology: a\n  flat: &x true\n", "- topology: a\n  flat: true\n  flat: 1\n"):
        with pytest.raises(rf.InvalidArgument):
            rf.SlurmTopology.parse(text, "topology.yaml")
