"""What type checkers see of remembering agent objects that run as workflows, and give a handler."""

from __future__ import annotations

from typing import Any, Protocol, Self

from memwrap.sessions.base import SessionLike
from memwrap.signatures_of_objects import Own

__all__ = ["SessionStepwise", "Stepwise", "StepwiseMethods"]


class Stepwise(Protocol):
    """An agent object whose run is begun and ended by an event, with steps between them."""

    @property
    def start_event_class(self) -> Any:
        """What begins a run."""
        ...

    @property
    def stop_event_class(self) -> Any:
        """What ends a run."""
        ...


class StepwiseMethods(Protocol):
    """How a `Stepwise` agent is run when it remembers."""

    def run(
        self,
        user_msg: Any = None,
        *,
        session: SessionLike = ...,
        turn_id: str = ...,
        **options: Any,
    ) -> Any:
        """Run the agent and return the handler of the run, to await, stream or stop it."""
        ...

    def on(self, session: SessionLike, *, turn_id: str | None = None) -> Self:
        """Return the agent bound to a session."""
        ...


class SessionStepwise(StepwiseMethods, Own):  # type: ignore[misc]
    """A `Stepwise` agent that remembers."""
