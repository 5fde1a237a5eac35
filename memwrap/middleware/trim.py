"""Show the agent only the newest part of a long history."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from memwrap.exceptions import ConfigurationError
from memwrap.instructions import added_instructions, is_instruction
from memwrap.items import Item, cuts, turn_starts
from memwrap.marks import Counted, Mark
from memwrap.middleware.clear import Clear
from memwrap.middleware.reported import corrected, counted_after, sent_and_reported
from memwrap.tokens import CountTokens, counter_for
from memwrap.turn import Handler, Send, Turn
from memwrap.window import PastCut, Window

__all__ = ["Trim"]


class Trim:
    """Cut what the agent sees of the history; the store keeps all of it.

    When the history passes a limit, it is cut to the part *drop_to* of that limit. The cut stays
    where it is until a limit is passed again, in whatever process: so the beginning of what a
    model is sent stays the same over many turns, and its provider's prompt cache holds.

    A cut never separates a tool call from its output, or a reasoning item from the next item.
    System and developer items always stay; only `max_tokens` counts them. The turn's own input is
    never cut, nor are the calls that it answers.

    Args:
        max_items: At most that many items.
        max_turns: At most that many turns; a turn begins where the user begins to speak.
        max_tokens: At most that many tokens in history and input together. Where the model reports
            its usage, how much longer a conversation got for it corrects the estimate.
        count_tokens: How tokens are counted, needed with ``max_tokens``: the name of one of
            tiktoken's encodings (``pip install 'memwrap[tokens]'``), ``"chars/4"``, or a function
            that returns the tokens of one item.
        drop_to: Which part of a limit stays when it is passed, above 0 and up to 1. With 1 the
            cut moves in every turn.
        keep_first: The first that many items of the conversation stay too; no limit counts them,
            save ``max_tokens``.
        tool_outputs: Whether old outputs of tools are cleared; None shows them as they are.

    Attributes:
        window: What the layer needs of the past.

    Raises:
        ConfigurationError: There is no limit, an option has no such value, or one of
            ``max_tokens`` and ``count_tokens`` is missing.
    """

    def __init__(
        self,
        *,
        max_items: int | None = None,
        max_turns: int | None = None,
        max_tokens: int | None = None,
        count_tokens: CountTokens | None = None,
        drop_to: float = 0.5,
        keep_first: int = 0,
        tool_outputs: Clear | None = None,
    ) -> None:
        limits = {"max_items": max_items, "max_turns": max_turns, "max_tokens": max_tokens}
        if all(limit is None for limit in limits.values()):
            raise ConfigurationError("Trim needs a limit, as in Trim(max_turns=20)")
        for name, limit in [*limits.items(), ("keep_first", keep_first)]:
            if limit is not None and (type(limit) is not int or limit < 0):
                raise ConfigurationError(f"{name} is a whole number from 0 on, not {limit!r}")
        if (max_tokens is None) != (count_tokens is None):
            raise ConfigurationError(
                "max_tokens and count_tokens go together, as in"
                " Trim(max_tokens=8000, count_tokens='o200k_base')"
            )
        if not isinstance(drop_to, (int, float)) or not 0 < drop_to <= 1:
            raise ConfigurationError(f"drop_to is above 0 and at most 1, not {drop_to!r}")
        if not isinstance(tool_outputs, Clear | None):
            raise ConfigurationError("tool_outputs is Clear(keep=...) or None")
        self.max_items = max_items
        self.max_turns = max_turns
        self.max_tokens = max_tokens
        self.drop_to = drop_to
        self.keep_first = keep_first
        self.tool_outputs = tool_outputs
        self._count = None if count_tokens is None else counter_for(count_tokens)
        self._name = self._named()
        self.window = Window(
            items=None if max_items is None else max_items + 1,
            turns=max_turns,
            suffices=self._is_passed,
            mark=self._name,
            keep_first=keep_first,
        )

    def _named(self) -> str:
        """Return the name of the mark: agents with the same options share it."""
        parts: list[object] = [self.max_items, self.max_turns, self.max_tokens]
        parts += [f"{self.drop_to:g}", self.keep_first]
        parts += [None if self._count is None else self._count.name]
        parts += [None if self.tool_outputs is None else self.tool_outputs.keep]
        return "trim " + " ".join("-" if part is None else str(part) for part in parts)

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn on the newest part of its history."""
        cut = turn.run.cut
        mark = None if cut is None else cut.mark(self._name)
        history = turn.history
        kept, begin = self._kept(history, cut, mark)
        seen, cleared = self._cleared(history, cut, mark)
        counted = None if mark is None else mark.counted
        place = self._place(seen, [seen[n] for n in kept], begin, turn.input, counted)
        is_whole = len(kept) >= self.keep_first
        kept += [n for n in range(begin, place) if is_instruction(history[n])]
        if cut is not None and (place > begin or cleared is not None):
            if place > begin and counted is not None:
                counted = Counted(0, 0, counted.rate)  # reports of what was sent before the cut
            self._set(cut, history, kept, place, cleared=cleared, counted=counted)
        turn.history = [seen[n] for n in kept] + seen[place:]
        await handler(turn, send)
        if cut is not None and is_whole and (counted := self._counted(turn, counted)) is not None:
            self._set(cut, history, kept, place, cleared=cleared, counted=counted)

    def _kept(
        self, history: list[Item], cut: PastCut | None, mark: Mark | None
    ) -> tuple[list[int], int]:
        """Return the places of items that stay before the earlier cut, and the place behind it."""
        if cut is None or mark is None:
            if not self.keep_first:
                return [], 0
            begin = next((place for place in cuts(history) if place >= self.keep_first), 0)
            return list(range(begin)), begin
        numbers = [cut.number_of(item) for item in history]
        known = (n for n, row in enumerate(numbers) if row is not None and row >= mark.first)
        begin = next(known, len(history) if any(numbers) else 0)
        return [n for n in range(begin) if numbers[n] in mark.kept], begin

    def _cleared(
        self, history: list[Item], cut: PastCut | None, mark: Mark | None
    ) -> tuple[list[Item], int | None]:
        """Return the items with old outputs cleared, and the row before which they are."""
        if self.tool_outputs is None:
            return history, None
        before = None if mark is None else mark.cleared
        rows = [None if cut is None else cut.number_of(item) for item in history]
        old = [n + 1 for n, row in enumerate(rows) if row and before and row < before]
        begin = max(old, default=0)
        place = self.tool_outputs.step(history, begin, self.drop_to)
        if place > begin:
            newest = max((row for row in rows if row), default=0)
            before = next((row for row in rows[place:] if row), newest + 1)
        return self.tool_outputs.cleared(history, place), before

    def _counted(self, turn: Turn, known: Counted | None) -> Counted | None:
        """Return what the turn's model has told of its counting; None if that is not new."""
        found = None if self._count is None else sent_and_reported(turn)
        if self._count is None or found is None:
            return None
        sent, reported = found
        counted = counted_after(known, sum(map(self._count, sent)), reported)
        return None if counted is known else counted

    def _set(
        self,
        cut: PastCut,
        history: list[Item],
        kept: list[int],
        place: int,
        *,
        cleared: int | None,
        counted: Counted | None,
    ) -> None:
        """Set the mark, so that the next turns are cut in the same place."""
        newest = max((row for item in history if (row := cut.number_of(item))), default=0)
        rows = (row for item in history[place:] if (row := cut.number_of(item)))
        numbers = {n: row for n in kept if (row := cut.number_of(history[n])) is not None}
        added = {id(item) for item in [*cut.added, *added_instructions(history)]}
        loose = tuple(row for n, row in numbers.items() if id(history[n]) in added)
        first = next(rows, newest + 1)
        cut.set(self._name, Mark(first, tuple(numbers.values()), loose, cleared, counted))

    def _place(
        self,
        history: list[Item],
        kept: list[Item],
        begin: int,
        input: list[Item],
        counted: Counted | None,
    ) -> int:
        """Return the first place from *begin* on where the history is cut."""
        rest = history[begin:]
        by_tokens = self._by_tokens(rest, [*kept, *input], counted)
        first = max(self._by_items(rest), self._by_turns(rest), by_tokens)
        if not first:
            return begin
        places = cuts(rest, after=input)
        return begin + next((place for place in places if place >= first), places[-1])

    def _is_passed(self, items: Sequence[Item]) -> bool:
        rest = list(items)
        return any((self._by_items(rest), self._by_turns(rest), self._by_tokens(rest)))

    def _by_items(self, rest: list[Item]) -> int:
        if self.max_items is None:
            return 0
        return self._first(rest, self.max_items, lambda _: 1)

    def _by_turns(self, rest: list[Item]) -> int:
        if self.max_turns is None:
            return 0
        starts = [*turn_starts(rest), len(rest)]
        if len(starts) - 1 <= self.max_turns:
            return 0
        return starts[-1 - math.ceil(self.max_turns * self.drop_to)]

    def _by_tokens(
        self, rest: list[Item], always: Sequence[Item] = (), counted: Counted | None = None
    ) -> int:
        if self.max_tokens is None or self._count is None:
            return 0
        count = corrected(self._count, counted)
        budget = self.max_tokens - sum(map(count, [*always, *filter(is_instruction, rest)]))
        return self._first(rest, budget, count)

    def _first(self, rest: list[Item], budget: int, cost: Callable[[Item], int]) -> int:
        """Return the first place from which on the items cost what stays of *budget*; 0 if all."""
        costs = [0 if is_instruction(item) else cost(item) for item in rest]
        if sum(costs) <= budget:
            return 0
        if budget < 0:
            return len(rest)
        left = math.ceil(budget * self.drop_to)
        for place in range(len(rest), 0, -1):
            left -= costs[place - 1]
            if left < 0:
                return place
        return 0
