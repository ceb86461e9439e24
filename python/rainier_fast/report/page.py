"""One page that needs nothing else: no network, no other file, and of scripts only its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from rainier_fast import _core
from rainier_fast.errors import RainierError
from rainier_fast.report import markup
from rainier_fast.report.again import again
from rainier_fast.report.content import Content
from rainier_fast.report.library import ALPHABET, Library, library, pack, source_hash
from rainier_fast.report.markup import Html, joined, tag
from rainier_fast.report.svg import drawn
from rainier_fast.report.view import View

MOST_BYTES: Final = 2_000_000
_SPARE: Final = 1_000  # a line about what there is no room for
_KEYS: Final = {
    "torus": "Drag to turn it, or focus it and use the arrow keys; plus and minus zoom; "
    "n and p go through the cables, the busiest first.",
    "timeline": "Point at a bar, or focus the picture and use n and p to go through them; "
    "arrow keys move along time, plus and minus zoom.",
}
_BUTTONS: Final = {
    "torus": (("left", "Turn left"), ("right", "Turn right"), ("up", "Turn up"),
              ("down", "Turn down"), ("in", "Closer"), ("out", "Further"),
              ("next", "Next cable"), ("previous", "Previous cable")),
    "timeline": (("left", "Earlier"), ("right", "Later"), ("in", "Closer"), ("out", "Further"),
                 ("next", "Next bar"), ("previous", "Previous bar")),
}  # fmt: skip


def text_of(content: Content, title: str | None, *, interactive: bool) -> str:
    """Return the page."""
    named = content.title if title is None else title
    used = library() if interactive and content.views else None
    sections = [
        ("prediction", "The prediction", _prediction(content)),
        ("pictures", "Pictures", Html("")),
        ("bounds", "Bounds, and how far they are", content.bounds),
        ("measured", "Nearest measured rows", content.measured),
        ("assumptions", "Assumptions", content.assumptions),
        ("machine", "The machine", content.machine),
        ("again", "How to make it again", again(content.result)),
    ]
    whole = _whole(content, named, sections, used)
    pictures = _pictures(content, used, MOST_BYTES - len(whole.encode()))
    sections[1] = (*sections[1][:2], pictures)
    return _whole(content, named, sections, used)


def _whole(
    content: Content, title: str, sections: Sequence[tuple[str, str, Html]], used: Library | None
) -> str:
    links = (tag("li", tag("a", head, href=f"#{name}")) for name, head, _ in sections)
    body = tag(
        "body",
        tag("a", "To the prediction", href="#prediction", class_="skip"),
        tag("header", tag("h1", title), tag("p", content.lede, class_="lede")),
        tag("nav", tag("h2", "Contents"), tag("ul", *links), aria_label="Contents"),
        tag("main", *(_section(*one) for one in sections)),
        tag("footer", tag("p", _made_by(used))),
        _data(content, used),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(title, used), body, lang='en')}\n"


def _section(name: str, title: str, body: Html) -> Html:
    heading = tag("h2", title, id=f"{name}-title")
    return tag("section", heading, body, id=name, aria_labelledby=f"{name}-title")


def _prediction(content: Content) -> Html:
    kind = tag("p", "Kind of number: ", tag("strong", content.kind), ". ", _meaning(content.kind))
    return joined([kind, content.prediction])


def _meaning(kind: str) -> str:
    """Return what a kind of number means."""
    lines = []
    if "links alone" in kind:
        lines.append("Links alone: the best that a schedule takes on the links.")
    if "as " in kind:
        lines.append("As software runs it: what that software chooses, and takes, by our model.")
    return " ".join(lines)


def _made_by(used: Library | None) -> str:
    words = f"Made by rainier_fast {_core.__version__}. The page is whole: it asks no network."
    if used is not None:
        words += f" Interactive parts by {used.name} (MIT licence, in the page)."
    return words


@lru_cache(4)
def _own(name: str) -> str:
    return (files("rainier_fast.report") / name).read_text("utf-8")


def _script() -> str:
    return _own("page.js").replace("@ALPHABET@", ALPHABET)


def _head(title: str, used: Library | None) -> Html:
    scripts = "'none'"
    if used is not None:
        scripts = f"'{source_hash(_script())}' '{used.hash}'"
    policy = f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
    policy += "base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Html(_own("page.css"))),
    )


def _data(content: Content, used: Library | None) -> Html:
    """Return the result for programs, the views, and the scripts."""
    told = tag("script", markup.json_text(content.told), type="application/json", id="result")
    if used is None:
        return told
    figures = markup.json_text([one.figure for one in content.views])
    size, packed = pack(figures.encode())
    return joined(
        [
            told,
            tag("script", Html(packed), type="text/plain", id="views", data_size=size),
            tag("script", Html(used.packed), type="text/plain", id="library", data_size=used.size),
            tag("script", Html(_script())),
        ]
    )


def _pictures(content: Content, used: Library | None, room: int) -> Html:
    """Return the views and the still pictures, those that there is room for."""
    out = [tag("p", f"Not drawn: {line}.", class_="small") for line in content.notes]
    frames = [
        _frame(view, at, interactive=used is not None) for at, view in enumerate(content.views)
    ]
    room -= _SPARE + sum(
        len(one.encode()) for one in [*out, *(part for frame in frames for part in frame)]
    )
    left_out: list[str] = []

    def fitting(result: Any, picture: str, name: str, label: str) -> Html:  # noqa: ANN401
        nonlocal room
        made = tag("div", _still(result, picture, name, label), class_="still")
        if len(made.encode()) + _SPARE > room:
            left_out.append(picture)
            return Html("")
        room -= len(made.encode()) + _SPARE
        return made

    figures: list[Html] = []
    for at, (view, (caption, live, table)) in enumerate(zip(content.views, frames, strict=True)):
        still = Html("")
        if view.still is not None:
            still = fitting(*view.still, f"v{at}", view.caption)
        inside = (caption, live, still, table)
        figures.append(tag("figure", *inside, id=f"view-{at}", class_="view", data_kind=view.kind))
    for at, name in enumerate(content.stills):
        still = fitting(content.result, name, f"p{at}", f"{name} of {content.title}")
        words = f"{name.replace('_', ' ')}; its numbers are in the tables of this page"
        if still:
            figures.append(tag("figure", still, tag("figcaption", words)))
    if left_out:
        words = f"Left out, so that the page stays below {MOST_BYTES:,} bytes: "
        words += f"{', '.join(left_out)}. result.plot(picture=...) draws each."
        out.append(tag("p", words, class_="small"))
    return joined([*figures, *out])


def _frame(view: View, at: int, *, interactive: bool) -> tuple[Html, Html, Html]:
    """Return what stands around a still picture: its caption, what turns, and its table."""
    caption = tag("figcaption", view.caption, id=f"view-{at}-caption")
    live = Html("")
    if interactive:
        buttons = (
            tag("button", words, type="button", data_do=name) for name, words in _BUTTONS[view.kind]
        )
        live = joined(
            [
                tag("p", _KEYS[view.kind], id=f"view-{at}-keys", class_="live small", hidden=True),
                tag("div", id=f"view-{at}-plot", class_="live plot", hidden=True, tabindex="0",
                    role="application", aria_labelledby=f"view-{at}-caption",
                    aria_describedby=f"view-{at}-keys"),
                tag("div", *buttons, class_="live buttons", hidden=True, role="group",
                    aria_label=f"controls of the {view.kind}"),
                tag("output", id=f"view-{at}-said", aria_live="polite", class_="said"),
            ]
        )  # fmt: skip
    words = f"{view.kind}: {view.about}"
    rows = markup.table(view.table, words)
    summary = tag("summary", f"The same as a table: {view.about}")
    table = tag("details", summary, rows, open=view.still is None)
    return caption, live, table


def _still(result: Any, picture: str, name: str, label: str) -> Html:  # noqa: ANN401
    """Return a picture of matplotlib, or why there is none."""
    from rainier_fast.plot import telling

    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise RainierError(
            "reports need matplotlib, which is not installed; "
            "install it with: pip install 'rainier_fast[report]'"
        ) from error
    with plt.ioff():  # notebooks show new figures otherwise
        try:
            figure: Any = telling.draw(result, None, picture).figure
        except RainierError as error:
            return tag("p", f"No picture: {error}.", class_="small")
        try:
            return drawn(figure, name, label)
        finally:
            plt.close(figure)
