"""What `with_session` returns: it looks like the agent, takes ``session=``, and remembers.

Functions, methods and callable objects become a wrapt function wrapper; agent objects become a
proxy whose methods, those that their adapter names, are such wrappers.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import wrapt

from memwrap import bridge, portal
from memwrap.codec import copy_items
from memwrap.context import UNSET, MaybeSession, scope
from memwrap.exceptions import ConfigurationError
from memwrap.sessions.base import Session
from memwrap.turn import Turn
from memwrap.types import Adapter, Arrange, Handler, Kind, Method, StoreLike

__all__ = ["AgentProxy", "Plan", "SessionWrapper", "is_wrapped", "name_of", "proxy_class"]

MAX_TURN_ID = 256
"""How many characters the id of a turn may have."""

_METHODS = ("get_items", "add_items", "pop_item", "clear_session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one callable is run: made once, when it is wrapped.

    Attributes:
        kind: What the callable is.
        streaming: Whether it yields events.
        handler: The layers, with the endpoint in them.
        adapter: Converts input and results.
        session: The session of the decorator.
        store: Where ids become sessions.
        key: The name of the id, and what finds it in the caller's arguments behind the input and
            by name; that returns UNSET if it is in neither.
        input_name: The name of the first parameter.
        is_method: Whether the callable stands in a class body, and so is to be bound.
        takes_session: Whether the callable has a parameter ``session`` of its own.
        takes_turn_id: Whether it has one ``turn_id``.
        session_place: Its place among the positional arguments behind the input, if it has one.
        instead: What to use in a running event loop; for synchronous kinds.
        present: Makes what the caller gets out of the events and the turn.
        bind: Takes the messages out of the caller's input; see `Method`.
    """

    kind: Kind
    streaming: bool
    handler: Handler
    adapter: Adapter
    session: MaybeSession = UNSET
    store: StoreLike | None = None
    key: tuple[str, Callable[[tuple[Any, ...], Mapping[str, Any]], Any]] | None = None
    input_name: str | None = None
    is_method: bool = False
    takes_session: bool = False
    takes_turn_id: bool = False
    session_place: int | None = None
    instead: str | None = None
    present: Callable[[Any, Turn], Any] | None = None
    bind: Callable[[Any], tuple[Any, Arrange]] | None = None

    def start(
        self,
        agent: Callable[..., Any],
        instance: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Begin a turn; return what the agent's own call would, such as a coroutine."""
        if self.is_method and instance is None and args:
            # Not bound yet: from Python 3.13 on, classmethod itself passes the class.
            agent, args = partial(agent, args[0]), args[1:]
        given = kwargs.pop("session", UNSET)
        turn_id = kwargs.get("turn_id") if self.takes_turn_id else kwargs.pop("turn_id", None)
        if turn_id is not None:
            check_turn_id(turn_id)
        if args:
            input, args = args[0], args[1:]
        elif self.input_name in kwargs:
            input = kwargs.pop(self.input_name)
        else:
            raise TypeError(f"{name_of(agent)}() needs the input as its first argument")
        place = self.session_place
        if given is UNSET and place is not None and place < len(args):
            session = self._session(args[place], args, kwargs)
            args = (*args[:place], session, *args[place + 1 :])
        else:
            session = self._session(given, args, kwargs)
            if self.takes_session:
                kwargs["session"] = session
        input, arrange = (input, None) if self.bind is None else self.bind(input)
        items = self.adapter.to_items(input)
        turn = Turn(
            agent,
            # Made of a string they are new; else the caller may go on to change them.
            items if type(input) is str and type(items) is list else copy_items(items),
            args,
            kwargs,
            adapter=self.adapter,
            session=session,
            id=turn_id,
            streaming=self.streaming,
            parent=scope.get().turn,
            arrange=arrange,
        )
        kind = self.kind
        if kind is Kind.CALL:
            return bridge.call(self.handler, turn)
        if kind is not Kind.STREAM:
            self._refuse_running_loop(agent)
        if kind is Kind.SYNC_CALL:
            return portal.sync_call(self.handler, turn)
        run: Any = bridge.stream if kind is Kind.STREAM else portal.sync_stream
        events = run(self.handler, turn)
        return events if self.present is None else self.present(events, turn)

    def _session(
        self, given: MaybeSession, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Session | None:
        """Choose the session: of the call, its key, its surroundings, the decorator; or none."""
        if given is UNSET and self.key is not None:
            name, find = self.key
            given = find(args, kwargs)
            if given is None:
                raise ConfigurationError(
                    f"{name} is None, which names no session; pass an id, or session=None for a"
                    " call without memory"
                )
        if given is UNSET:
            given = scope.get().session
        if given is UNSET:
            given = self.session
        if given is UNSET:
            if self.key is not None:
                raise ConfigurationError(
                    f"no {self.key[0]} was given, and so no session; pass it, or session=None for a"
                    " call without memory"
                )
            return None
        return resolve(given, self.store)

    def _refuse_running_loop(self, agent: Callable[..., Any]) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        way = f"use .{self.instead}(...)" if self.instead else "make the agent `async def`"
        raise ConfigurationError(
            f"{name_of(agent)} is a {self.kind.value}, and an event loop runs in this thread, which"
            f" it would block: {way}, or `await asyncio.to_thread(...)` it"
        )


@lru_cache(maxsize=256)
def _is_session_class(kind: Hashable) -> bool:
    return all(callable(getattr(kind, name, None)) for name in _METHODS)


def resolve(session: Any, store: Any) -> Session | None:
    """Return the session that a `SessionLike` stands for.

    Raises:
        ConfigurationError: It is no session, or an id without a store.
    """
    if session is None:
        return None
    if _is_session_class(type(session)):  # type: ignore[arg-type]  # a class can be hashed
        return session  # type: ignore[no-any-return]
    if isinstance(session, str):
        if store is None:
            raise ConfigurationError(
                f"session {session!r} is an id, and there is no store to find it in: pass"
                " with_session(store=SQLiteStore('chat.db')), or a session object"
            )
        found = getattr(store, "session", store)(session)
        if found is None or isinstance(found, str):
            raise ConfigurationError(
                f"the store gave no session for the id {session!r}; it has to give one for every"
                " id, new ones included"
            )
        return resolve(found, None)
    missing = [name for name in _METHODS if not callable(getattr(session, name, None))]
    if missing or isinstance(session, type):
        raise ConfigurationError(
            f"session is {_kind(session)}, not a session ({_lack(missing)}); pass a session"
            " object, the id of one in the store as a string, or None for no memory"
        )
    return session  # type: ignore[no-any-return]


def check_turn_id(turn_id: object) -> None:
    """Refuse what cannot name a turn.

    Raises:
        ConfigurationError: It is no string, empty, or too long.
    """
    if not isinstance(turn_id, str) or not 0 < len(turn_id) <= MAX_TURN_ID:
        raise ConfigurationError(
            f"a turn_id is a string of 1 to {MAX_TURN_ID} characters, one for each request, such"
            " as the id of the user's message"
        )


class _Signature:
    """Shows the agent's signature with ``session`` in it."""

    @property
    def __signature__(self) -> inspect.Signature:
        signature = inspect.signature(self.__wrapped__)  # type: ignore[attr-defined]
        parameters = list(signature.parameters.values())
        if any(parameter.name == "session" for parameter in parameters):
            return signature
        session = inspect.Parameter("session", inspect.Parameter.KEYWORD_ONLY, default=UNSET)
        variable = bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
        parameters.insert(len(parameters) - variable, session)
        return signature.replace(parameters=parameters)

    @property
    def __func__(self) -> Any:
        # inspect takes a method's kind and signature from here, and drops `self` from it
        return SessionWrapper(self.__wrapped__.__func__, self._self_plan)  # type: ignore[attr-defined]


class _BoundWrapper(_Signature, wrapt.BoundFunctionWrapper[..., Any]):
    """A remembering method of an object."""


class SessionWrapper(_Signature, wrapt.FunctionWrapper[..., Any]):
    """A remembering function."""

    __bound_function_wrapper__ = _BoundWrapper

    def __init__(self, agent: Any, plan: Plan) -> None:
        super().__init__(agent, plan.start)
        self._self_plan = plan


class AgentProxy(wrapt.ObjectProxy[Any]):
    """An agent object, some of whose methods remember."""

    def __init__(self, agent: Any, remembering: dict[str, SessionWrapper]) -> None:
        super().__init__(agent)
        self._self_remembering = remembering


def proxy_class(methods: Mapping[str, Method | Callable[..., Any]]) -> type[AgentProxy]:
    """Return the class of proxies on which these names remember."""

    def remembering(name: str) -> property:
        return property(lambda proxy: proxy._self_remembering[name])  # noqa: SLF001

    members = {
        name: remembering(name) if isinstance(method, Method) else method
        for name, method in methods.items()
    }
    return type("AgentProxy", (AgentProxy,), members)


def is_wrapped(agent: object) -> bool:
    """Tell whether *agent* came out of `with_session` (``isinstance`` sees through proxies)."""
    return issubclass(type(agent), (SessionWrapper, _BoundWrapper, AgentProxy))


def name_of(agent: Any) -> str:
    """Return what errors call *agent*: its own name, or that of its class."""
    return getattr(agent, "__qualname__", None) or type(agent).__qualname__


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of type {type(value).__name__}"


def _lack(missing: list[str]) -> str:
    return f"it has no {', '.join(missing)}" if missing else "an instance of it would be"
