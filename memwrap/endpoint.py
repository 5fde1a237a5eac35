"""The innermost handler: call the agent, send what it returns or yields."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

from memwrap.aside import MANY, aside
from memwrap.attempts import Place, forgot_send
from memwrap.dialects import Kind
from memwrap.exceptions import ConfigurationError
from memwrap.turn import Handler, Send, Turn
from memwrap.view import call_agent, called_with, shown_to_agent

__all__ = ["endpoint_for"]

_END = object()
_AGENT = Place(sys.maxsize, "")


def endpoint_for(kind: Kind) -> Handler:
    """Return the endpoint for agents of this kind."""
    return _ENDPOINTS[kind]


async def _call(turn: Turn, send: Send | None = None) -> None:
    if send is None:
        raise forgot_send(turn.run.place)
    turn.enter(_AGENT)
    begun = len(turn.run.events)
    try:
        is_short = len(turn.history) <= MANY
        shown = shown_to_agent(turn) if is_short else await aside(shown_to_agent, turn)
        result = await called_with(turn, shown)
    except BaseException:
        turn.run.take_back(begun)
        raise
    await send(_finished(result))


async def _stream(turn: Turn, send: Send | None = None) -> None:
    if send is None:
        raise forgot_send(turn.run.place)
    turn.enter(_AGENT)
    begun = len(turn.run.events)
    is_short = len(turn.history) <= MANY
    shown = shown_to_agent(turn) if is_short else await aside(shown_to_agent, turn)
    events = called_with(turn, shown)
    try:
        async for event in events:
            await send(event)
    except BaseException:
        turn.run.take_back(begun)
        raise
    finally:
        # Every generator has aclose(); other asynchronous iterators need not.
        if close := getattr(events, "aclose", None):
            await close()
    if turn.run.is_stopped:
        # The agent swallowed the cancellation, so its turn is incomplete.
        raise asyncio.CancelledError


async def _sync_call(turn: Turn, send: Send | None = None) -> None:
    if send is None:
        raise forgot_send(turn.run.place)
    assert turn.run.caller is not None  # noqa: S101  (run by `sync_tasks` only)
    turn.enter(_AGENT)
    begun = len(turn.run.events)
    try:
        result = await turn.run.caller.do(copy_context(), call_agent, turn)
    except BaseException:
        turn.run.take_back(begun)
        raise
    await send(_finished(result))


async def _sync_stream(turn: Turn, send: Send | None = None) -> None:
    if send is None:
        raise forgot_send(turn.run.place)
    assert turn.run.caller is not None  # noqa: S101  (run by `sync_tasks` only)
    turn.enter(_AGENT)
    begun = len(turn.run.events)
    context = copy_context()  # one for all steps: the agent may set a variable and reset it later
    events = iter(await turn.run.caller.do(context, call_agent, turn))
    try:
        while (event := await turn.run.caller.do(context, _next, turn, events)) is not _END:
            await send(event)
    except BaseException:
        turn.run.take_back(begun)
        raise
    finally:
        if close := getattr(events, "close", None):
            await turn.run.caller.do(context, close)


def _next(turn: Turn, events: Iterator[Any]) -> Any:
    """Return the next event, or `_END`: then the turn has what the generator returned."""
    try:
        return next(events)
    except StopIteration as end:
        turn.run.returned = end.value
        return _END


def _finished(result: Any) -> Any:
    """Refuse a coroutine or an unread stream as a result: the turn would be stored without it."""
    if isinstance(result, str):
        return result
    if inspect.iscoroutine(result):
        result.close()  # or Python warns that nobody awaited it
        raise ConfigurationError(
            "the agent is a plain function that returned a coroutine; make it `async def` and"
            " await the inner call"
        )
    if hasattr(type(result), "__anext__") or inspect.isgenerator(result):
        error = ConfigurationError(
            f"the agent returned a stream ({type(result).__name__}) that is still to be read; make"
            " it a generator itself: iterate over the stream and yield its events"
        )
        error.result = result
        raise error
    return result


_ENDPOINTS: dict[Kind, Handler] = {
    Kind.CALL: _call,
    Kind.STREAM: _stream,
    Kind.SYNC_CALL: _sync_call,
    Kind.SYNC_STREAM: _sync_stream,
}
