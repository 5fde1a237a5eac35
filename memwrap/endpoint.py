"""The innermost handler: call the agent, send what it gives."""

from __future__ import annotations

import inspect
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.turn import Turn
from memwrap.types import Handler, Kind, Send

__all__ = ["endpoint_for"]

_END = object()


def endpoint_for(kind: Kind) -> Handler:
    """Return the endpoint for agents of this kind."""
    return _ENDPOINTS[kind]


async def _call(turn: Turn, send: Send) -> None:
    await send(_finished(await turn.call_agent()))


async def _stream(turn: Turn, send: Send) -> None:
    events = turn.call_agent()
    try:
        async for event in events:
            await send(event)
    finally:
        # Every generator has it; an object's own kind of iterator need not.
        if close := getattr(events, "aclose", None):
            await close()


async def _sync_call(turn: Turn, send: Send) -> None:
    assert turn.caller is not None  # noqa: S101  (run by the portal only)
    await send(_finished(await turn.caller.do(turn.call_agent)))


async def _sync_stream(turn: Turn, send: Send) -> None:
    assert turn.caller is not None  # noqa: S101  (run by the portal only)
    events = iter(await turn.caller.do(turn.call_agent))
    try:
        while (event := await turn.caller.do(next, events, _END)) is not _END:
            await send(event)
    finally:
        if close := getattr(events, "close", None):
            await turn.caller.do(close)


def _finished(result: Any) -> Any:
    """Refuse a result that has not happened yet: the turn would be stored without it."""
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
