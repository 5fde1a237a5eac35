"""Long sessions are read in pages, so that no statement holds up what others read."""

from __future__ import annotations

from collections.abc import Sequence

from memwrap.sessions.backend import Rows
from memwrap.sessions.sqlite.engine import Engine
from memwrap.sessions.sqlite.values import ALL, Page, page_of_rows
from memwrap.sessions.stretches import Pages

__all__ = ["PAGE", "read_pages"]

PAGE = 4_000
"""How many rows are read at once; that takes a few milliseconds."""

_CHECKED = 5  # how many pages are looked at again at once: that is done sooner than reading


async def read_pages(engine: Engine, session_id: str, limit: int | None) -> Rows | None:
    """Return the newest rows of a session, of one moment; None if rows vanished meanwhile.

    The newest page is read first, and no row comes to stand before another. So all are of the
    moment of the first page if none of them has been removed when the last has been read.

    Args:
        engine: That of the file.
        session_id: The session.
        limit: How many rows; None for all, whose numbers are not read.
    """
    statement = engine.tables["page" if limit is None else "page_numbered"]
    pages: list[Page] = []
    left, before = ALL if limit is None else limit, ALL
    while left > 0:
        size = min(PAGE, left)
        page = page_of_rows((await engine.read(statement, (session_id, before, size)))[0])
        pages.append(page)
        if page.size < size:
            break
        left, before = left - size, page.first
    newest = pages[0]
    if not newest.size:
        return Rows((), (), 0)
    if len(pages) == 1:
        return Rows(newest.numbers or range(newest.size), newest.data, newest.last)
    pages = [page for page in pages if page.size]
    if not await _are_there(engine, session_id, pages):
        return None
    pages.reverse()
    ids: Sequence[int] = [number for page in pages for number in page.numbers]
    return Rows(
        ids or range(sum(page.size for page in pages)),
        Pages(page.data for page in pages),
        newest.last,
    )


async def _are_there(engine: Engine, session_id: str, pages: list[Page]) -> bool:
    for begin in range(0, len(pages), _CHECKED):
        some = pages[begin : begin + _CHECKED]
        between = (session_id, some[-1].first, some[0].last)
        if (await engine.read(engine.tables["count"], between))[0][0] != sum(p.size for p in some):
            return False
    return True
