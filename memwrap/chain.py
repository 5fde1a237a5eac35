"""A list of middleware becomes one handler."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Sequence
from typing import Protocol, runtime_checkable

from memwrap.attempts import OUTSIDE, Place, forgot_send
from memwrap.exceptions import ConfigurationError
from memwrap.turn import Handler, Middleware, Send, Turn
from memwrap.window import NeedsPast, Window

__all__ = [
    "Ordered",
    "Positioned",
    "Requiring",
    "build_chain",
    "check_order",
    "check_positions",
    "name_of_layer",
    "place_of",
]


def build_chain(middleware: Sequence[Middleware], endpoint: Handler) -> Handler:
    """Wrap *endpoint*; the first of the list is the outermost.

    Raises:
        ConfigurationError: A layer is not callable with three arguments, or is a class where an
            instance is due.
    """
    handler = endpoint
    places = [
        OUTSIDE,
        *(Place(level, name_of_layer(layer)) for level, layer in enumerate(middleware)),
    ]
    for level, layer in reversed([*enumerate(middleware)]):
        _check(layer)
        handler = _bind(layer, handler, places[level], places[level + 1])
    return handler


@runtime_checkable
class Positioned(Protocol):
    """A layer that may make sense on one side of `Memory` only.

    Attributes:
        within_memory: Whether it stands behind `Memory` in the list, nearer to the agent, or
            before it; None for either.
    """

    within_memory: bool | None


@runtime_checkable
class Ordered(Protocol):
    """A layer that has to stand inside or outside of others, where they are in the list too.

    Attributes:
        inside_of: The classes of layers that stand before it in the list.
        outside_of: The classes of layers that stand behind it.
    """

    inside_of: Sequence[type]
    outside_of: Sequence[type]


def check_positions(middleware: Sequence[Middleware], memories: Sequence[int]) -> None:
    """Refuse a second `Memory`, and layers that stand on the wrong side of it.

    Args:
        middleware: The layers, the first outermost.
        memories: The places of those that are a `Memory`; one at least.

    Raises:
        ConfigurationError: A layer does nothing where it stands.
    """
    memory = name_of_layer(middleware[memories[0]])
    if len(memories) > 1:
        raise ConfigurationError(
            f"middleware holds {memory} and {name_of_layer(middleware[memories[1]])}, which would"
            " wait for each other: an agent remembers by one Memory; leave the other out"
        )
    for place, layer in enumerate(middleware):
        wanted = _wanted_side(layer)
        if place == memories[0] or wanted in {None, place > memories[0]}:
            continue
        way = f"behind {memory}, which loads the history" if wanted else f"before {memory}"
        raise ConfigurationError(
            f"the layer {name_of_layer(layer)} does nothing where it stands in middleware: put it"
            f" {way}"
        )


@runtime_checkable
class Requiring(Protocol):
    """A layer that does nothing without others.

    Attributes:
        requires: The classes of layers that have to be in the list too.
    """

    requires: Sequence[type]


def check_order(middleware: Sequence[Middleware]) -> None:
    """Refuse layers that stand on the wrong side of each other, or miss each other.

    Raises:
        ConfigurationError: A layer says that it has to stand elsewhere, or what it needs.
    """
    for place, layer in enumerate(middleware):
        for kind in layer.requires if isinstance(layer, Requiring) else ():
            if not any(isinstance(other, kind) for other in middleware):
                raise ConfigurationError(
                    f"the layer {name_of_layer(layer)} does nothing without {kind.__qualname__}:"
                    f" put {kind.__qualname__}() into middleware, behind it"
                )
        if not isinstance(layer, Ordered):
            continue
        for other in middleware[:place]:
            if isinstance(other, tuple(layer.outside_of)):
                raise _wrong_order(layer, other)
        for other in middleware[place + 1 :]:
            if isinstance(other, tuple(layer.inside_of)):
                raise _wrong_order(other, layer)


def place_of(kind: type, middleware: Sequence[Middleware]) -> int:
    """Return the outermost place for a layer: behind those that have to stand outside of it."""
    before = [
        place
        for place, layer in enumerate(middleware, 1)
        if isinstance(layer, Ordered) and issubclass(kind, tuple(layer.outside_of))
    ]
    return max(before, default=0)


def _wrong_order(outer: object, inner: object) -> ConfigurationError:
    first, second = name_of_layer(outer), name_of_layer(inner)
    return ConfigurationError(
        f"the layers {first} and {second} are in the wrong order: put {first} before {second} in"
        " middleware, where the first is outermost"
    )


def _wanted_side(layer: Middleware) -> bool | None:
    """Return whether a layer has to stand behind `Memory`, or before it; None for either."""
    if isinstance(layer, Positioned):
        return layer.within_memory
    return True if isinstance(layer, NeedsPast) and isinstance(layer.window, Window) else None


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


def _bind(layer: Middleware, handler: Handler, outer: Place, place: Place) -> Handler:
    def bound(turn: Turn, send: Send | None = None) -> Awaitable[None]:
        run = turn.run
        # `Turn.enter`, where there is nothing to note: a turn enters each of its layers.
        if run.place is outer and not (turn.before_agent or turn.before_save or run.events):
            run.place = place
        else:
            turn.enter(place)
        if send is None:
            raise forgot_send(outer)
        return layer(turn, send, handler)

    return bound
