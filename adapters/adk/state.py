"""ADK's sessions made of events: their state is replayed from the changes that events tell of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.adk.events import Event
from google.adk.sessions import BaseSessionService, Session, State
from google.adk.sessions.base_session_service import GetSessionConfig, ListSessionsResponse

__all__ = ["RunService", "lasting", "recent", "state_of"]


def lasting(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of the state without those that are for one run only."""
    return {key: value for key, value in changes.items() if not key.startswith(State.TEMP_PREFIX)}


def state_of(events: Iterable[Event]) -> dict[str, Any]:
    """Return the state that the changes in events add up to."""
    state: dict[str, Any] = {}
    for event in events:
        state |= lasting(event.actions.state_delta)
    return state


def recent(events: Sequence[Event], config: GetSessionConfig | None) -> list[Event]:
    """Return those of the events that a config asks for: the newest, or those after a time."""
    shown = list(events)
    if config is None:
        return shown
    if config.after_timestamp is not None:
        before = [n for n, event in enumerate(shown) if event.timestamp < config.after_timestamp]
        shown = shown[before[-1] + 1 :] if before else shown
    if config.num_recent_events is not None:
        shown = shown[-config.num_recent_events :] if config.num_recent_events else []
    return shown


class RunService(BaseSessionService):
    """The session service of one run: it has one session, and forgets it.

    Args:
        app_name: The name of the app.
        user_id: The user.
        session_id: The id of the session.
        events: The history.
    """

    def __init__(
        self, app_name: str, user_id: str, session_id: str, events: Sequence[Event]
    ) -> None:
        self._events = events
        self._session = Session(
            id=session_id, app_name=app_name, user_id=user_id, state=state_of(events)
        )
        self._is_given = False

    async def get_session(
        self,
        *,
        app_name: str,  # noqa: ARG002
        user_id: str,  # noqa: ARG002
        session_id: str,  # noqa: ARG002
        config: GetSessionConfig | None = None,
    ) -> Session:
        """Return the session."""
        if not self._is_given:
            self._is_given = True
            self._session.events = recent(self._events, config)
        return self._session

    async def create_session(
        self,
        *,
        app_name: str,  # noqa: ARG002
        user_id: str,  # noqa: ARG002
        state: dict[str, Any] | None = None,  # noqa: ARG002
        session_id: str | None = None,  # noqa: ARG002
    ) -> Session:
        """Return the session, which is there already."""
        return self._session

    async def list_sessions(
        self,
        *,
        app_name: str,  # noqa: ARG002
        user_id: str | None = None,  # noqa: ARG002
    ) -> ListSessionsResponse:
        """Return the session."""
        return ListSessionsResponse(sessions=[self._session.model_copy(update={"events": []})])

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Do nothing: the session ends with the run."""
