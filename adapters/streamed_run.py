"""A remembered run of the Agents SDK that streams: its events, and the parts of its result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Protocol, cast

from memwrap.exceptions import ConfigurationError
from memwrap.memory.repeats import is_replay

__all__ = ["StreamedRun"]


class _Stream(Protocol):
    def cancel(self) -> None: ...


def _part(name: str) -> property:
    """Return a property that is the part of that name of the SDK's own result."""

    def get(run: StreamedRun) -> Any:
        return getattr(run._ended(name), name)  # noqa: SLF001

    return property(get, doc=f"``{name}`` of the SDK's result; there when the stream has ended.")


class StreamedRun:
    """A streamed run that is remembered, with the parts of ``RunResultStreaming``.

    The parts are there when ``stream_events()`` has ended; before that they are a
    `ConfigurationError`.

    Attributes:
        result: The SDK's own result; None until the stream has ended.
    """

    def __init__(self, events: AsyncGenerator[Any, None]) -> None:
        self._stream = events
        self._events = self._shown(events)
        self._is_cancelled = False
        self.result: Any = None

    final_output = _part("final_output")
    input = _part("input")
    new_items = _part("new_items")
    raw_responses = _part("raw_responses")
    interruptions = _part("interruptions")
    last_agent = _part("last_agent")
    current_agent = _part("current_agent")
    current_turn = _part("current_turn")
    max_turns = _part("max_turns")
    context_wrapper = _part("context_wrapper")
    last_response_id = _part("last_response_id")
    input_guardrail_results = _part("input_guardrail_results")
    output_guardrail_results = _part("output_guardrail_results")
    tool_input_guardrail_results = _part("tool_input_guardrail_results")
    tool_output_guardrail_results = _part("tool_output_guardrail_results")
    trace = _part("trace")

    @property
    def is_complete(self) -> bool:
        """Whether the run has ended."""
        return self._is_cancelled or (self.result is not None and bool(self.result.is_complete))

    def stream_events(self) -> AsyncGenerator[Any, None]:
        """Return the SDK's events; the turn is stored when they end."""
        return self._events

    async def _shown(self, events: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        async with aclosing(events):
            try:
                async for event in events:
                    if hasattr(event, "new_items"):
                        self.result = event
                        for told in _events_again(event):
                            yield told
                    else:
                        yield event
            except asyncio.CancelledError:
                if not self._is_cancelled:
                    raise  # somebody cancelled the reader

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._events

    def cancel(self, mode: str = "immediate") -> None:
        """Stop the run, from any task; whoever reads its events gets no more.

        It is not stored, unless `Memory` keeps what was delivered.

        Args:
            mode: ``"immediate"``. To end a run behind its current turn is not offered.

        Raises:
            ConfigurationError: The mode is another.
        """
        if mode != "immediate":
            raise ConfigurationError(
                f"a remembered run has no cancel(mode={mode!r}): cancel() stops it at once, and"
                " Memory(on_stop='keep_delivered') keeps what was delivered"
            )
        self._is_cancelled = True
        cast("_Stream", self._stream).cancel()

    async def aclose(self) -> None:
        """Stop the run and wait for its end; see `cancel`."""
        self._is_cancelled = True
        await self._stream.aclose()

    def to_input_list(self, **options: Any) -> list[Any]:
        """Return input and new items, as the SDK's result does."""
        found: list[Any] = self._ended("to_input_list").to_input_list(**options)
        return found

    def final_output_as(self, cls: type[Any], raise_if_incorrect_type: bool = False) -> Any:
        """Return the final output, typed as a class."""
        return self._ended("final_output_as").final_output_as(cls, raise_if_incorrect_type)

    def to_state(self) -> Any:
        """Return the state of the run, to go on with after an interruption."""
        return self._ended("to_state").to_state()

    def _ended(self, name: str) -> Any:
        if self.result is None:
            raise ConfigurationError(f"{name} is there when stream_events() has ended")
        return self.result


def _events_again(result: Any) -> list[Any]:
    """Return the events of a stored run, made from its items; a new run has had its own."""
    if not is_replay(result):
        return []
    from memwrap.adapters.rebuilt_run import events_of

    return events_of(result)
