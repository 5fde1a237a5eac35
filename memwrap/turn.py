"""One turn: what a call of an agent brings along, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from memwrap.codec import copy_known
from memwrap.exceptions import TurnError
from memwrap.items import repaired
from memwrap.types import Adapter, Arrange, Event, Item

if TYPE_CHECKING:
    from memwrap.portal import Caller
    from memwrap.sessions.base import Session
    from memwrap.sessions.turns import OpenTurn

__all__ = ["Recorded", "Turn"]


class Recorded(list[Item]):
    """Items that the agent recorded itself, among the events it sent."""


class Turn:
    """One call of an agent, from start to finish.

    Attributes:
        input: The caller's input as items: the agent sees it after the history, and it is stored.
        history: The stored past that the agent will see; a layer may cut or change it, which
            never touches the store.
        new_items: What the agent added, once it is known: after the inner handler of `Memory`.
        session: The session of the turn, or None when it has no memory.
        id: The caller's name for the turn, or None.
        state: A place for layers to keep what belongs to this turn.
        before_agent: Functions from items to items, applied in order to history and input as the
            agent will see them; what is stored stays as it is.
        before_save: Functions from items to items, applied in order to what is about to be
            stored; what agent and caller see stays as it is. When one raises, nothing is stored.
        streaming: Whether the caller iterates over events, or gets one result.
    """

    __slots__ = (
        "_agent",
        "_args",
        "_arrange",
        "_kwargs",
        "adapter",
        "before_agent",
        "before_save",
        "caller",
        "events",
        "history",
        "id",
        "input",
        "new_items",
        "opened",
        "parent",
        "running",
        "session",
        "state",
        "stopped",
        "streaming",
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
        arrange: Arrange | None = None,
    ) -> None:
        self._agent = agent
        self._args = args
        self._arrange = arrange
        self._kwargs = kwargs or {}
        self.adapter = adapter
        self.input = input
        self.history: list[Item] = []
        self.new_items: list[Item] = []
        self.session = session
        self.id = id
        self.state: dict[str, Any] = {}
        self.before_agent: list[Callable[[list[Item]], list[Item]]] = []
        self.before_save: list[Callable[[list[Item]], list[Item]]] = []
        self.streaming = streaming
        self.events: list[Event] = []
        self.parent = parent
        self.running = False
        self.opened: OpenTurn | None = None
        self.stopped = False
        self.caller: Caller | None = None

    def __repr__(self) -> str:
        session = "no session" if self.session is None else f"session {self.session_id!r}"
        return (
            f"<Turn {session}: {len(self.history)} items of history, {len(self.input)} of input,"
            f" {len(self.new_items)} new>"
        )

    @property
    def session_id(self) -> str | None:
        """The id of the session, or None when the turn has no memory."""
        return getattr(self.session, "session_id", None)

    def call_agent(self) -> Any:
        """Call the agent with what it is to see, in its own dialect."""
        # The input is stored later, so the agent gets a copy; the history is the turn's own.
        input = copy_known(self.input)
        view = whole = repaired([*self.history, *input])
        for change in self.before_agent:
            view = change(view)
        if self._arrange is None:
            first = self.adapter.from_items(view)
        else:
            # The input is the end of the view, whatever layers did with what is before it.
            own = set(map(id, input))
            end = max(0, len(view) - sum(id(item) in own for item in whole))
            first = self._arrange(view[:end], view[end:])
        return self._agent(first, *self._args, **self._kwargs)

    def collect(self) -> list[Item]:
        """Turn what the agent sent and recorded so far into items, in the order it happened.

        Raises:
            TurnError: It is a call, and no layer sent its one event.
            ConversionError: They are nothing the adapter knows.
        """
        if len(self.events) == 1 and isinstance(self.events[0], str):
            return self.adapter.to_items(self.events[0], role="assistant")
        if not self.streaming and all(isinstance(event, Recorded) for event in self.events):
            raise TurnError("a call sends one event; a layer sent none")
        items: list[Item] = []
        sent: list[Event] = []
        for event in self.events:
            if isinstance(event, Recorded):
                items += self.adapter.to_items(sent, role="assistant") if sent else []
                items += event
                sent = []
            else:
                sent.append(event)
        items += self.adapter.to_items(sent, role="assistant") if sent else []
        return items
