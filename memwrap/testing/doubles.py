"""Doubles for tests: an agent that follows a script, and a session that fails when told to."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.sessions import InMemorySession

__all__ = ["FlakySession", "ScriptedAgent"]

_METHODS = ("get_items", "add_items", "pop_item", "clear_session")


class ScriptedAgent:
    """An agent that answers from a script and keeps what it was shown.

    Args:
        *answers: One for each call: what to return, an exception to raise, or for `stream` a list
            of events to yield, in which an exception is raised when its turn comes.

    Attributes:
        calls: The messages of each call, in order.
    """

    def __init__(self, *answers: Any) -> None:
        self._answers = deque(answers)
        self.calls: list[Any] = []

    async def __call__(self, messages: Any) -> Any:
        """Return the next answer of the script."""
        answer = self._next(messages)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def stream(self, messages: Any) -> AsyncGenerator[Any, None]:
        """Yield the events of the next answer of the script."""
        answer = self._next(messages)
        for event in answer if isinstance(answer, list) else [answer]:
            if isinstance(event, BaseException):
                raise event
            yield event

    def _next(self, messages: Any) -> Any:
        self.calls.append(copy.deepcopy(messages))
        if not self._answers:
            raise AssertionError(f"call {len(self.calls)} of the agent: the script has ended")
        return self._answers.popleft()


class FlakySession(InMemorySession):
    """A session in memory that fails when told to, and keeps the names of the methods called.

    Attributes:
        calls: The names of the methods called, in order.
    """

    def __init__(self, session_id: str = "flaky") -> None:
        super().__init__(session_id)
        self.calls: list[str] = []
        self._failures: dict[str, deque[tuple[Exception, bool]]] = {}

    def fail(self, method: str, error: Exception, *, times: int = 1, after: bool = False) -> None:
        """Let the next calls of a method fail.

        Args:
            method: Its name.
            error: What it raises.
            times: How many calls fail.
            after: Do the work first, as a store does whose answer is lost on the way.

        Raises:
            ConfigurationError: A session has no method of that name.
        """
        if method not in _METHODS:
            raise ConfigurationError(f"a session has {', '.join(_METHODS)}; not {method!r}")
        self._failures.setdefault(method, deque()).extend([(error, after)] * times)

    async def get_items(self, limit: int | None = None, *, wrapper: Any = None) -> list[Any]:
        """Return the items, or fail."""
        found: list[Item] = await self._call("get_items", super().get_items(limit, wrapper=wrapper))
        return found

    async def add_items(self, items: list[Any], *, wrapper: Any = None) -> None:
        """Append the items, or fail."""
        await self._call("add_items", super().add_items(items, wrapper=wrapper))

    async def pop_item(self, *, wrapper: Any = None) -> Any:
        """Remove and return the newest item, or fail."""
        found: Any = await self._call("pop_item", super().pop_item(wrapper=wrapper))
        return found

    async def clear_session(self, *, wrapper: Any = None) -> None:
        """Remove all items, or fail."""
        await self._call("clear_session", super().clear_session(wrapper=wrapper))

    async def _call(self, name: str, work: Coroutine[Any, Any, Any]) -> Any:
        self.calls.append(name)
        failures = self._failures.get(name)
        if not failures:
            return await work
        error, after = failures.popleft()
        if after:
            await work
        work.close()
        raise error
