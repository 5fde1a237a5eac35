"""A list of middleware becomes one handler."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from memwrap.exceptions import ConfigurationError
from memwrap.turn import Turn
from memwrap.types import Handler, Middleware, Send

__all__ = ["build_chain"]


def build_chain(middleware: Sequence[Middleware], endpoint: Handler) -> Handler:
    """Wrap *endpoint*; the first of the list is the outermost.

    Raises:
        ConfigurationError: A layer is not callable, or is a class where an instance is due.
    """
    handler = endpoint
    for layer in reversed(middleware):
        if isinstance(layer, type):
            raise ConfigurationError(
                f"middleware holds the class {layer.__name__}; put an instance there:"
                f" {layer.__name__}(...)"
            )
        if not callable(layer):
            raise ConfigurationError(
                f"middleware holds a {type(layer).__name__}, which cannot be called; a layer is"
                " `async def layer(turn, send, handler)` or an object whose __call__ is"
            )
        handler = _bind(layer, handler)
    return handler


def _bind(layer: Middleware, handler: Handler) -> Handler:
    def bound(turn: Turn, send: Send) -> Awaitable[None]:
        return layer(turn, send, handler)

    return bound
