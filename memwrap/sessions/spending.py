"""What the turns of a time have cost: those of one session, or of all that one owner has."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import NamedTuple

from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.records import SessionQuery, TurnRow

__all__ = ["Cost", "Spending"]

_FEW, _PAGE = 2, 200  # how many turns are read at once: behind a known one, otherwise
_MOST_KNOWN = 1000  # sessions


class Cost(NamedTuple):
    """What a stored turn has cost.

    Attributes:
        rows: The numbers of its first and last row, which tell it from a turn of the same number.
        stored_at: When it was stored.
        tokens: Those read and written; None if nobody counted.
        money: None if nobody noted any.
    """

    rows: tuple[int, int]
    stored_at: datetime
    tokens: int | None
    money: float | None


class Spending:
    """What turns have cost, by what their stores note of them.

    A stored turn does not change, and turns go from the newest on. So what was read up to a turn
    still counts if that turn is there, and only what is behind it is read again.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, dict[int, Cost]] = OrderedDict()

    async def since(
        self, session: DatabaseSession, since: datetime | None, owner: str | None = None
    ) -> list[Cost]:
        """Return the costs of the turns that were stored since then.

        Args:
            session: The session, or one of the same store.
            since: The time; None for all turns.
            owner: Whose sessions; None for the session alone.

        Raises:
            StoreError: The back end failed.
        """
        if owner is None:
            return [*(await self._of(session, session.session_id, since)).values()]
        rows = await session.backend.sessions(SessionQuery(owner=owner))
        ids = [row.session_id for row in rows if since is None or row.updated_at >= since]
        return [one for name in ids for one in (await self._of(session, name, since)).values()]

    async def _of(
        self, session: DatabaseSession, session_id: str, since: datetime | None
    ) -> dict[int, Cost]:
        """Return the costs of a session's turns by their numbers, the oldest first."""
        place = session.backend.identity(session_id)
        known = self._known.get(place, {})
        size, before = _FEW if known else _PAGE, None
        new: dict[int, Cost] = {}
        while True:
            rows = await session.backend.turns(session_id, size, before)
            for row in reversed(rows):
                cost = _cost(row)
                if known.get(row.number) == cost or (since and cost.stored_at < since):
                    break
                new[row.number] = cost
            else:
                if len(rows) == size:
                    size, before = _PAGE, rows[0].number
                    continue
            break
        last = next((row.number for row in reversed(rows) if row.number not in new), 0)
        old = {
            number: cost
            for number, cost in known.items()
            if number <= last and (since is None or cost.stored_at >= since)
        }
        self._known[place] = costs = old | dict(reversed(new.items()))
        self._known.move_to_end(place)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return costs


def _cost(row: TurnRow) -> Cost:
    record = row.record
    noted = json.loads(record.metadata).get("cost") if record.metadata else None
    money = noted if isinstance(noted, (int, float)) else None
    tokens = record.usage[0] + record.usage[1] if record.usage else None
    return Cost((row.first, row.last), row.stored_at, tokens, money)
