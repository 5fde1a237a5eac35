"""What type checkers see of a remembering agent.

The agent's signature with ``session=`` added cannot be written: PEP 612 allows no keyword between
``*args`` and ``**kwargs``. So there are overloads: the agent's own signature, checked in full, and
one with ``session=`` and one with ``turn_id=``, whose other arguments are unchecked. The signature
of an agent that declares ``session: SessionLike = None`` itself covers both. What `on` returns has
the agent's own signature alone, and is checked in full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from memwrap.items import Input
from memwrap.sessions.base import SessionLike
from memwrap.signatures_of_objects import (
    Delegate,
    E_co,
    I_co,
    Prompted,
    R_co,
    S_co,
    SessionDelegate,
    SessionPrompted,
    SessionStateful,
    Stateful,
)
from memwrap.signatures_of_runs import Conversing, Provided, SessionConversing, SessionProvided
from memwrap.signatures_of_workflows import SessionStepwise, Stepwise

__all__ = [
    "BoundAgent",
    "BoundMethod",
    "Decorator",
    "SessionAgent",
    "SessionMethod",
]

P = ParamSpec("P")
A = TypeVar("A")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")
S_contra = TypeVar("S_contra", contravariant=True)


class BoundAgent(Protocol[P, R_co]):
    """A function that remembers, bound to a session: its arguments are checked in full."""

    def __call__(  # noqa: D102
        self, input: Input, /, *args: P.args, **kwargs: P.kwargs
    ) -> R_co: ...
    def on(self, session: SessionLike, *, turn_id: str | None = None) -> BoundAgent[P, R_co]:
        """Return the agent bound to another session."""
        ...


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
    def on(self, session: SessionLike, *, turn_id: str | None = None) -> BoundAgent[P, R_co]:
        """Return the agent bound to a session."""
        ...


class BoundMethod(Protocol[S_contra, P, R_co]):
    """A method that remembers, bound to a session and not to an object."""

    def __call__(  # noqa: D102
        self, instance: S_contra, input: Input, /, *args: P.args, **kwargs: P.kwargs
    ) -> R_co: ...


class SessionMethod(Protocol[S_contra, P, R_co]):
    """A method that remembers."""

    @overload
    def __get__(
        self: SessionMethod[type[T], P, R_co], instance: T | None, owner: type[T], /
    ) -> SessionAgent[P, R_co]: ...
    @overload
    def __get__(self, instance: None, owner: Any = ..., /) -> SessionMethod[S_contra, P, R_co]: ...
    @overload
    def __get__(self, instance: S_contra, owner: Any = ..., /) -> SessionAgent[P, R_co]: ...
    def __call__(  # noqa: D102
        self, instance: S_contra, input: Input, /, *args: Any, **kwargs: Any
    ) -> R_co: ...
    def on(
        self, session: SessionLike, *, turn_id: str | None = None
    ) -> BoundMethod[S_contra, P, R_co]:
        """Return the method bound to a session."""
        ...


class Decorator(Protocol):
    """What `with_session` returns when it is called with options only."""

    # The checker cannot tell a list of messages from any S; the first match is the right one.
    @overload
    def __call__(self, agent: Conversing[R], /) -> SessionConversing[R]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, agent: Callable[Concatenate[list[Any], P], R], /
    ) -> SessionAgent[P, R]: ...
    @overload
    def __call__(
        self, agent: Callable[Concatenate[S, list[Any], P], R], /
    ) -> SessionMethod[S, P, R]: ...
    @overload
    def __call__(self, agent: Delegate, /) -> SessionDelegate: ...
    @overload
    def __call__(self, agent: Stateful, /) -> SessionStateful: ...
    @overload
    def __call__(self, agent: Provided, /) -> SessionProvided: ...
    @overload
    def __call__(
        self, agent: Prompted[R_co, S_co, E_co, I_co], /
    ) -> SessionPrompted[R_co, S_co, E_co, I_co]: ...
    @overload
    def __call__(self, agent: Stepwise, /) -> SessionStepwise: ...
    @overload
    def __call__(self, agent: A, /) -> A: ...
