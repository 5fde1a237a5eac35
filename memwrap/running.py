"""One turn of any agent, without wrapping it first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypedDict, TypeVar, Unpack, overload

from memwrap.decorator import with_session
from memwrap.dialects import Adapter, Kind
from memwrap.exceptions import ConfigurationError
from memwrap.items import Input
from memwrap.sessions.base import SessionLike, StoreLike
from memwrap.turn import Middleware
from memwrap.wrapper import is_wrapped, main_call

__all__ = ["RunOptions", "run", "run_sync"]

R = TypeVar("R")


class RunOptions(TypedDict, total=False):
    """The options of `run`: of an agent that remembers already, only the first two."""

    session: SessionLike
    turn_id: str
    store: StoreLike | None
    adapter: Adapter | None
    middleware: Sequence[Middleware]


# A function is called with the messages alone; what an agent object takes, its adapter knows.
@overload
async def run(
    agent: Callable[[list[Any]], Awaitable[R]], input: Input, /, **options: Unpack[RunOptions]
) -> R: ...
@overload
async def run(
    agent: Callable[[list[Any]], R], input: Input, /, **options: Unpack[RunOptions]
) -> R: ...
@overload
async def run(agent: object, input: Any, /, **options: Unpack[RunOptions]) -> Any: ...
async def run(agent: Any, input: Any, /, **options: Any) -> Any:
    """Run one turn of any agent and return its result.

    Args:
        agent: An agent, or the result of `with_session`.
        input: The new input.
        **options: ``turn_id`` as at a call; ``session``, ``store``, ``adapter`` and
            ``middleware`` as in `with_session` (``session`` alone for an agent that remembers
            already).

    Raises:
        ConfigurationError: The agent yields a stream: iterate over ``with_session(agent)(...)``.
    """
    given = {name: options.pop(name) for name in ("turn_id",) if name in options}
    call: Any = agent if is_wrapped(agent) else with_session(agent, **options)
    if is_wrapped(agent) and (unknown := set(options) - {"session"}):
        raise ConfigurationError(
            f"{', '.join(sorted(unknown))}: the agent has its options from with_session already"
        )
    call, kind = main_call(call)
    given |= {"session": options["session"]} if "session" in options else {}
    if kind.is_stream:
        raise ConfigurationError(
            "run() returns one result, and the agent yields many; iterate over"
            " with_session(agent)(input, session=...)"
        )
    if kind is Kind.SYNC_CALL:
        return await asyncio.to_thread(call, input, **given)
    return await call(input, **given)


@overload
def run_sync(
    agent: Callable[[list[Any]], Awaitable[R]], input: Input, /, **options: Unpack[RunOptions]
) -> R: ...
@overload
def run_sync(
    agent: Callable[[list[Any]], R], input: Input, /, **options: Unpack[RunOptions]
) -> R: ...
@overload
def run_sync(agent: object, input: Any, /, **options: Unpack[RunOptions]) -> Any: ...
def run_sync(agent: Any, input: Any, /, **options: Any) -> Any:
    """Run one turn of any agent, without an event loop, and return its result.

    Takes what `run` takes.

    Raises:
        ConfigurationError: An event loop runs in this thread: ``await memwrap.run(...)`` there.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run(agent, input, **options))
    raise ConfigurationError(
        "run_sync() would block the event loop that runs in this thread: `await memwrap.run(...)`"
    )
