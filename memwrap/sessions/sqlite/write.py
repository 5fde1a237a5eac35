"""Statements that wait for their turn on the writing connection."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from memwrap.sessions.sqlite.connection import BUSY_SECONDS, Rows

__all__ = ["MAX_VALUES", "Write", "batch_of", "statement_of"]

MAX_VALUES = 800
"""How many values a merged statement holds: any SQLite takes 999."""


class Write:
    """A statement that waits for its turn.

    With *row* its parameters are rows of values, which may be merged with those of others.
    Without *durable* it need not survive a power cut, and does not wait for the disk.
    """

    __slots__ = (
        *("deadline", "durable", "error", "parameters", "result", "row", "settled", "sql"),
        "waiter",
    )

    def __init__(
        self, sql: str, parameters: Sequence[Any], row: str = "", *, durable: bool = True
    ) -> None:
        self.sql = sql
        self.parameters = parameters
        self.row = row
        self.durable = durable
        self.deadline = time.monotonic() + BUSY_SECONDS
        self.settled = False
        self.result: Rows = []
        self.error: BaseException | None = None
        self.waiter: asyncio.Future[None] | None = None

    def settle(self, result: Rows, error: BaseException | None) -> None:
        """Tell whoever waits what has become of it."""
        self.settled, self.result, self.error = True, result, error
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


def batch_of(waiting: deque[Write]) -> list[Write]:
    """Take the first from the queue, with the rows behind it that go into one statement with it."""
    first = waiting.popleft()
    batch, values = [first], len(first.parameters)
    while (
        first.row
        and waiting
        and waiting[0].sql == first.sql
        and values + len(waiting[0].parameters) <= MAX_VALUES
    ):
        values += len(waiting[0].parameters)
        batch.append(waiting.popleft())
    return batch


def statement_of(batch: list[Write]) -> tuple[str, Sequence[Any]]:
    """Return the one statement that does what all of the batch do, and its parameters."""
    first = batch[0]
    if not first.row:
        return first.sql, first.parameters
    values = [value for write in batch for value in write.parameters]
    count = len(values) // first.row.count("?")
    return first.sql + ",".join([first.row] * count), values
