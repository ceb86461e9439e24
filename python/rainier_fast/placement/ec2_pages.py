"""Pages of EC2's answers: read, and checked to be of one listing of one account."""

from __future__ import annotations

from collections.abc import Sequence

from rainier_fast.errors import InvalidArgument, invalid
from rainier_fast.placement.ec2_rows import Page, pages_of
from rainier_fast.placement.text import Node, Source, json_of


def pages_in(source: Source) -> list[Page]:
    """Return the pages that a document holds."""
    return list(pages_of(Node(source, json_of(source))))


def check_pages(pages: Sequence[Page]) -> None:
    """Refuse a page or a row that is there twice, and two listings that end."""
    ends: dict[str, Page] = {}
    tokens: dict[tuple[str, str], Page] = {}
    rows: dict[tuple[str, str], Page] = {}
    for page in pages:
        if page.token is not None:
            if (page.kind, page.token) in tokens:
                name = tokens[page.kind, page.token].name
                raise _refused(
                    page, f"NextToken {page.token}", f"{name} has it too: one page twice"
                )
            tokens[page.kind, page.token] = page
        elif page.kind in ends:
            allowed = (
                f"{ends[page.kind].name} ends a listing as well: they are of two accounts, regions "
                "or moments, and ids are hashed for each account; read each by itself"
            )
            raise _refused(page, "a last page (no NextToken)", allowed)
        else:
            ends[page.kind] = page
        for row in page.rows:
            if (page.kind, row.id) in rows:
                name = rows[page.kind, row.id].name
                raise _refused(page, row.id, f"is in {name} already: name each once")
            rows[page.kind, row.id] = page


def _refused(page: Page, got: str, allowed: str) -> InvalidArgument:
    return invalid(f"{page.name} {page.kind}", got, allowed)


def check_account(pages: Sequence[Page]) -> None:
    """Refuse what shows that answers are of two accounts: owners, and names of one zone."""
    owners: dict[str, str] = {}
    names: dict[str, tuple[str, str]] = {}
    ids: dict[str, tuple[str, str]] = {}
    mixed = "ids are hashed for each account, so those of two cannot be compared"
    for page in pages:
        for owner in page.owners:
            owners.setdefault(owner, page.name)
        if len(owners) > 1:
            raise _refused(page, ", ".join(owners), f"must be of one account: {mixed}")
        for row in page.rows:
            name, zone = getattr(row, "zone", None), getattr(row, "zone_id", None)
            if name is None or zone is None:
                continue
            for known, key, value in ((names, zone, name), (ids, name, zone)):
                before, where = known.setdefault(key, (value, page.name))
                if before != value:
                    allowed = f"is {before} in {where}, so the account is another: {mixed}"
                    raise _refused(page, f"zone {key} as {value}", allowed)
