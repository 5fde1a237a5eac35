"""How an agent is called."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from memwrap.dialects import Kind
from memwrap.exceptions import ConfigurationError

__all__ = ["kind_of"]


def _refuse_option(agent: Any) -> None:
    """Refuse what is an option of `with_session`, and was passed by position as the agent."""
    kind = type(agent).__name__
    if callable(getattr(agent, "session", None)):
        option = f"a store ({kind})", "store=..."
    elif callable(getattr(agent, "get_items", None)):
        option = f"a session ({kind})", "session=..."
    else:
        return
    raise ConfigurationError(
        f"with_session was given {option[0]} where the agent belongs; name it:"
        f" with_session({option[1]})"
    )


def kind_of(agent: Any) -> Kind:
    """Return how *agent* is called, by its own code or that of its ``__call__``.

    Raises:
        ConfigurationError: It cannot be called.
    """
    function = agent.__func__ if isinstance(agent, (classmethod, staticmethod)) else agent
    while isinstance(function, functools.partial):
        function = function.func
    if not (inspect.isroutine(function) or callable(function)):
        _refuse_option(agent)
        raise ConfigurationError(
            f"an object of type {type(agent).__name__} cannot be called, and is no agent of a"
            " framework that memwrap knows; pass a function, or with_session(adapter=...) with"
            " methods() and answer(). Options have names: session=, store=, middleware="
        )
    if not inspect.isroutine(function):
        function = type(function).__call__
    if inspect.iscoroutinefunction(function):
        return Kind.CALL
    if inspect.isasyncgenfunction(function):
        return Kind.STREAM
    if inspect.isgeneratorfunction(function):
        return Kind.SYNC_STREAM
    return Kind.SYNC_CALL
