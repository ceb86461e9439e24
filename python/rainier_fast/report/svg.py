"""Pictures of matplotlib as small SVG that stands in a page beside others."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from html import escape
from typing import Any, Final
from xml.etree import ElementTree

from rainier_fast.report.markup import Html, text

_NUMBER: Final = re.compile(r"-?\d+\.\d+")
_SPACE: Final = re.compile(r"\s+")
_AROUND: Final = re.compile(r" ?([MLCQZz]) ?")
_FONT: Final = re.compile(r"font-family: [^;]*;?\s*")
_REFERENCE: Final = re.compile(r"url\(#([^)]*)\)")
_MOST_HATCH: Final = 4000  # letters: circles are drawn in curves, a hundred thousand of them
_BANDS: Final = 40  # of a colour bar
_DROPPED: Final = frozenset({"metadata", "style", "script", "title"})
_FONTS: Final = "'DejaVu Sans', Verdana, 'Liberation Sans', Arial, sans-serif"


def drawn(figure: Any, name: str, label: str) -> Html:  # noqa: ANN401 - matplotlib's
    """Return a figure as an SVG element: its ids begin with a name, and its label says it."""
    import matplotlib as mpl

    said = io.BytesIO()
    words: Any = {"svg.fonttype": "none", "svg.hashsalt": name}
    with mpl.rc_context(words):
        figure.savefig(said, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(said.getvalue())
    known = {one for element in root.iter() for one in _references(element)}
    used = {one: f"{name}-{at}" for at, one in enumerate(sorted(known))}
    attributes = {"role": "img", "aria-label": label, "viewBox": root.get("viewBox", "")}
    attributes["style"] = f"font-family: {_FONTS}; stroke-linejoin: round; stroke-linecap: butt"
    out: list[str] = ["<svg", *_said(attributes), ">"]
    for child in root:
        _write(child, used, out)
    return Html("".join([*out, "</svg>"]))


def _references(element: ElementTree.Element) -> list[str]:
    """Return the ids that an element speaks of."""
    found = []
    for key, value in element.attrib.items():
        if key.endswith("href"):
            found.append(value.removeprefix("#"))
        found += _REFERENCE.findall(value)
    return found


def _write(element: ElementTree.Element, used: dict[str, str], out: list[str]) -> None:
    word = element.tag.rpartition("}")[2]
    if word in _DROPPED:
        return
    if word == "image":
        out.append(_bands(element))
        return
    if word == "pattern":
        _shorten(element)
    attributes = {}
    for key, value in element.attrib.items():
        short = key.rpartition("}")[2]
        if short == "id" and value not in used:
            continue
        attributes[short] = _changed(short, value, used)
    said = "".join(_said(attributes))
    if word == "path" and "d" in attributes and not len(element):
        _draw(attributes.pop("d"), "".join(_said(attributes)), out)
        return
    bare = word == "g" and not attributes
    if not bare and not len(element) and not (element.text or "").strip():
        out.append(f"<{word}{said}/>")
        return
    if not bare:
        out.append(f"<{word}{said}>")
    if element.text and element.text.strip():
        out.append(text(element.text))
    for child in element:
        _write(child, used, out)
        if child.tail and child.tail.strip():
            out.append(text(child.tail))
    if not bare:
        out.append(f"</{word}>")


def _draw(d: str, look: str, out: list[str]) -> None:
    """Write a path, as one with the path before it where that looks the same."""
    alike = f'"{look}/>'
    if out[-1].startswith("<path d=") and out[-1].endswith(alike) and "opacity" not in look:
        out[-1] = f"{out[-1].removesuffix(alike)}{d}{alike}"
    else:
        out.append(f'<path d="{d}{alike}')


def _changed(key: str, value: str, used: dict[str, str]) -> str:
    """Return the value of an attribute, shorter, with ids of this picture alone."""
    if key == "id":
        return used[value]
    if key == "href":
        return f"#{used[value.removeprefix('#')]}"
    value = _REFERENCE.sub(lambda found: f"url(#{used[found[1]]})", _FONT.sub("", value))
    value = _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
    value = _SPACE.sub(" ", value).strip()
    if key == "d":
        return _AROUND.sub(r"\1", value)
    return value.replace(": ", ":").replace("; ", ";") if key == "style" else value


def _shorten(pattern: ElementTree.Element) -> None:
    """Draw a hatch of many circles as a tile with one."""
    path = next((one for one in pattern.iter() if one.tag.endswith("path")), None)
    if path is None or len(path.get("d", "")) < _MOST_HATCH:
        return
    ground = next(one for one in pattern.iter() if one.tag.endswith("rect"))
    pattern.set("width", "6")
    pattern.set("height", "6")
    for key in ("width", "height"):
        ground.set(key, "6")
    path.set("d", "M 3 2 A 1 1 0 1 1 2.99 2 Z")


def _bands(image: ElementTree.Element) -> Html:
    """Return the image of a colour bar as bands: a page has no images to ask for."""
    from matplotlib.image import imread

    source = next(value for key, value in image.attrib.items() if key.endswith("href"))
    pixels = imread(io.BytesIO(b64decode(source.partition(",")[2])), format="png")
    x, y, width, height = (float(image.get(key, "0")) for key in ("x", "y", "width", "height"))
    step = height / _BANDS
    out = []
    for band in range(_BANDS):
        row = pixels[int((band + 0.5) * len(pixels) / _BANDS), pixels.shape[1] // 2, :3]
        colour = "".join(f"{round(255 * float(one)):02x}" for one in row)
        out.append(
            f'<rect x="{x:.1f}" y="{y + band * step:.1f}" width="{width:.1f}" '
            f'height="{step + 0.4:.1f}" fill="#{colour}"/>'
        )
    moved = "".join(_said({"transform": image.get("transform", "")}))
    return Html(f"<g{moved}>{''.join(out)}</g>")


def _said(attributes: dict[str, str]) -> list[str]:
    return [f' {key}="{escape(value)}"' for key, value in attributes.items()]
