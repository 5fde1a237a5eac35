"""The past of a session in a back end: read whole, or the window of it that a turn needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memwrap.instructions import is_instruction
from memwrap.items import Item
from memwrap.marks import Marks
from memwrap.sessions.backend import Backend, Rows, RowWindow
from memwrap.sessions.info import ItemPage
from memwrap.sessions.rows import (
    decode_each_slowly,
    decode_slowly,
    decode_whole,
    is_long,
    report,
)
from memwrap.sessions.stretches import Pages
from memwrap.window import Windows

__all__ = ["Past", "page_of", "read_items", "read_window", "rows_of"]

_PAGE = 1000  # how many rows are read at once to find instructions in a long history


class Past(NamedTuple):
    """Items of a session.

    Attributes:
        items: The items, oldest first.
        numbers: The numbers of their rows, where they are known.
        bad: The numbers of the rows that are damaged and left out.
    """

    items: list[Item]
    numbers: Sequence[int]
    bad: Sequence[int] = ()


def rows_of(windows: Windows | None, limit: int | None) -> RowWindow:
    """Return which rows a turn reads first.

    Args:
        windows: What the turn needs; None for all.
        limit: How many items the session shows at most; None for all.
    """
    if windows is None or limit == 0:
        return RowWindow(limit)
    return RowWindow(_least(windows.rows, limit), windows.marks, limit)


async def read_items(backend: Backend, session_id: str, rows: Rows, limit: int | None) -> Past:
    """Return the items of the newest *limit* rows, which have been read, without damaged ones."""
    items = await decode_slowly(rows) if is_long(rows) else decode_whole(rows)
    if items is not None:
        return Past(items, rows.ids)
    if isinstance(rows.data, (bytes, Pages)):
        rows = await backend.get(session_id, limit, joined=False)
    found, bad = await decode_each_slowly(rows)
    return Past(list(found.values()), list(found), bad)


async def read_window(
    backend: Backend,
    session_id: str,
    rows: Rows,
    marks: Marks,
    *,
    windows: Windows,
    limit: int | None,
) -> Past:
    """Return the items that a turn needs; read more if the rows read so far do not suffice.

    Args:
        backend: Where the rows are.
        session_id: The session.
        rows: Those that `rows_of` asks for.
        marks: The marks of the session.
        windows: What the turn needs.
        limit: How many items the session shows at most; None for all.
    """
    names = windows.marks
    if names and all(name in marks for name in names):
        past = Past(await _whole(rows), rows.ids)
        if past.items or not rows.ids:
            return past
        # A row is damaged: what the marks say is read as if there were none.
        rows = await backend.get(session_id, _least(windows.rows, limit), joined=True)
    asked = _least(windows.rows, limit)
    past = await read_items(backend, session_id, rows, asked)
    begin = windows.begin(past.items)
    while begin < 0 and len(rows.ids) == asked and asked != limit:
        asked = _least(windows.more(asked), limit)
        rows = await backend.get(session_id, asked, joined=True)
        past = await read_items(backend, session_id, rows, asked)
        begin = windows.begin(past.items)
    is_all = len(rows.ids) < asked
    if begin > 0:
        past = past._replace(items=past.items[begin:], numbers=past.numbers[begin:])
    if windows.keep_first is None or is_all or asked == limit:
        return past
    before = await _kept(backend, session_id, past.numbers[0], windows.keep_first)
    return Past(before.items + past.items, [*before.numbers, *past.numbers], past.bad)


async def _whole(rows: Rows) -> list[Item]:
    items = await decode_slowly(rows) if is_long(rows) else decode_whole(rows)
    return items or []


async def _kept(backend: Backend, session_id: str, before: int, first: int) -> Past:
    """Return the first items and all instructions in rows before a number."""
    items: dict[int, Item] = {}
    oldest: dict[int, Item] = {}
    while True:
        rows = await backend.get(session_id, _PAGE, joined=False, before=before)
        found, _ = await decode_each_slowly(rows)
        items |= {number: item for number, item in found.items() if is_instruction(item)}
        oldest = dict([*found.items(), *oldest.items()][:first])
        if len(rows.ids) < _PAGE:
            break
        before = rows.ids[0]
    items = dict(sorted({**items, **oldest}.items()))
    return Past(list(items.values()), list(items))


async def page_of(
    backend: Backend, session_id: str, limit: int | None, before: int | None, *, strict: bool
) -> ItemPage:
    """Return the newest items before a number, and where older ones go on.

    Raises:
        StoreError: The back end failed, or a row is damaged and the reading *strict*.
    """
    # One more than asked for tells whether there are more.
    size = None if limit is None else limit + 1
    rows = await backend.get(session_id, size, joined=False, before=before)
    is_more = limit is not None and len(rows.ids) > limit
    if is_more:
        rows = rows._replace(ids=rows.ids[1:], data=rows.data[1:])
    items, bad = await decode_each_slowly(rows)
    if bad:
        report(backend.place(session_id), bad, strict=strict)
    before = rows.ids[0] if is_more else None
    return ItemPage(list(items.values()), before, list(items), bad)


def _least(rows: int, limit: int | None) -> int:
    return rows if limit is None else min(rows, limit)
