"""How a remembering callable is run: its session is found, its turn begun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from memwrap import sync_tasks, tasks
from memwrap.arguments import Arguments, check_turn_id, refuse_turn_id_alone
from memwrap.codec import copy_items
from memwrap.context import MASKED, UNSET, MaybeSession, scope
from memwrap.dialects import Adapter, Kind, Method
from memwrap.exceptions import ConfigurationError, ConversionError
from memwrap.foreign import converted
from memwrap.items import Item
from memwrap.names import name_of
from memwrap.sessions.base import Session, StoreLike
from memwrap.sessions.resolve import resolve
from memwrap.trust import received
from memwrap.turn import Handler, Turn
from memwrap.window import Windows

__all__ = ["Find", "Plan"]

Find: TypeAlias = Callable[[tuple[Any, ...], Mapping[str, Any]], Any]
"""``find(args, kwargs)`` returns a value among the caller's arguments, or UNSET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one callable is run: made once, when it is wrapped.

    Attributes:
        method: The callable, how it is called, and where it takes messages and session.
        streaming: Whether the callable yields events.
        handler: The layers, with the endpoint in them.
        adapter: Converts input and results.
        session: The session of the decorator.
        store: Where ids become sessions.
        key: ``(name, find)``: the session parameter, and ``find(args, kwargs)``, which returns
            its value, UNSET, or MASKED where it is that of a turn around.
        input_name: The name of the first parameter.
        is_method: Whether the callable is defined in a class body and not bound yet.
        takes_session: Whether the callable has a parameter ``session`` of its own.
        takes_turn_id: Whether the callable has a parameter ``turn_id`` of its own.
        session_place: The index of ``session`` among the positional arguments after the input.
        windows: What the layers need of the past; None for all of it.
        arguments: What a function takes besides its input; None if nobody knows.
        call: `tasks.call` under the agent's name, by which Python warns of a forgotten ``await``.
    """

    method: Method
    streaming: bool
    handler: Handler
    adapter: Adapter
    session: MaybeSession = UNSET
    store: StoreLike | None = None
    key: tuple[str, Find] | None = None
    input_name: str | None = None
    is_method: bool = False
    takes_session: bool = False
    takes_turn_id: bool = False
    session_place: int | None = None
    windows: Windows | None = None
    arguments: Arguments | None = None
    call: Callable[[Handler, Turn], Coroutine[Any, Any, Any]] = tasks.call

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
        if self.arguments is not None and (args or kwargs or self.arguments.required):
            known = {**kwargs, "session": None} if self.takes_session else kwargs
            self.arguments.check(name_of(agent), args, known)
        place = self.session_place
        if given is UNSET and place is not None and place < len(args):
            session = self._session(agent, args[place], args, kwargs)
            args = (*args[:place], session, *args[place + 1 :])
        else:
            session = self._session(agent, given, args, kwargs)
            if self.takes_session:
                kwargs["session"] = session
        if session is None and turn_id is not None and not self.takes_turn_id:
            refuse_turn_id_alone(name_of(agent), turn_id)
        method = self.method
        input, put_back = (input, None) if method.split is None else method.split(input)
        turn = Turn(
            agent,
            self._items(agent, input),
            args,
            kwargs,
            adapter=self.adapter,
            session=session,
            id=turn_id,
            streaming=self.streaming,
            parent=scope.get().turn,
            put_back=put_back,
            rebuild=method.rebuild,
            windows=self.windows,
        )
        if method.kind is Kind.CALL:
            return self.call(self.handler, turn)
        return self._run(agent, turn)

    def _run(self, agent: Callable[..., Any], turn: Turn) -> Any:
        method = self.method
        if method.kind is Kind.STREAM:
            events: Any = tasks.stream(self.handler, turn)
        else:
            self._refuse_running_loop(agent)
            if method.kind is Kind.SYNC_CALL:
                return sync_tasks.sync_call(self.handler, turn)
            events = sync_tasks.sync_stream(self.handler, turn)
        return events if method.show is None else method.show(events)

    def _items(self, agent: Callable[..., Any], input: Any) -> list[Item]:
        if type(input) is str:
            items = converted(self.adapter.to_items, input)
            return items if type(items) is list else copy_items(items)
        try:
            # The caller may change its input after the call.
            return copy_items(converted(self.adapter.to_items, received(input)))
        except ConversionError as exc:
            exc.args = (f"{name_of(agent)}: {exc.args[0]}", *exc.args[1:])
            raise

    def _session(
        self,
        agent: Callable[..., Any],
        given: MaybeSession,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Session | None:
        """Return the session of the call, its key, its surroundings or the decorator, or None."""
        if given is UNSET and self.key is not None:
            name, find = self.key
            given = find(args, kwargs)
            if given is MASKED:
                return None
            if given is None:
                raise ConfigurationError(
                    f"{name_of(agent)}(): {name} is None, which names no session; pass an id, or"
                    " session=None for a call without memory"
                )
        if given is UNSET:
            given = scope.get().session
        if given is UNSET:
            given = self.session
        if given is not UNSET:
            return resolve(given, self.store)
        if self.key is None and self.store is None:
            return None
        missing, way = ("session", "session=<id>") if self.key is None else (self.key[0], "it")
        raise ConfigurationError(
            f"{name_of(agent)} remembers, and no {missing} was given, so that it has nothing to"
            f" remember in: pass {way}, call it within `with use_session(<id>):`, or pass"
            " session=None for a call without memory"
        )

    def _refuse_running_loop(self, agent: Callable[..., Any]) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        method = self.method
        way = f"use .{method.instead}(...)" if method.instead else "make the agent `async def`"
        raise ConfigurationError(
            f"{name_of(agent)} is a {method.kind.value}, and an event loop runs in this thread,"
            f" which it would block: {way}, or `await asyncio.to_thread(...)` it"
        )
