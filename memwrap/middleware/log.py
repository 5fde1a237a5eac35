"""Log what a turn did, without its content."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

from memwrap.codec import encode_items
from memwrap.exceptions import ConversionError
from memwrap.items import Item
from memwrap.shapes import is_known_shape, shape_of
from memwrap.turn import Event, Handler, Send, Turn

__all__ = ["Log"]


class Log:
    """Log each turn: ids, counts, sizes, roles and times; never content, unless told to.

    A finished turn is one record at *level*, a failed one at WARNING with the type of the error,
    a stream that was left early or cancelled at *level*. A log that fails does not fail the turn.

    Args:
        logger: Where to log; ``logging.getLogger("memwrap")`` by default.
        level: The level of the records.
        content: Log history, input and events too, at DEBUG.
    """

    def __init__(
        self,
        logger: logging.Logger | None = None,
        *,
        level: int = logging.INFO,
        content: bool = False,
    ) -> None:
        self.logger = logger if logger is not None else logging.getLogger("memwrap")
        self.level = level
        self.content = content

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn and log it."""
        events = 0
        waited = 0.0
        outcome = "stopped"
        start = perf_counter()

        async def count(event: Event) -> None:
            nonlocal events, waited
            events += 1
            self._show("event", event)
            sent = perf_counter()
            await send(event)
            waited += perf_counter() - sent  # the receiver's time, which is not the turn's

        self._show("history", turn.history)
        self._show("input", turn.input)
        try:
            await handler(turn, count)
            outcome = "done"
        except Exception as exc:
            outcome = type(exc).__name__
            raise
        finally:
            level = self.level if outcome in {"done", "stopped"} else logging.WARNING
            seconds = perf_counter() - start - waited
            with suppress(Exception):
                if self.logger.isEnabledFor(level):
                    self._tell(level, turn, outcome, events, seconds)

    def _tell(self, level: int, turn: Turn, outcome: str, events: int, seconds: float) -> None:
        self.logger.log(
            level,
            "turn %s session=%r turn_id=%r history=%s input=%s new=%s events=%d seconds=%.3f",
            outcome,
            turn.session_id,
            turn.id,
            _summary(turn.history),
            _summary(turn.input),
            _new(turn) if outcome == "done" else _summary([]),
            events,
            seconds,
        )

    def _show(self, what: str, value: Any) -> None:
        if self.content:
            with suppress(Exception):
                self.logger.debug("turn %s: %r", what, value)


def _new(turn: Turn) -> str:
    try:
        return _summary(turn.new_items or turn.collect())
    except Exception:  # noqa: BLE001  (`Memory` raises the same, or no `Memory` collected it)
        return "unknown"


def _summary(items: Sequence[Item]) -> str:
    """Return counts by role or type, and the size: ``3(user:2 assistant:1 412B)``."""
    shapes = Counter(map(_shape, items))
    listed = "".join(f"{shape}:{count} " for shape, count in shapes.items())
    try:
        size = f"{sum(map(len, encode_items(items)))}B"
    except ConversionError:  # an error for `Memory` to raise, not for a log
        size = "not JSON"
    return f"{len(items)}({listed}{size})"


def _shape(item: object) -> str:
    """Return an item's role or type if it is a known name, else ``other``."""
    shape = shape_of(item) if isinstance(item, dict) else None
    return str(shape) if is_known_shape(shape) else "other"
