"""What pages show: a day's conversations, and a stretch of one conversation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from memwrap.formats.transcript import Section, sections
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import ItemPage, SessionInfo, TurnInfo

__all__ = ["Stretch", "by_day", "newer_than", "stretch_of"]

MOST_ITEMS = 200
"""How many items one page shows, so that long conversations are as fast as short ones."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a conversation that one page shows.

    Attributes:
        sections: What its turns show.
        before: The number of the item before which the page of older ones ends; None for none.
        before_turn: The number of the oldest turn on the page, for the page of older ones.
        last: The number of the newest item on the page; 0 without items.
        damaged: How many rows of the page cannot be read.
    """

    sections: list[Section]
    before: int | None
    before_turn: int | None
    last: int
    damaged: int


def by_day(infos: Sequence[SessionInfo]) -> list[tuple[str, list[SessionInfo]]]:
    """Return conversations by the day (UTC) on which they were last written to."""
    groups = groupby(infos, lambda info: f"{info.updated_at:%A, %Y-%m-%d}")
    return [(day, list(group)) for day, group in groups]


async def stretch_of(
    store: DatabaseStore,
    session_id: str,
    *,
    before: int | None = None,
    before_turn: int | None = None,
) -> Stretch:
    """Return the newest items before a number, in whole turns where they fit.

    Args:
        store: The store.
        session_id: The session.
        before: Only items with smaller numbers.
        before_turn: The oldest turn of the page behind, if it had turns.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the page itself tells of damaged rows
        page = await store.get_items(session_id, limit=MOST_ITEMS, before=before)
    newest = None if before_turn is None else before_turn + 1
    turns = await store.turns(session_id, limit=MOST_ITEMS, before=newest)
    items, numbers, older = _whole_turns(page, turns)
    shown = sections(items, turns, numbers)
    oldest = next((one.turn.number for one in shown if one.turn is not None), before_turn)
    last = numbers[-1] if numbers else 0
    return Stretch(shown, older, oldest, last, len(page.damaged))


async def newer_than(store: DatabaseStore, session_id: str, number: int) -> Stretch | None:
    """Return what was stored behind an item; None if it is too much for one page."""
    whole = await stretch_of(store, session_id)
    if whole.before is not None and all(
        line.number > number for one in whole.sections for line in one.lines
    ):
        return None
    new = []
    for section in whole.sections:
        lines = [line for line in section.lines if line.number > number]
        if lines:
            new.append(Section(section.turn, lines))
    return Stretch(new, None, None, max(whole.last, number), 0)


def _whole_turns(
    page: ItemPage, turns: Sequence[TurnInfo]
) -> tuple[list[dict[str, object]], Sequence[int], int | None]:
    """Return items and numbers without the end of a turn that begins before the page."""
    items, numbers = list(page), page.numbers
    if page.before is None or not numbers:
        return items, numbers, page.before
    parted = next((turn for turn in turns if turn.first_item < numbers[0] <= turn.last_item), None)
    begin = 0
    if parted is not None:
        begin = next((n for n, number in enumerate(numbers) if number > parted.last_item), 0)
    return items[begin:], numbers[begin:], numbers[begin] if begin else page.before
