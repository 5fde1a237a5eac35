"""A list of middleware becomes one handler."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Sequence
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.turn import Handler, Middleware, Recorded, Send, Turn

__all__ = ["build_chain"]


def build_chain(middleware: Sequence[Middleware], endpoint: Handler) -> Handler:
    """Wrap *endpoint*; the first of the list is the outermost.

    Raises:
        ConfigurationError: A layer is not callable with three arguments, or is a class where an
            instance is due.
    """
    handler = endpoint
    for layer in reversed(middleware):
        _check(layer)
        handler = _bind(layer, handler)
    return handler


def _check(layer: Middleware) -> None:
    if isinstance(layer, type):
        raise ConfigurationError(
            f"middleware holds the class {layer.__name__}; put an instance there:"
            f" {layer.__name__}(...)"
        )
    name = getattr(layer, "__qualname__", None) or type(layer).__qualname__
    if not callable(layer):
        raise ConfigurationError(
            f"middleware holds an object of type {name}, which cannot be called; a layer is"
            " `async def layer(turn, send, handler)` or an object whose __call__ is"
        )
    try:
        inspect.signature(layer).bind("turn", "send", "handler")
    except TypeError:
        raise ConfigurationError(
            f"the layer {name} does not take (turn, send, handler), which is what it is called with"
        ) from None
    except ValueError:  # some built-in functions have no signature
        return


def _bind(layer: Middleware, handler: Handler) -> Handler:
    def bound(turn: Turn, send: Send) -> Awaitable[None]:
        return layer(turn, send, _Attempts(handler))

    return bound


def _is_delivered(turn: Turn, events: list[Any]) -> bool:
    return turn.streaming and not all(isinstance(event, Recorded) for event in events)


class _Attempts:
    """The handler of one layer in one turn: called again, it begins where it began before.

    What the attempt before added to hooks, and what it recorded or sent, is gone then. What the
    layer itself added since stays, and so does what the caller of a stream has got already.
    """

    __slots__ = ("_added", "_handler")

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._added: list[tuple[list[Any], int, int]] = []

    async def __call__(self, turn: Turn, send: Send) -> None:
        for added, begin, end in self._added:
            if added is not turn.run.events or not _is_delivered(turn, added[begin:end]):
                del added[begin:end]
        lists: tuple[list[Any], ...] = (turn.before_agent, turn.before_save, turn.run.events)
        begun = [(each, len(each)) for each in lists]
        try:
            await self._handler(turn, send)
        finally:
            self._added = [(each, begin, len(each)) for each, begin in begun]
