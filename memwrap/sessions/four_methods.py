"""The turns of a session that has the four methods only.

What has to be known of a turn is kept as a note in its first new item, under
``provider_data.memwrap``: the four methods have no other place for it. Whoever may write to the
session may write notes too. With a secret each note has a proof, and one without is no note.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from memwrap.codec import copy_items, copy_known
from memwrap.exceptions import ConversionError, MemwrapError, StoreError
from memwrap.foreign import as_cause
from memwrap.hidden.data import marked, marks_of
from memwrap.items import Item
from memwrap.marks import Marks, marks_from, moved, text_of_marks
from memwrap.sessions.appending import added, never_waits
from memwrap.sessions.base import Promises, Session, promises
from memwrap.sessions.compacting import compacted
from memwrap.sessions.notes import fields_of, note_of, proven_text
from memwrap.sessions.popping import pop_items
from memwrap.sessions.turns import (
    STOPPED,
    UNANSWERED,
    OpenTurn,
    StoredTurn,
    TurnRecord,
    TurnSession,
    canonical,
    recorded_turns,
)
from memwrap.settle import settle
from memwrap.window import Windows

__all__ = ["FourMethodTurns", "shielded", "turns_of"]

_FEWEST = 64  # how many items are loaded at least: they tell later what has been appended
# After that many wrong proofs the others are not looked at: each costs as much as its turn is long.
_MOST_DOUBTS = 100


def turns_of(session: Session, secret: bytes = b"", *, is_named: bool = False) -> TurnSession:
    """Return what runs the turns of *session*: itself, if it can.

    Args:
        session: Any session.
        secret: Proves the notes in the items of a session that has the four methods only.
        is_named: Whether the turn has an id, which may be in any note of such a session.
    """
    known = promises(session)
    if known.turns:
        return cast("TurnSession", session)
    return FourMethodTurns(session, known, secret, is_named=is_named)


class FourMethodTurns:
    """One turn of a session that has the four methods only.

    Args:
        session: The session.
        known: What it promises.
        secret: Proves the notes; empty for notes without proof.
        is_named: Whether the turn has an id, which may be in any note.
    """

    def __init__(
        self, session: Session, known: Promises, secret: bytes = b"", *, is_named: bool = False
    ) -> None:
        self._session = session
        self._known = known
        self._secret = secret
        self._is_named = is_named
        self._history: list[Item] = []
        self._texts: list[str] = []  # the canonical JSON of each item of the history
        self._doubts = 0  # how many proofs were wrong
        self._again: asyncio.Lock | None = None  # who commits once more

    async def begin_turn(
        self, token: str, *, lease: float | None, windows: Windows | None = None
    ) -> OpenTurn:
        """Load the history, or what suffices of it."""
        limit = None if windows is None or self._is_named else max(windows.rows, _FEWEST)
        while True:
            history = await self._load(limit)
            self._history = copy_known(history)  # the agent may change what it is shown
            self._texts, self._doubts = [], 0
            turn = OpenTurn(history, None, token, lease)
            if windows is None:
                return turn
            is_all = limit is None or len(history) < limit
            if self._cut(turn, windows, is_all=is_all):
                return turn
            # Without a mark all is needed: old instructions may stand anywhere.
            needs_all = windows.keep_first is not None and not turn.marks
            limit = None if limit is None or needs_all else windows.more(limit)

    def _cut(self, turn: OpenTurn, windows: Windows, *, is_all: bool) -> bool:
        """Cut the loaded history to the windows; tell whether it suffices for them."""
        numbers = range(len(self._history))
        marks = turn.marks = self._newest_marks()
        if windows.marks and all(name in marks for name in windows.marks):
            asked = [marks[name] for name in windows.marks]
            first = min(mark.first for mark in asked)
            kept = sorted({number for mark in asked for number in mark.kept if number < first})
            if not is_all and min([first, *kept]) < 0:
                return False
            shown = [number for number in kept if number >= 0] + list(numbers[max(first, 0) :])
        else:
            begin = windows.begin(turn.history)
            if not is_all and (begin < 0 or windows.keep_first is not None):
                return False
            is_cut = windows.keep_first is None and begin > 0
            shown = list(numbers[begin:] if is_cut else numbers)
        turn.history = [turn.history[number] for number in shown]
        turn.numbers = shown
        return True

    def _newest_marks(self) -> Marks:
        """Return the marks of the newest note that has some, by places in the loaded history."""
        for index in range(len(self._history) - 1, -1, -1):
            record, size = note_of(self._history[index])
            if record.marks and self._stored(index, record, size) is not None:
                return moved(marks_from(record.marks), index)
        return {}

    async def find_turn(self, turn_id: str) -> StoredTurn | None:
        """Return the turn of that id, if the loaded history has it whole."""
        for index, item in enumerate(self._history):
            record, size = note_of(item)
            if record.turn_id == turn_id and record.shape != UNANSWERED:
                stored = self._stored(index, record, size)
                if stored is not None:
                    return stored
        return None

    async def newest_turn(self) -> StoredTurn | None:
        """Return the turn whose note says that it ends where the loaded history does."""
        end = len(self._history)
        for index in range(end - 1, -1, -1):
            record, size = note_of(self._history[index])
            if index + size == end:
                stored = self._stored(index, record, size)
                if stored is not None:
                    return stored
        return None

    async def turn_key(self) -> bytes:
        """Return nothing: four methods keep no secret."""
        return b""

    async def renew_turn(self, turn: OpenTurn) -> None:
        """Do nothing: there is no lease."""

    async def commit_turn(self, turn: OpenTurn, items: list[Item], record: TurnRecord) -> bool:
        """Append the items; when that fails, look whether it happened all the same.

        A session that compacts its items is asked to.
        """
        if record.turn_id is not None and not turn.attempted:
            await self._drop_half(record.turn_id)
        if record.marks:
            # Places are told from the note on, which comes right behind what has been loaded.
            is_same = record.marks == text_of_marks(turn.marks)
            marks = {} if is_same else moved(marks_from(record.marks), -len(self._history))
            record = record._replace(marks=text_of_marks(marks))
        is_known = record.turn_id is not None or record.shape == UNANSWERED or record.answers
        if is_known or record.marks:
            items = [await self._noted(items, record), *items[1:]]
        if not turn.attempted:
            turn.attempted = True
            await self._append(items)
            await compacted(self._session)
            return True
        if self._again is None:
            self._again = asyncio.Lock()
        async with self._again:  # two at once would both find that nothing is stored
            missing = items[added(await self._load(), self._history, items) :]
            if missing:
                await self._append(missing)
                await compacted(self._session)
        return True

    async def _drop_half(self, turn_id: str) -> None:
        """Pop the turn of that id if it was stopped, and is what the session ends with."""
        half = await self.find_turn(turn_id)
        if half is None or half.shape != STOPPED:
            return
        items = [*half.input, *half.new_items]
        if self._history[-len(items) :] == items:
            with suppress(StoreError):  # somebody has written behind it: then it stays
                await shielded(pop_items(self._session, items))
                del self._history[-len(items) :]

    async def _append(self, items: list[Item]) -> None:
        append = self._session.add_items
        work: Any = append(copy_items(items))
        if hasattr(work, "__await__"):
            if self._known.settles or never_waits(append):
                await work
            else:
                await shielded(work)

    async def release_turn(self, turn: OpenTurn) -> None:
        """Do nothing: there is no lease."""

    async def undo_turns(self, turns: int) -> list[list[Item]]:
        """Pop the items of the newest turns, told by their notes, elsewhere by structure."""
        self._history = await self._load()
        self._texts, self._doubts = [], 0
        undone = recorded_turns(dict(enumerate(self._history)), self._ranges())[-turns:]
        items = [item for turn in undone for item in turn.values()]
        await shielded(pop_items(self._session, items))
        return [list(turn.values()) for turn in undone]

    def _ranges(self) -> list[tuple[int, int]]:
        """Return the first and the last place of each turn in the history that has a note."""
        ranges: list[tuple[int, int]] = []
        for index, item in enumerate(self._history):
            record, size = note_of(item)
            if size and self._stored(index, record, size) is not None:
                first = index - record.answers
                while ranges and ranges[-1][1] >= first:  # the question that is answered here
                    ranges.pop()
                ranges.append((first, index + size - 1))
        return ranges

    async def _load(self, limit: int | None = None) -> list[Item]:
        name = f"session {self._session.session_id!r}"
        most = _limit_of(self._session)
        limits = () if limit is None or (most is not None and most <= limit) else (limit,)
        what = "the history could not be loaded"
        history = await self._done(self._session.get_items, what, *limits)
        try:
            # A copy: it may be what the session keeps.
            return history if self._known.isolated else copy_items(history)
        except ConversionError as exc:
            raise StoreError(f"{name}: get_items() returned no list of items: {exc}") from exc

    async def _done(self, method: Callable[..., Any], failure: str, *args: Any) -> Any:
        """Return what a method of the session returns.

        Raises:
            StoreError: It raised another error than memwrap's own.
        """
        try:
            result = method(*args)
            return await result if hasattr(result, "__await__") else result
        except MemwrapError:
            raise
        except Exception as exc:  # noqa: BLE001  (somebody's own session may raise anything)
            cause, name = as_cause(exc), type(exc).__name__
        try:
            raise StoreError(f"session {self._session.session_id!r}: {failure} ({name})") from cause
        finally:
            del cause  # its traceback leads here

    def _stored(self, index: int, record: TurnRecord, size: int) -> StoredTurn | None:
        """Return the turn whose note is in that item, if it is whole and the note is proven."""
        begin, end = index - record.answers, index + size
        if begin < 0 or end > len(self._history):
            return None
        if self._secret and not self._is_proven(index, fields_of(record, size), begin, end):
            return None
        inputs = index - begin + record.inputs
        items = copy_items(self._history[begin:end])
        return StoredTurn(
            record.fingerprint, record.shape, items[inputs:], end - begin, items[:inputs]
        )

    def _is_proven(self, index: int, fields: dict[str, Any], begin: int, end: int) -> bool:
        proof = marks_of(self._history[index]).get("proof")
        if not isinstance(proof, str) or self._doubts == _MOST_DOUBTS:
            return False
        if not self._texts:
            self._texts = [proven_text(item) for item in self._history]
        expected = self._proof(fields, self._texts[begin:end])
        if hmac.compare_digest(proof.encode("utf-8", "replace"), expected.encode()):
            return True
        self._doubts += 1
        return False

    async def _noted(self, items: list[Item], record: TurnRecord) -> Item:
        """Return the first of the items with the note of their turn."""
        question: list[Item] = []
        if record.answers:
            newest = await self.newest_turn()
            if newest is not None and newest.items == record.answers:
                question = self._history[-record.answers :]
            else:
                record = record._replace(answers=0)
        fields = fields_of(record, len(items))
        if self._secret:
            texts = [proven_text(item) for item in [*question, *items]]
            fields["proof"] = self._proof(fields, texts)
        return marked(items[0], **fields)

    def _proof(self, fields: dict[str, Any], texts: Sequence[str]) -> str:
        text = f"{canonical(fields)}[{','.join(texts)}]"
        return hmac.digest(self._secret, text.encode(), "sha256").hex()


def _limit_of(session: object) -> int | None:
    """Return how many items the session shows at most, as its own settings say."""
    limit = getattr(getattr(session, "session_settings", None), "limit", None)
    return limit if isinstance(limit, int) else None


async def shielded(work: Awaitable[Any]) -> None:
    """Await *work* to its end even if cancelled, and be cancelled then."""
    task = asyncio.ensure_future(work)
    cancellation = await settle(task)
    if cancellation is not None:
        task.exception()  # seen: the cancellation is what the caller gets
        raise cancellation
    task.result()
