"""Runs that their caller goes through in an ``async with`` block."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Protocol, Self, cast

from pydantic_ai import AgentRunEvents, AgentRunResult, AgentRunResultEvent
from pydantic_ai.messages import ModelMessage
from pydantic_ai.usage import RunUsage

from memwrap.exceptions import ConfigurationError

__all__ = ["RunBlock", "RunEvents"]


class _Stream(Protocol):
    def cancel(self) -> None: ...


class RunBlock:
    """The block in which a caller has the framework's own run, or its streamed result.

    The turn is stored when the caller leaves the block behind the end of the run. Left earlier, the
    run is stopped, and the turn is treated as a stream that was left early.

    Args:
        events: The run or result, and nothing else.
        is_over: Tells whether a run has ended.
    """

    def __init__(self, events: AsyncGenerator[Any, None], is_over: Callable[[Any], bool]) -> None:
        self._events = events
        self._is_over = is_over
        self._run: Any = None

    async def __aenter__(self) -> Any:
        self._run = await anext(self._events)
        return self._run

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        async with aclosing(self._events):
            if exc is None and self._is_over(self._run):
                async for _ in self._events:
                    pass


class RunEvents(AgentRunEvents[Any]):
    """The events of a run, with the result of the framework behind them.

    The turn is stored before the caller gets the last event.
    """

    def __init__(self, events: AsyncGenerator[Any, None]) -> None:
        self._events = events  # nothing of the framework's own: it would run the agent itself
        self._result: AgentRunResult[Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        event = await anext(self._events)
        if isinstance(event, AgentRunResultEvent):
            async for _ in self._events:
                pass
            self._result = event.result
        return event

    @property
    def result(self) -> AgentRunResult[Any] | None:
        """The framework's own result; None until the run has ended."""
        return self._result

    def cancel(self) -> None:
        """Stop the run, from any task; whoever reads its events gets no more."""
        cast("_Stream", self._events).cancel()

    async def aclose(self) -> None:
        """Stop the run if it has not ended, and wait for its end."""
        await self._events.aclose()

    def all_messages(self) -> list[ModelMessage]:
        """Return the messages that the run was given, and those that it added."""
        return self._ended("all_messages").all_messages()

    def new_messages(self) -> list[ModelMessage]:
        """Return the messages that the run added."""
        return self._ended("new_messages").new_messages()

    @property
    def usage(self) -> RunUsage:
        """What the run used."""
        return self._ended("usage").usage

    def _ended(self, name: str) -> AgentRunResult[Any]:
        if self._result is None:
            raise ConfigurationError(f"{name} is there when the events have ended")
        return self._result
