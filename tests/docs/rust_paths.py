"""Which file of a Rust crate uses which: paths, resolved to the file that defines the name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|r#"(?:.|\n)*?"#|"(?:\\.|[^"\\])*"' r"|'(?:\\.[^']*|[^'\\])'", re.S
)
_TEST = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*")
_DEFINES = re.compile(
    r"\b(?:fn|struct|enum|const|static|type|trait|union|macro_rules!)\s+(?:mut\s+)?([A-Za-z_]\w*)"
)
_MODULE = re.compile(r"\bmod\s+(\w+)\s*;")
_USE = re.compile(r"(\bpub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);")
_PATH = re.compile(r"(?<![\w:.])(\w+(?:\s*::\s*\w+)+)")


@dataclass
class Module:
    """One file: its place in the crate, what it defines, declares, imports, and its paths."""

    path: tuple[str, ...]
    file: Path
    defines: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)
    uses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    globs: list[tuple[str, ...]] = field(default_factory=list)
    reexports: set[str] = field(default_factory=set)
    paths: set[tuple[str, ...]] = field(default_factory=set)


def _after(text: str, start: int) -> int:
    """Where the item that begins at `start` ends: its semicolon or its closing brace."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0 and text[place] in ";}":
            return place + 1
    return len(text)


def _stripped(text: str) -> str:
    """The source without comments, strings and what only tests see."""
    text = _NOISE.sub(" ", text)
    while found := _TEST.search(text):
        text = text[: found.start()] + text[_after(text, found.end()) :]
    return text


def _outermost(text: str) -> str:
    """The text outside of all braces: items, and not what their bodies define."""
    depth, kept = 0, []
    for part in re.split(r"([{}])", text):
        depth -= part == "}"
        kept.append(part if depth == 0 else " ")
        depth += part == "{"
    return "".join(kept)


def _tree(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The paths of a use tree with their names: `a::{b, c as d}` -> (a, b) b; (a, c) d."""
    depth, parts, last = 0, [], 0
    for place, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(text[last:place])
            last = place + 1
    for part in (*parts, text[last:]):
        head, brace, rest = part.strip().partition("{")
        path, _, alias = head.strip().partition(" as ")
        segments = tuple(name.strip() for name in path.split("::") if name.strip())
        if brace:
            for tail, name in _tree(rest.rstrip().removesuffix("}")):
                tail = tail[:-1] if tail[-1] == "self" else tail
                whole = segments + tail
                yield whole, whole[-1] if name == "self" else name
        elif segments:
            yield segments, alias.strip() or segments[-1]


def _read(path: tuple[str, ...], file: Path) -> Module:
    module, text = Module(path, file), _stripped(file.read_text())
    module.children.update(_MODULE.findall(text))
    for found in _USE.finditer(text):
        for target, name in _tree(found[2]):
            if name == "*":
                module.globs.append(target[:-1])
            else:
                module.uses[name] = target
            if found[1]:
                module.reexports.add(name)
            else:
                module.paths.add(target)
    body = _USE.sub(" ", text)
    words = set(re.findall(r"\w+", _MODULE.sub(" ", body)))
    module.paths.update(module.uses[name] for name in module.reexports & words & set(module.uses))
    module.defines.update(_DEFINES.findall(_outermost(body)))
    for found in _PATH.finditer(body):
        module.paths.add(tuple(part.strip() for part in found[1].split("::")))
    return module


class Crate:
    """The modules of a crate, and the arrows between their files."""

    def __init__(self, source: Path) -> None:
        self.modules: dict[tuple[str, ...], Module] = {}
        self._source = source
        self._add((), source / "lib.rs", source)

    def _add(self, path: tuple[str, ...], file: Path, folder: Path) -> None:
        module = self.modules[path] = _read(path, file)
        for child in sorted(module.children):
            flat, nested = folder / f"{child}.rs", folder / child / "mod.rs"
            self._add((*path, child), flat if flat.exists() else nested, folder / child)

    def _resolved(
        self, at: tuple[str, ...], path: tuple[str, ...], seen: frozenset[object] = frozenset()
    ) -> tuple[Module, bool] | None:
        """The module that defines what `path` names in `at`, or (True) that is what it names."""
        if (at, path) in seen:
            return None
        seen |= {(at, path)}
        if not path:
            return self.modules[at], True
        match path[0]:
            case "crate":
                return self._resolved((), path[1:], seen)
            case "self":
                return self._resolved(at, path[1:], seen)
            case "super":
                return self._resolved(at[:-1], path[1:], seen)
        module = self.modules[at]
        # A function and a module may have one name; only the module has something inside.
        if path[0] in module.children and (len(path) > 1 or path[0] not in module.defines):
            return self._resolved((*at, path[0]), path[1:], seen)
        if path[0] in module.defines:
            return module, False
        if path[0] in module.uses:
            return self._resolved(at, module.uses[path[0]] + path[1:], seen)
        for glob in module.globs:
            inside = self._resolved(at, glob, seen) if glob[0] != path[0] else None
            if inside and inside[1] and (found := self._resolved(inside[0].path, path, seen)):
                return found
        return None

    def arrows(self) -> dict[str, set[str]]:
        """For each file the files whose definitions it uses, as paths in the source folder."""
        arrows = {}
        for at, module in self.modules.items():
            found = [self._resolved(at, path) for path in module.paths]
            globs = [self._resolved(at, path) for path in module.globs]
            used = [each[0] for each in found if each and not each[1]]
            used += [each[0] for each in globs if each and each[0].defines]
            arrows[self._name(module)] = {self._name(to) for to in used if to is not module}
        return arrows

    def _name(self, module: Module) -> str:
        return module.file.relative_to(self._source).as_posix()
