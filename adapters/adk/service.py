"""Sessions as ADK's session service."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events import Event, EventActions
from google.adk.sessions import BaseSessionService, Session, State
from google.adk.sessions.base_session_service import GetSessionConfig, ListSessionsResponse

from memwrap.adapters.adk.state import lasting, recent, state_of
from memwrap.adapters.plugs import SessionPlug, check_store
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item, repaired
from memwrap.pairing import output_key, pairs
from memwrap.sessions.base import StoreLike
from memwrap.sessions.resolve import resolve

__all__ = ["MemwrapSessionService"]

Key = Callable[[str, str, str], str]

# What is kept beside the conversations, in sessions that no conversation can have the id of.
_STATE, _SESSIONS = "//state", "//sessions"
_BEGUN, _DELETED = "memwrap_begun", "memwrap_deleted"


class MemwrapSessionService(BaseSessionService):
    """A store as the session service of ADK's runners.

    Each event is stored as it is appended. A conversation is the session
    ``"{app_name}/{user_id}/{session_id}"`` of the store, which any other agent may go on with.
    State is replayed from the changes that events tell of; that of ``app:`` and ``user:`` is shared
    by the sessions of the app or the user, that of ``temp:`` is not stored. Events are appended,
    and nothing is overwritten: a session object that others have gone on without is never stale.

    Args:
        store: Where conversations are kept, by their ids.
        key: ``key(app_name, user_id, session_id)`` returns the id of a conversation in the store.

    Raises:
        ConfigurationError: *store* is no store.
    """

    def __init__(self, store: StoreLike, *, key: Key | None = None) -> None:
        check_store(store, type(self).__name__)
        self.store = store
        self._key = key or "{}/{}/{}".format

    async def create_session(
        self,
        *,
        app_name: str,
        user_id: str,
        state: dict[str, Any] | None = None,
        session_id: str | None = None,
    ) -> Session:
        """Begin a session with a state.

        Raises:
            AlreadyExistsError: There is a session of that id.
        """
        session_id = (session_id or "").strip() or str(uuid.uuid4())
        plug = self._conversation(app_name, user_id, session_id)
        if await plug.load(1, is_exact=True):
            raise AlreadyExistsError(f"Session with id {session_id} already exists.")
        begun = _note(_BEGUN, session_id, lasting(state or {}))
        await self._share(app_name, user_id, begun)
        await self._beside(app_name, _SESSIONS).append([_note(_BEGUN, user_id)])
        await self._beside(app_name, user_id + _SESSIONS).append([_note(_BEGUN, session_id)])
        await plug.append([begun])
        return await self._loaded(app_name, user_id, session_id, [begun])

    async def get_session(
        self,
        *,
        app_name: str,
        user_id: str,
        session_id: str,
        config: GetSessionConfig | None = None,
    ) -> Session | None:
        """Return a session with those of its events that *config* asks for; None if there is none.

        Calls that were never answered are left out.
        """
        plug = self._conversation(app_name, user_id, session_id.strip())
        items: list[Item] = await plug.session.get_items()
        if not items:
            return None
        events = plug.adapter.from_items(_repaired(items))
        session = await self._loaded(app_name, user_id, session_id.strip(), events)
        session.events = recent([event for event in events if not _is_note(event)], config)
        return session

    async def list_sessions(
        self, *, app_name: str, user_id: str | None = None
    ) -> ListSessionsResponse:
        """Return the sessions of a user, or of all users, without their events; oldest first."""
        users = [user_id]
        if user_id is None:
            users = list(_left(await self._beside(app_name, _SESSIONS).load(is_exact=True)))
        found: list[Session] = []
        for user in users:
            begun = await self._beside(app_name, f"{user}{_SESSIONS}").load(is_exact=True)
            for session_id in _left(begun):
                session = await self.get_session(
                    app_name=app_name, user_id=str(user), session_id=session_id
                )
                found += [] if session is None else [session.model_copy(update={"events": []})]
        found.sort(key=lambda session: (session.last_update_time, session.user_id, session.id))
        return ListSessionsResponse(sessions=found)

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Remove a session with all its events; what it changed of shared state stays."""
        await self._conversation(app_name, user_id, session_id.strip()).clear()
        index = self._beside(app_name, user_id + _SESSIONS)
        await index.append([_note(_DELETED, session_id.strip())])

    async def append_event(self, session: Session, event: Event) -> Event:
        """Store an event, and append it to *session*; partial events are neither.

        Raises:
            SessionNotFoundError: The session has been deleted.
        """
        if event.partial:
            return event
        plug = self._conversation(session.app_name, session.user_id, session.id)
        if not await plug.load(1, is_exact=True):
            raise SessionNotFoundError(f"Session {session.id} not found.")
        stored = event.model_copy(
            update={
                "actions": event.actions.model_copy(
                    update={"state_delta": lasting(event.actions.state_delta)}
                )
            }
        )
        await plug.append([stored])
        await self._share(session.app_name, session.user_id, stored)
        await super().append_event(session, event)
        session.last_update_time = event.timestamp
        return event

    async def get_user_state(self, *, app_name: str, user_id: str) -> dict[str, Any]:
        """Return the state that a user's sessions share, without the prefix of its keys."""
        state = state_of(await self._beside(app_name, user_id + _STATE).load(is_exact=True))
        return {key.removeprefix(State.USER_PREFIX): value for key, value in state.items()}

    async def _loaded(
        self, app_name: str, user_id: str, session_id: str, events: Iterable[Event]
    ) -> Session:
        """Return a session with its state, and without events."""
        events = list(events)
        state = state_of(events)
        for prefix, place in ((State.APP_PREFIX, _STATE), (State.USER_PREFIX, user_id + _STATE)):
            state = {key: state[key] for key in state if not key.startswith(prefix)}
            state |= state_of(await self._beside(app_name, place).load(is_exact=True))
        times = [event.timestamp for event in events]
        return Session(
            id=session_id,
            app_name=app_name,
            user_id=user_id,
            state=state,
            last_update_time=max(times, default=0.0),
        )

    async def _share(self, app_name: str, user_id: str, event: Event) -> None:
        """Keep what an event changes of the state that sessions share."""
        changes = event.actions.state_delta
        for prefix, place in ((State.APP_PREFIX, _STATE), (State.USER_PREFIX, user_id + _STATE)):
            shared = {key: changes[key] for key in changes if key.startswith(prefix)}
            if shared:
                await self._beside(app_name, place).append([_note(_BEGUN, "", shared)])

    def _conversation(self, app_name: str, user_id: str, session_id: str) -> SessionPlug[Event]:
        return self._plug(self._key(app_name, user_id, session_id))

    def _beside(self, app_name: str, place: str) -> SessionPlug[Event]:
        return self._plug(f"{app_name}/{place}")

    def _plug(self, session_id: str) -> SessionPlug[Event]:
        session = resolve(session_id, self.store)
        if session is None:
            raise ConfigurationError(
                "MemwrapSessionService(key=...) returned None; it returns the id of a session"
            )
        adapter: Any = sys.modules["memwrap.adapters.adk"]
        return SessionPlug(session, adapter)


def _note(kind: str, name: str, state: dict[str, Any] | None = None) -> Event:
    """Return an event that only memwrap sees: it says what was begun or deleted, or a state."""
    actions = EventActions(state_delta=state or {})
    told = {kind: name}
    return Event(author="user", actions=actions, custom_metadata=told, timestamp=time.time())


def _is_note(event: Event) -> bool:
    return event.content is None and bool((event.custom_metadata or {}).keys() & {_BEGUN, _DELETED})


def _left(notes: Iterable[Event]) -> dict[str, None]:
    """Return the names that were begun and not deleted since, in their order."""
    left: dict[str, None] = {}
    for note in notes:
        for kind, name in (note.custom_metadata or {}).items():
            if kind == _BEGUN:
                left[name] = None
            elif kind == _DELETED:
                left.pop(name, None)
    return left


def _repaired(items: list[Item]) -> list[Item]:
    """Return items without open calls and orphan outputs.

    A tool that runs long answers more than once; its later outputs stay.
    """
    first = {output for _, output in pairs(items)}
    answered = {output_key(items[place]) for place in first}
    again = {
        place
        for place, item in enumerate(items)
        if place not in first and output_key(item) in answered and output_key(item) is not None
    }
    rest = [item for place, item in enumerate(items) if place not in again]
    kept = set(map(id, repaired(rest)))
    return [item for place, item in enumerate(items) if place in again or id(item) in kept]
