"""What type checkers see of remembering agent objects: their own type, or that and more.

No type says "this class, with these methods besides". An object whose methods can do what they
could before, and take ``session=`` among their options, keeps its type. One that gets methods which
it has not, or whose methods take and return more, is told by what it has, and gets a type with a
base of any type: what that does not declare is as in the object's own class.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypedDict, TypeVar, Unpack

from memwrap.items import Input
from memwrap.sessions.base import SessionLike

__all__ = [
    "Delegate",
    "DelegateMethods",
    "DelegateOptions",
    "Prompted",
    "PromptedMethods",
    "RunState",
    "SessionDelegate",
    "SessionPrompted",
    "SessionStateful",
    "Stateful",
    "StatefulMethods",
]


R_co = TypeVar("R_co", covariant=True)  # a result
S_co = TypeVar("S_co", covariant=True)  # a block with a streamed result
E_co = TypeVar("E_co", covariant=True)  # a block with events
I_co = TypeVar("I_co", covariant=True)  # a block with a run

if TYPE_CHECKING:
    Own = Any  # whatever the object is of itself
else:
    Own = object  # when the program runs, nothing is of these types


class Delegate(Protocol):
    """An agent object that others run and hand over to: it has no method of its own for that."""

    @property
    def handoffs(self) -> Any:
        """The agents that this one may hand over to."""
        ...

    @property
    def tool_use_behavior(self) -> Any:
        """What follows the use of a tool."""
        ...

    def clone(self, **kwargs: Any) -> Any:
        """Return a copy with other attributes."""
        ...


class DelegateOptions(TypedDict, total=False):
    """What the methods of a `SessionDelegate` take besides the input."""

    session: SessionLike
    turn_id: str
    context: Any
    max_turns: int | None
    hooks: Any
    run_config: Any
    error_handlers: Any


class DelegateMethods(Protocol):
    """What a `Delegate` can do in addition when it remembers."""

    async def __call__(self, input: Input, /, **options: Unpack[DelegateOptions]) -> Any:
        """Do what `run` does."""
        ...

    async def run(self, input: Input, /, **options: Unpack[DelegateOptions]) -> Any:
        """Run the agent and return the result."""
        ...

    def run_sync(self, input: Input, /, **options: Unpack[DelegateOptions]) -> Any:
        """Do what `run` does, without an event loop."""
        ...

    def run_streamed(self, input: Input, /, **options: Unpack[DelegateOptions]) -> Any:
        """Run the agent and return its events, with the result behind them."""
        ...

    def clone(self, **kwargs: Any) -> Self:
        """Return a copy with other attributes, which remembers too."""
        ...

    def on(self, session: SessionLike, *, turn_id: str | None = None) -> Self:
        """Return the agent bound to a session."""
        ...


class SessionDelegate(DelegateMethods, Own):  # type: ignore[misc]
    """A `Delegate` that remembers."""


class Stateful(Protocol):
    """An agent object whose runs take and return a state, with the messages in it."""

    @property
    def channels(self) -> Any:
        """What the state consists of."""
        ...

    def get_state(self, config: Any, /) -> Any:
        """Return the state that the last run left."""
        ...


class RunState(dict[str, Any], Own):  # type: ignore[misc]
    """The state that a run returns.

    Attributes:
        new_messages: What the run added.
    """

    new_messages: list[Any]


class StatefulMethods(Protocol):
    """How a `Stateful` object is run when it remembers: by a state, or by messages alone."""

    async def ainvoke(
        self,
        input: Any,
        config: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> RunState:
        """Run the agent and return its state."""
        ...

    def invoke(
        self,
        input: Any,
        config: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> RunState:
        """Do what `ainvoke` does, without an event loop."""
        ...

    def astream(
        self,
        input: Any,
        config: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> AsyncGenerator[Any, None]:
        """Run the agent and return its events."""
        ...

    def stream(
        self,
        input: Any,
        config: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> Generator[Any, None, None]:
        """Do what `astream` does, without an event loop."""
        ...

    async def abatch(
        self,
        inputs: Sequence[Any],
        config: Any = None,
        *,
        session: SessionLike | Sequence[SessionLike] = ...,
        **options: Any,
    ) -> list[RunState]:
        """Make a turn of each input."""
        ...

    def batch(
        self,
        inputs: Sequence[Any],
        config: Any = None,
        *,
        session: SessionLike | Sequence[SessionLike] = ...,
        **options: Any,
    ) -> list[RunState]:
        """Do what `abatch` does, without an event loop."""
        ...

    def on(self, session: SessionLike, *, turn_id: str | None = None) -> Self:
        """Return the agent bound to a session."""
        ...


class SessionStateful(StatefulMethods, Own):  # type: ignore[misc]
    """A `Stateful` agent that remembers."""


class Prompted(Protocol[R_co, S_co, E_co, I_co]):
    """An agent object with a method of its own for each way to run it by a prompt."""

    def run_sync(self, user_prompt: str, /, *, deps: Any) -> R_co:
        """Run the agent and return the result, without an event loop."""
        ...

    def run_stream(self, user_prompt: str, /, *, deps: Any) -> S_co:
        """Return a block with the result, which is streamed."""
        ...

    def run_stream_events(self, user_prompt: str, /, *, deps: Any) -> E_co:
        """Return a block with the events of a run."""
        ...

    def iter(self, user_prompt: str, /, *, deps: Any) -> I_co:
        """Return a block with a run, to go through its steps."""
        ...


class PromptedMethods(Protocol[R_co, S_co, E_co, I_co]):
    """How a `Prompted` agent is run when it remembers."""

    async def run(
        self,
        user_prompt: Any,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> R_co:
        """Run the agent and return the result."""
        ...

    def run_sync(
        self,
        user_prompt: Any,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> R_co:
        """Do what `run` does, without an event loop."""
        ...

    def run_stream(
        self,
        user_prompt: Any,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> S_co:
        """Return a block with the result, which is streamed."""
        ...

    def run_stream_events(
        self,
        user_prompt: Any,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> E_co:
        """Return a block with the events of the run."""
        ...

    def iter(
        self,
        user_prompt: Any,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> I_co:
        """Return a block with the run, to go through its steps."""
        ...

    def on(self, session: SessionLike, *, turn_id: str | None = None) -> Self:
        """Return the agent bound to a session."""
        ...


class SessionPrompted(PromptedMethods[R_co, S_co, E_co, I_co], Own):  # type: ignore[misc]
    """A `Prompted` agent that remembers."""
