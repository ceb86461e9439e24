"""No circle of Rust files, and arrows only downwards between the rooms of pyproject.toml."""

import tomllib
from pathlib import Path

import pytest

from rust_paths import Crate

TOP = Path(__file__).parents[2]
LAYERS = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["rainier"]["layers"]


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Sets of files from each of which every other of the set can be reached."""
    reach = {}
    for start in arrows:
        seen, todo = set(), [start]
        while todo:
            new = arrows[todo.pop()] - seen
            seen |= new
            todo += new
        reach[start] = seen
    found = {frozenset(b for b in reach[a] if a in reach[b]) for a in arrows if a in reach[a]}
    return [set(each) for each in found]


def climbing(arrows: dict[str, set[str]], floors: list[str]) -> list[str]:
    """Arrows that go up or aside; a floor is rooms with " | " between them, the roof first."""
    floor_of = {room: place for place, floor in enumerate(floors) for room in floor.split(" | ")}

    def room(file: str) -> str:
        parts = file.removesuffix(".rs").removesuffix("/mod").split("/")
        names = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((name for name in names if name in floor_of), "")

    wrong = [f"{file} has no room" for file in arrows if file != "lib.rs" and not room(file)]
    for file, used in arrows.items():
        for other in used:
            here, there = room(file), room(other)
            if here and there and here != there and floor_of[here] >= floor_of[there]:
                wrong.append(f"{file} -> {other}")
    return sorted(wrong)


@pytest.mark.parametrize("source", LAYERS)
def test_no_circle_of_files(source: str) -> None:
    arrows = Crate(TOP / source).arrows()
    assert len(arrows) > 10
    assert sum(map(len, arrows.values())) > 3 * len(arrows) / 2, "paths are not understood"
    assert circles(arrows) == []


@pytest.mark.parametrize("source", LAYERS)
def test_arrows_point_down(source: str) -> None:
    assert climbing(Crate(TOP / source).arrows(), LAYERS[source]) == []


TREE = {
    "lib.rs": "mod low;\npub mod high;\nmod error { pub struct Inline; }\n",
    "low.rs": "//! use crate::high::top;\npub struct Low; /* crate::high::top */\n"
    '#[cfg(test)]\nmod tests { use crate::high::top; fn f() { let _ = "crate::high::top"; } }\n',
    "high/mod.rs": "mod a;\nmod b;\npub(crate) use a::{first as top, Deep};\n",
    "high/a.rs": "use crate::low::Low;\nuse super::b;\npub struct Deep;\n"
    "pub fn first() { b::second(); }\n",
    "high/b.rs": "pub fn second() {}\n",
}


def _arrows(folder: Path, **changed: str) -> dict[str, set[str]]:
    names = {name.replace("__", "/") + ".rs": text for name, text in changed.items()}
    for name, text in (TREE | names).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return Crate(folder).arrows()


def test_a_tree_without_circles(tmp_path: Path) -> None:
    arrows = _arrows(tmp_path)
    assert arrows["high/a.rs"] == {"low.rs", "high/b.rs"}
    assert arrows["low.rs"] == arrows["high/mod.rs"] == arrows["high/b.rs"] == set()
    assert circles(arrows) == []
    assert climbing(arrows, ["high", "low"]) == []
    assert climbing(arrows, ["low", "high"]) == ["high/a.rs -> low.rs"]
    assert climbing(arrows, ["high/a | high/b", "high", "low"]) == ["high/a.rs -> high/b.rs"]
    assert climbing(arrows, ["high"]) == ["low.rs has no room"]


@pytest.mark.parametrize(
    "back",
    [
        "use super::a::first;",
        "use super::{a::{self as one, Deep}};",
        "use super::Deep;",
        "use crate::high::{\n    top,\n};",
        "use crate::high as up; fn f() { up::top(); }",
        "fn f() { super::a::first(); }",
        "fn f() -> crate::high::Deep { todo() }",
        "use super::a; fn f() { let _: a::Deep; }",
        "use super::a::*;",
        "use super::*; fn f() { a::first(); }",
        "use super::super::high::top;",
    ],
)
def test_a_circle_is_found(tmp_path: Path, back: str) -> None:
    arrows = _arrows(tmp_path, high__b=f"pub fn second() {{}}\n{back}\n")
    assert circles(arrows) == [{"high/a.rs", "high/b.rs"}]


def test_a_mod_file_uses_what_it_reexports(tmp_path: Path) -> None:
    arrows = _arrows(
        tmp_path,
        high__mod="mod a;\nmod b;\npub use a::first;\nfn f() { first() }\n",
    )
    assert arrows["high/mod.rs"] == {"high/a.rs"}


def test_a_mod_file_that_defines_is_part_of_a_circle(tmp_path: Path) -> None:
    arrows = _arrows(
        tmp_path,
        high__mod="mod a;\nmod b;\npub struct Deep;\nfn f() { a::first() }\n",
        high__b="use super::Deep;\npub fn second(_: Deep) {}\n",
    )
    assert circles(arrows) == [{"high/mod.rs", "high/a.rs", "high/b.rs"}]
