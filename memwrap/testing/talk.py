"""A conversation with an agent under test, by calls and by streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from memwrap.decorator import with_session
from memwrap.sessions import InMemorySession
from memwrap.turn import Middleware

__all__ = ["Failure", "Talk"]


class Failure(Exception):
    """What such an agent raises when it is to fail."""


class Talk:
    """An agent that says what it was asked, in words, and its session."""

    def __init__(self, chain: list[Middleware], *, words: int = 1) -> None:
        self.words = words
        self.session = InMemorySession("contract")
        self.agent: Any = with_session(self._call, middleware=chain)
        self.stream: Any = with_session(self._stream, middleware=chain)
        self.seen: list[Any] = []
        self.reached = asyncio.Event()
        self.waits: asyncio.Event | None = None
        self.pauses = False
        self.error: Exception | None = None
        self.failures = sys.maxsize
        self.delivered = 0
        self.closed = 0

    def said(self, text: str) -> list[str]:
        """Return what is said in answer to *text*."""
        return [f"{text} {number};" for number in range(self.words)]

    async def run(self, text: str) -> None:
        """Call the agent."""
        await self.agent(text, session=self.session)

    async def read(self, text: str) -> None:
        """Read a stream to its end."""
        async for _ in self.stream(text, session=self.session):
            pass

    async def _call(self, items: list[Any]) -> str:
        self.seen.append(items)
        self.reached.set()
        if self.waits is not None:
            await self.waits.wait()
        self._fail()
        return "".join(self.said(items[-1]["content"]))

    async def _stream(self, items: list[Any]) -> AsyncIterator[str]:
        self.seen.append(items)
        try:
            for number, word in enumerate(self.said(items[-1]["content"])):
                if number == self.delivered:
                    self._fail()
                if self.pauses:
                    await asyncio.sleep(0)
                yield word
        finally:
            self.closed += 1

    def _fail(self) -> None:
        if self.error is not None and self.failures:
            self.failures -= 1
            raise self.error
