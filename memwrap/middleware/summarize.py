"""Show a summary in place of the beginning of a long history."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Hashable, Sequence
from typing import Any, Literal

from memwrap.checks import check_choice
from memwrap.instructions import is_instruction
from memwrap.items import Item
from memwrap.marks import Mark, Summary
from memwrap.middleware.amounts import Amount, check_amount, exceeds, place_to_keep
from memwrap.middleware.redact import Redact
from memwrap.middleware.summary import Sources, key_of, shown_with, summary_item, text_from
from memwrap.middleware.trim import Trim
from memwrap.sessions.base import identity
from memwrap.tokens import CountTokens, counter_for
from memwrap.turn import Handler, Send, Turn
from memwrap.window import PastCut, Window

__all__ = ["Summarize"]

_log = logging.getLogger("memwrap")

_NAME = "summary"


class Summarize:
    """Show the agent a summary of what is long past, and the newer items as they are.

    Nothing is removed from the store: the summary is kept beside the items, with the turn that it
    was made in, and with a keyed digest of what it is of. When any of that changes or goes, so
    does the summary. The next one continues the last. Between two the beginning of what is shown
    stays the same. Instructions always stay.

    Args:
        summarizer: Makes a text of items: a function, plain or async, or an agent. The first item
            may be the summary before.
        trigger: The amount of history and input beyond which a summary is made.
        keep: The amount of the newest items that are never summarised.
        count_tokens: How tokens are counted, as for `Trim`.
        background: Make the summary beside the turn, for the next one; it fails no turn then.
        on_failure: Whether a summarizer that fails, or says nothing, leaves the history as it is
            (``"keep"``), or fails the turn (``"raise"``).

    Raises:
        ConfigurationError: An option has no such value.
    """

    within_memory = True
    inside_of = (Redact,)
    outside_of = (Trim,)
    # All of the past, as the digest is of it, with the mark that has the summary.
    window = Window(suffices=lambda _: False, mark=_NAME)

    def __init__(
        self,
        summarizer: Any,
        *,
        trigger: Amount = ("tokens", 60_000),
        keep: Amount = ("turns", 10),
        count_tokens: CountTokens = "chars/4",
        background: bool = False,
        on_failure: Literal["keep", "raise"] = "keep",
    ) -> None:
        check_amount("Summarize", "trigger", trigger)
        check_amount("Summarize", "keep", keep)
        ways = ("keep",) if background else ("keep", "raise")
        check_choice("Summarize", "on_failure", on_failure, *ways)
        self.summarizer = summarizer
        self.trigger = trigger
        self.keep = keep
        self.background = background
        self._raises = on_failure == "raise"
        self._count = counter_for(count_tokens)
        self._made: dict[Hashable, Summary] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn with the summary in place of what it is of.

        Raises:
            ConfigurationError: The session has no secret for digests.
        """
        whole, shown = turn.state.get(_NAME, (turn.history, turn.history))
        history: list[Item] = whole if turn.history is shown else turn.history
        if history and turn.run.cut is not None:
            turn.history = await self._shown(turn, history, turn.run.cut)
            turn.state[_NAME] = history, turn.history  # a layer around may try again
        await handler(turn, send)

    async def _shown(self, turn: Turn, history: list[Item], cut: PastCut) -> list[Item]:
        place = identity(turn.session)
        mark = cut.mark(_NAME)
        summary = self._made.pop(place, None if mark is None else mark.summary)
        if summary is None and not self._is_due(turn, history):
            return history
        sources = Sources(history, cut, await key_of(turn.session))
        begin = sources.end_of(summary)
        summary = summary if begin else None
        shown = shown_with(summary, history, begin)
        if self._is_due(turn, shown):
            end = begin + place_to_keep(history[begin:], turn.input, self.keep, self._count)
            work = self._summary(turn, summary, sources, begin, end)
            if self.background:
                self._begin_aside(place, work)
            elif (new := await work) is not None:
                summary, shown = new, shown_with(new, history, end)
        if summary is not None or mark is not None:
            cut.set(_NAME, Mark(1, summary=summary))
        return shown

    def _is_due(self, turn: Turn, shown: Sequence[Item]) -> bool:
        return exceeds([*shown, *turn.input], self.trigger, self._count)

    async def _summary(
        self, turn: Turn, last: Summary | None, sources: Sources, begin: int, end: int
    ) -> Summary | None:
        """Return a summary that continues the last one; None if there is none to be had."""
        items = [item for item in sources.history[begin:end] if not is_instruction(item)]
        if not items:
            return None
        before = [] if last is None else [summary_item(last.text)]
        try:
            text = await text_from(turn, self.summarizer, [*before, *items])
        except Exception as exc:
            if self._raises:
                raise
            _log.warning("session %r: no summary (%s)", turn.session_id, type(exc).__name__)
            return None
        return sources.summary(text, end)

    def _begin_aside(self, place: Hashable, work: Coroutine[Any, Any, Summary | None]) -> None:
        if place in self._tasks:
            work.close()  # one is being made
            return

        async def run() -> None:
            try:
                if (made := await work) is not None:
                    self._made[place] = made
            finally:
                del self._tasks[place]

        self._tasks[place] = asyncio.create_task(run())
