"""What type checkers see of a wrapped agent.

The agent's signature with ``session=`` added cannot be written: PEP 612 allows no keyword between
``*args`` and ``**kwargs``. So there are overloads: the agent's own signature, checked in full, and
one with ``session=`` and one with ``turn_id=``, whose other arguments are unchecked. The signature
of an agent that declares ``session: SessionLike = None`` itself covers both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from memwrap.items import Input, Item
from memwrap.sessions.base import SessionLike

__all__ = ["Decorator", "SessionAgent", "SessionMethod"]

P = ParamSpec("P")
A = TypeVar("A")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)


class SessionAgent(Protocol[P, R_co]):
    """A function that remembers."""

    @overload
    def __call__(self, input: Input, /, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(
        self, input: Input, /, *args: Any, session: SessionLike, **kwargs: Any
    ) -> R_co: ...
    @overload
    def __call__(self, input: Input, /, *args: Any, turn_id: str, **kwargs: Any) -> R_co: ...


class SessionMethod(Protocol[S_contra, P, R_co]):
    """A method that remembers."""

    @overload
    def __get__(self, instance: None, owner: Any = ..., /) -> SessionMethod[S_contra, P, R_co]: ...
    @overload
    def __get__(self, instance: S_contra, owner: Any = ..., /) -> SessionAgent[P, R_co]: ...
    def __call__(  # noqa: D102
        self, instance: S_contra, input: Input, /, *args: Any, **kwargs: Any
    ) -> R_co: ...


class Decorator(Protocol):
    """What `with_session` returns when it is called with options only."""

    # The checker cannot tell an item list from any S; the first match is the right one.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, agent: Callable[Concatenate[list[Item], P], R], /
    ) -> SessionAgent[P, R]: ...
    @overload
    def __call__(
        self, agent: Callable[Concatenate[S, list[Item], P], R], /
    ) -> SessionMethod[S, P, R]: ...
    @overload
    def __call__(self, agent: A, /) -> A: ...
