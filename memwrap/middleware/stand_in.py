"""An agent that stands in for another, in the same turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from memwrap.dialects import Adapter, Kind, Method, adapter_for, methods_of
from memwrap.exceptions import ConfigurationError
from memwrap.kinds import kind_of
from memwrap.names import name_of
from memwrap.turn import Turn
from memwrap.wrapper import is_wrapped

__all__ = ["StandIn"]


class StandIn:
    """An agent that may stand in for another.

    Args:
        agent: A function, or an object of a framework that memwrap knows, without memory.

    Raises:
        ConfigurationError: It cannot be called, or remembers itself.
    """

    def __init__(self, agent: Any) -> None:
        if is_wrapped(agent):
            raise ConfigurationError(
                f"Fallback: {name_of(agent)} remembers itself, and would store the turn twice; pass"
                " the agent as it was before with_session"
            )
        self.name = name_of(agent)
        self.adapter = adapter_for(agent)
        found = None if self.adapter is None else methods_of(self.adapter, agent)
        self.methods: dict[str, Method] = (
            {"": Method(agent, kind_of(agent))} if found is None else dict(found.remember)
        )

    def instead_of(
        self, turn: Turn, agent: Any, adapter: Adapter, put_back: Any
    ) -> tuple[Callable[..., Any], Adapter, Any]:
        """Return what to call instead of an agent, with its adapter and what makes its input.

        Raises:
            ConfigurationError: It is called in another way.
        """
        wanted = _wanted(turn)
        own = self.adapter or adapter
        name = getattr(agent, "__name__", "")
        methods = sorted(self.methods.items(), key=lambda pair: pair[0] != name)
        for given in (wanted, *_INSTEAD[wanted]):
            for _, method in methods:
                if method.kind is not given or (method.split is not None and own is not adapter):
                    continue
                same = method.split is not None
                call = _CONVERTED.get((wanted, given), _unchanged)(method.call)
                return call, own, put_back if same else None
        raise ConfigurationError(
            f"Fallback: {self.name} cannot stand in for an agent that is called as {wanted.value};"
            f" it is {', '.join(sorted({m.kind.value for m in self.methods.values()}))}"
        )


def _wanted(turn: Turn) -> Kind:
    if turn.run.caller is not None:
        return Kind.SYNC_STREAM if turn.streaming else Kind.SYNC_CALL
    return Kind.STREAM if turn.streaming else Kind.CALL


def _unchanged(call: Callable[..., Any]) -> Callable[..., Any]:
    return call


def _in_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    async def converted(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(call, *args, **kwargs)

    return converted


def _one_event(call: Callable[..., Any]) -> Callable[..., Any]:
    async def converted(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        yield await call(*args, **kwargs)

    return converted


def _one_step(call: Callable[..., Any]) -> Callable[..., Any]:
    def converted(*args: Any, **kwargs: Any) -> Iterator[Any]:
        yield call(*args, **kwargs)

    return converted


# Which kinds of agents may stand in for others, and how.
_INSTEAD: dict[Kind, tuple[Kind, ...]] = {
    Kind.CALL: (Kind.SYNC_CALL,),
    Kind.STREAM: (Kind.CALL, Kind.SYNC_CALL),
    Kind.SYNC_CALL: (),
    Kind.SYNC_STREAM: (Kind.SYNC_CALL,),
}
_CONVERTED: dict[tuple[Kind, Kind], Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    (Kind.CALL, Kind.SYNC_CALL): _in_thread,
    (Kind.STREAM, Kind.CALL): _one_event,
    (Kind.STREAM, Kind.SYNC_CALL): lambda call: _one_event(_in_thread(call)),
    (Kind.SYNC_STREAM, Kind.SYNC_CALL): _one_step,
}
