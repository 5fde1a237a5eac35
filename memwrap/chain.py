"""A list of middleware becomes one handler."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Sequence

from memwrap.attempts import Place, forgot_send
from memwrap.exceptions import ConfigurationError
from memwrap.turn import Handler, Middleware, Send, Turn

__all__ = ["build_chain", "name_of_layer"]


def build_chain(middleware: Sequence[Middleware], endpoint: Handler) -> Handler:
    """Wrap *endpoint*; the first of the list is the outermost.

    Raises:
        ConfigurationError: A layer is not callable with three arguments, or is a class where an
            instance is due.
    """
    handler = endpoint
    for level, layer in reversed([*enumerate(middleware)]):
        _check(layer)
        handler = _bind(layer, handler, Place(level, name_of_layer(layer)))
    return handler


def name_of_layer(layer: object) -> str:
    """Return the name of a layer for errors: its own, or that of its class."""
    return getattr(layer, "__qualname__", None) or type(layer).__qualname__


def _check(layer: Middleware) -> None:
    if isinstance(layer, type):
        raise ConfigurationError(
            f"middleware holds the class {layer.__name__}; put an instance there:"
            f" {layer.__name__}(...)"
        )
    name = name_of_layer(layer)
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


def _bind(layer: Middleware, handler: Handler, place: Place) -> Handler:
    level = place.level

    def bound(turn: Turn, send: Send | None = None) -> Awaitable[None]:
        if send is None:
            raise forgot_send(turn.run.place)
        run = turn.run
        # `Turn.enter`, where there is nothing to note: a turn enters each of its layers.
        if run.place.level >= level or turn.before_agent or turn.before_save or run.events:
            turn.enter(place)
        else:
            run.place = place
        return layer(turn, send, handler)

    return bound
