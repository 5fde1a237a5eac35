"""The innermost handler: call the agent, send what it returns or yields."""

from __future__ import annotations

import asyncio
import inspect
from contextvars import copy_context
from typing import Any

from memwrap.dialects import Kind
from memwrap.exceptions import ConfigurationError
from memwrap.turn import Handler, Recorded, Send, Turn
from memwrap.view import call_agent

__all__ = ["endpoint_for"]

_END = object()


def endpoint_for(kind: Kind) -> Handler:
    """Return the endpoint for agents of this kind."""
    return _ENDPOINTS[kind]


async def _call(turn: Turn, send: Send) -> None:
    begun = len(turn.run.events)
    try:
        result = await call_agent(turn)
    except BaseException:
        _take_back(turn, begun)
        raise
    await send(_finished(result))


async def _stream(turn: Turn, send: Send) -> None:
    begun = len(turn.run.events)
    events = call_agent(turn)
    try:
        async for event in events:
            await send(event)
    except BaseException:
        _take_back(turn, begun)
        raise
    finally:
        # Every generator has aclose(); other asynchronous iterators need not.
        if close := getattr(events, "aclose", None):
            await close()
    if turn.run.is_stopped:
        # The agent swallowed the cancellation, so its turn is incomplete.
        raise asyncio.CancelledError


async def _sync_call(turn: Turn, send: Send) -> None:
    assert turn.run.caller is not None  # noqa: S101  (run by `sync_tasks` only)
    begun = len(turn.run.events)
    try:
        result = await turn.run.caller.do(copy_context(), call_agent, turn)
    except BaseException:
        _take_back(turn, begun)
        raise
    await send(_finished(result))


async def _sync_stream(turn: Turn, send: Send) -> None:
    assert turn.run.caller is not None  # noqa: S101  (run by `sync_tasks` only)
    begun = len(turn.run.events)
    context = copy_context()  # one for all steps: the agent may set a variable and reset it later
    events = iter(await turn.run.caller.do(context, call_agent, turn))
    try:
        while (event := await turn.run.caller.do(context, next, events, _END)) is not _END:
            await send(event)
    except BaseException:
        _take_back(turn, begun)
        raise
    finally:
        if close := getattr(events, "close", None):
            await turn.run.caller.do(context, close)


def _take_back(turn: Turn, begun: int) -> None:
    """Drop what a failed attempt recorded, unless it sent events too: a layer may try again."""
    if all(isinstance(event, Recorded) for event in turn.run.events[begun:]):
        del turn.run.events[begun:]


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
        raise ConfigurationError(
            f"the agent returned a stream ({type(result).__name__}) that is still to be read; make"
            " it a generator itself: iterate over the stream and yield its events"
        )
    return result


_ENDPOINTS: dict[Kind, Handler] = {
    Kind.CALL: _call,
    Kind.STREAM: _stream,
    Kind.SYNC_CALL: _sync_call,
    Kind.SYNC_STREAM: _sync_stream,
}
