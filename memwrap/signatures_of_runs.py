"""What type checkers see of remembering agent objects that one method runs, called or streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from typing import Any, Literal, Protocol, Self, overload

from memwrap.sessions.base import SessionLike
from memwrap.signatures_of_objects import Own, R_co

__all__ = [
    "Conversing",
    "ConversingMethods",
    "Provided",
    "ProvidedMethods",
    "SessionConversing",
    "SessionProvided",
]


class Provided(Protocol):
    """An agent object to which others provide what it knows of a conversation."""

    @property
    def context_providers(self) -> Any:
        """Who provides messages and instructions."""
        ...

    def create_session(self, *, session_id: str | None = None) -> Any:
        """Return a session of the framework's own."""
        ...


class ProvidedMethods(Protocol):
    """How a `Provided` agent is run when it remembers."""

    @overload
    def run(
        self,
        messages: Any = None,
        *,
        stream: Literal[False] = ...,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> Awaitable[Any]: ...
    @overload
    def run(
        self,
        messages: Any = None,
        *,
        stream: Literal[True],
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> Any: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *error: object) -> None: ...
    def on(self, session: SessionLike, *, turn_id: str | None = None) -> Self:
        """Return the agent bound to a session."""
        ...


class SessionProvided(ProvidedMethods, Own):  # type: ignore[misc]
    """A `Provided` agent that remembers."""


class Conversing(Protocol[R_co]):
    """An agent object that holds a conversation in itself, and may be called."""

    @property
    def messages(self) -> Any:
        """The conversation."""
        ...

    def invoke_async(self, prompt: str, /) -> Awaitable[R_co]:
        """Run the agent and return the result."""
        ...

    def stream_async(self, prompt: str, /) -> Any:
        """Run the agent and return its events."""
        ...


class ConversingMethods(Protocol[R_co]):
    """How a `Conversing` agent is run when it remembers."""

    async def invoke_async(
        self,
        prompt: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> R_co:
        """Run the agent and return the result."""
        ...

    def __call__(
        self,
        prompt: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> R_co:
        """Do what `invoke_async` does, without an event loop."""
        ...

    def stream_async(
        self,
        prompt: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> AsyncGenerator[Any, None]:
        """Run the agent and return its events, with the result behind them."""
        ...

    def on(self, session: SessionLike, *, turn_id: str | None = None) -> Self:
        """Return the agent bound to a session."""
        ...


class SessionConversing(ConversingMethods[R_co], Own):  # type: ignore[misc]
    """A `Conversing` agent that remembers."""
