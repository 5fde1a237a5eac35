"""One turn: the input, history and new items of one call of an agent, and what layers add."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias

from memwrap.attempts import OUTSIDE, Entry, Place, begin_again, nothing_sent
from memwrap.dialects import Adapter, PutBack, Rebuild
from memwrap.foreign import converted
from memwrap.items import Item
from memwrap.lists import Kept, Recorded, View
from memwrap.returned import Given, not_among, without_given
from memwrap.sessions.base import Session
from memwrap.usage import Usage
from memwrap.values import is_value, message_of
from memwrap.window import PastCut, Windows

__all__ = ["Event", "Handler", "Kept", "Middleware", "Recorded", "Run", "Send", "Turn", "View"]

Event: TypeAlias = Any
"""One thing the caller receives."""

Send: TypeAlias = Callable[[Event], Awaitable[None]]
"""Hands one event outwards; returns when the receiver is ready for the next."""

Handler: TypeAlias = "Callable[[Turn, Send], Awaitable[None]]"
"""Runs a turn: to a layer, the agent with all the layers further in."""


class Middleware(Protocol):
    """A layer around a turn.

    A plain ``async def`` of three arguments is one; an object with options is one that defines
    ``__call__``. One instance serves many agents and turns at once, so what belongs to a turn
    lives in ``turn.state``, never on ``self``.
    """

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn: await ``handler(turn, send)`` once, not at all, or again."""
        ...


class Caller(Protocol):
    """The thread that waits for a synchronous agent."""

    async def do(self, context: Context, function: Callable[..., Any], *args: Any) -> Any:
        """Call *function* in that thread, in *context*."""
        ...


_NO_ENTRIES: Mapping[int, Entry] = MappingProxyType({})


class Run:
    """How a turn is run: state that memwrap's own parts share, and layers do not need.

    Attributes:
        agent: The callable.
        args: The caller's positional arguments after the input.
        kwargs: The caller's other arguments.
        adapter: Converts input and results.
        put_back: Makes the agent's first argument; None if the adapter alone does.
        rebuild: Makes a stored result again; None if the adapter alone does.
        parent: The turn in which the agent was called, or None.
        events: What the agent sent and recorded so far.
        watch: Awaits a part of the turn that is `Memory`'s: ``watch("load", work)``, for who
            measures it; None for nobody.
        fate: What becomes of a turn that a layer does not allow: nothing of it is stored
            (``"discard"``), or what it has is stored, where no agent sees it (``"quarantine"``).
        given: The list of messages that the agent was given; None if it was no list.
        is_open: Whether `Memory` holds the session.
        is_over: Whether it is too late to record anything.
        is_stopped: Whether the caller has left the stream.
        opened: The turn in the store, while it is open.
        caller: The thread of a synchronous agent.
        windows: What the layers need of the past; None for all of it.
        cut: Where layers cut the history, and have cut it in earlier turns; None if no layer asks
            for a window, or the turn has no memory.
        place: The place that the turn has entered last.
        left: The place outside of the agent, when the turn has reached it.
        texts_since: The place of `Memory`, if it found nothing but texts in the history: they are
            not looked at again if no layer has been in between.
        entries: What the turn had when it entered places, by their level.
            What had nothing has no entry.
        returned: What a synchronous generator returned.
        is_unread: Whether a stream waits for its reader; None if it has sent nothing.
        task: That of a stream.
    """

    __slots__ = (
        *("adapter", "agent", "args", "caller", "cut", "entries", "events", "fate", "given"),
        *("is_open", "is_over", "is_stopped", "is_unread", "kwargs", "left", "opened", "parent"),
        *("place", "put_back", "rebuild", "returned", "task", "texts_since", "watch", "windows"),
    )

    def __init__(
        self,
        agent: Callable[..., Any],
        adapter: Adapter,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        *,
        put_back: PutBack | None,
        rebuild: Rebuild | None,
        parent: Turn | None,
        windows: Windows | None,
    ) -> None:
        self.agent = agent
        self.adapter = adapter
        self.args = args
        self.kwargs = kwargs
        self.put_back = put_back
        self.rebuild = rebuild
        self.parent = parent
        self.events: list[Event] = []
        self.fate: Literal["", "discard", "quarantine"] = ""
        self.given: Given | None = None
        self.is_open = False
        self.is_stopped = False
        self.is_over = False
        self.is_unread: bool | None = None
        self.task: asyncio.Task[None] | None = None
        self.opened: Any = None
        self.caller: Caller | None = None
        self.windows = windows
        self.cut: PastCut | None = None
        self.place = self.left = OUTSIDE
        self.texts_since: Place | None = None
        self.entries: Mapping[int, Entry] = _NO_ENTRIES
        self.returned: Any = None
        self.watch: Callable[[str, Awaitable[Any]], Awaitable[Any]] | None = None

    def take_back(self, begin: int) -> None:
        """Drop what an attempt recorded, unless it sent events too: those have been delivered."""
        if all(isinstance(event, Recorded) for event in self.events[begin:]):
            del self.events[begin:]

    @property
    def sent(self) -> list[Event]:
        """The result of a call, or the events of a stream."""
        return [event for event in self.events if not isinstance(event, Recorded)]

    def items_of(self, events: Sequence[Event]) -> list[Item]:
        """Turn what an agent sent and recorded into items: what is new of a list that it was given.

        Raises:
            ConversionError: The adapter does not know what was sent.
        """
        items: list[Item] = []
        sent: list[Event] = []

        def convert() -> None:
            if sent:
                items.extend(converted(self.adapter.to_items, sent, role="assistant"))
                sent.clear()

        for event in events:
            if isinstance(event, Recorded):
                convert()
                items += event
            elif isinstance(event, str):
                sent.append(event)
            elif self.put_back is None and is_value(event):
                convert()
                items.append(message_of(event))
            else:
                sent.append(without_given(event, self.given, self.adapter.to_items))
        convert()
        return items

    @property
    def appended(self) -> list[Any]:
        """What the agent has appended to its list; nothing if it recorded what it did."""
        if self.given is None or not self.given.has_grown:
            return []
        is_recorded = any(isinstance(event, Recorded) for event in self.events)
        return [] if is_recorded else self.given.appended


class Turn:
    """One call of an agent, from start to finish.

    Attributes:
        input: The caller's input as items: the agent sees it after the history, and it is stored.
        history: The stored past that the agent will see; a layer may cut or change it, which
            never touches the store.
        new_items: What the agent added; empty until the handler inside `Memory` returns.
        session: The session of the turn, or None when it has no memory.
        id: The caller's name for the turn, or None.
        state: Data that layers keep for this turn.
        metadata: What layers want to be stored beside the turn: a dict that JSON can hold, up to
            64 KiB. Stores of memwrap keep it; a session with the four methods has no place for it.
        usage: The tokens that the turn cost, if a layer counts them; stored like *metadata*.
        before_agent: Functions from `View` to `View`, applied in order to what the agent will
            see; what is stored stays as it is.
        before_save: Functions from `Kept` to `Kept`, applied in order to what is about to be
            stored; what agent and caller see stays as it is. When one raises, nothing is stored.
        streaming: Whether the caller iterates over events, or gets one result.
        run: How the turn is run; not for layers.
    """

    __slots__ = (
        *("before_agent", "before_save", "history", "id", "input", "new_items", "run", "session"),
        *("metadata", "state", "streaming", "usage"),
    )

    def __init__(
        self,
        agent: Callable[..., Any],
        input: list[Item],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        adapter: Adapter,
        session: Session | None = None,
        id: str | None = None,
        streaming: bool = False,
        parent: Turn | None = None,
        put_back: PutBack | None = None,
        rebuild: Rebuild | None = None,
        windows: Windows | None = None,
    ) -> None:
        self.input = input
        self.run = Run(
            agent,
            adapter,
            args,
            kwargs or {},
            put_back=put_back,
            rebuild=rebuild,
            parent=parent,
            windows=windows,
        )
        self.history: list[Item] = []
        self.new_items: list[Item] = []
        self.session = session
        self.id = id
        self.state: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.usage: Usage | None = None
        self.before_agent: list[Callable[[View], View]] = []
        self.before_save: list[Callable[[Kept], Kept]] = []
        self.streaming = streaming

    def __repr__(self) -> str:
        session = "no session" if self.session is None else f"session {self.session_id!r}"
        return (
            f"<Turn {session}: {len(self.history)} items of history, {len(self.input)} of input,"
            f" {len(self.new_items)} new>"
        )

    def enter(self, place: Place) -> None:
        """Enter a place of the chain.

        A layer that calls its handler again begins a new attempt: what the attempt before appended
        to hooks is gone then, and what it recorded, unless it sent events too.
        """
        run = self.run
        if run.place.level >= place.level:
            hooks = self.before_agent, self.before_save
            first, run.entries = begin_again(hooks, run.entries, run.place.level, place.level)
            run.take_back(first.events)
            run.place = Place(place.level - 1, first.name)
        if self.before_agent or self.before_save or run.events:
            counts = len(self.before_agent), len(self.before_save), len(run.events)
            run.entries = {**run.entries, place.level: Entry(*counts, run.place.name)}
        run.left, run.place = run.place, place

    def layer_of(self, where: str, index: int) -> str:
        """Return the name of the layer that a hook is of; empty if nobody knows.

        Args:
            where: ``"before_agent"`` or ``"before_save"``.
            index: The place of the function there.
        """
        entries = sorted(self.run.entries.items())
        return next((entry.name for _, entry in entries if getattr(entry, where) > index), "")

    @property
    def session_id(self) -> str | None:
        """The id of the session, or None when the turn has no memory."""
        return getattr(self.session, "session_id", None)

    def collect(self, held: Sequence[Event] = ()) -> list[Item]:
        """Turn what the agent sent and recorded so far into items, in the order it happened.

        What it has appended to its list comes before the rest of what it sent.

        Args:
            held: Events that a layer holds back, which come last.

        Raises:
            TurnError: No layer sent an event, and the turn is a call or never reached the agent.
            ConversionError: The adapter does not know what was sent.
        """
        events = [*self.run.events, *held] if held else self.run.events
        if appended := self.run.appended:
            known = converted(self.run.adapter.to_items, appended, role="assistant")
            given = self.run.items_of([event for event in events if event is not None])
            return known + not_among(given, known)
        if len(events) == 1 and isinstance(events[0], str):
            return converted(self.run.adapter.to_items, events[0], role="assistant")
        is_forgotten = not self.streaming or bool(self.run.place.name)
        if is_forgotten and all(isinstance(event, Recorded) for event in events):
            raise nothing_sent(self.run.place)
        return self.run.items_of(events)
