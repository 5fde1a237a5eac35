"""The one seat of an agent of Strands, which holds the conversation that it is in itself.

A turn takes the seat, puts its history into the agent, and hears of the messages that are added.
When the turn leaves, the agent has the messages again that it had before.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from strands import Agent
from strands.hooks import AfterModelCallEvent, BeforeModelCallEvent, MessageAddedEvent

from memwrap.adapters.strands.convert import to_items
from memwrap.adapters.strands.shape import Message
from memwrap.context import current_turn
from memwrap.exceptions import ConfigurationError, SessionBusy
from memwrap.memory.locks import Hold, acquire, release
from memwrap.private_loop import wait_for
from memwrap.turn import Kept, Turn

__all__ = ["Given", "Run", "Seat", "seat_of"]

_PATIENCE = 600.0  # seconds that a turn waits for the turns before it


@dataclass(frozen=True)
class Given:
    """What a turn gives to the agent: the history, and the messages of the input."""

    history: list[Message]
    input: list[Message]


class Run:
    """One run of the agent, heard.

    Attributes:
        given: What the agent was given.
        added: The messages that the run has added, each as it was when it was added.
    """

    def __init__(self, given: Given) -> None:
        self.given = given
        self.added: list[Message] = []
        self._input = deepcopy(given.input)
        self._has_begun = False
        self._newest: Message = {"content": []}
        self._shown: list[Any] = []

    def hear(self, message: Message) -> None:
        """Take a message that was added to the agent's."""
        # A hook may have put other messages in the place of the input.
        is_input = not self._has_begun and message["role"] == "user"
        if is_input or any(message is one for one in self.given.input):
            return
        self._has_begun = True
        self._newest = message
        self.added.append(deepcopy(message))

    def look(self) -> None:
        """Take note of the newest message, before a model is shown it."""
        self._shown = deepcopy(self._newest["content"])

    def look_again(self) -> None:
        """Keep the newest message as a guardrail of the model has redacted it, if one has."""
        if self._newest["content"] != self._shown:
            self.added[-1]["content"] = deepcopy(self._newest["content"])

    def keep_redaction(self) -> None:
        """Have the input stored as a guardrail of the model has redacted it, if one has."""
        turn = current_turn()
        if turn is None or _contents(self.given.input) == _contents(self._input):
            return
        last = self.given.input[-1]
        redacted = to_items({"role": last["role"], "content": last["content"]})

        def redact(kept: Kept) -> Kept:
            # A guardrail redacts the last message, which is all that was said last.
            places = (n for n, item in enumerate(kept.input, 1) if item.get("role") == "assistant")
            begin = max(places, default=0)
            return kept._replace(input=[*kept.input[:begin], *redacted])

        turn.before_save.append(redact)


def _contents(messages: list[Message]) -> list[Any]:
    return [message["content"] for message in messages]


class Seat:
    """The seat of one agent: turns on it wait for each other, wherever they run.

    Attributes:
        run: The run that is on; None if the agent runs without a turn, or not at all.
    """

    def __init__(self, agent: Agent) -> None:
        self.run: Run | None = None
        self._turn: Turn | None = None
        agent.hooks.add_callback(MessageAddedEvent, self._added)
        agent.hooks.add_callback(BeforeModelCallEvent, self._called)
        agent.hooks.add_callback(AfterModelCallEvent, self._answered)

    def _added(self, event: MessageAddedEvent) -> None:
        if self.run is not None:
            self.run.hear(event.message)  # type: ignore[arg-type]

    def _called(self, event: BeforeModelCallEvent) -> None:  # noqa: ARG002
        if self.run is not None:
            self.run.look()

    def _answered(self, event: AfterModelCallEvent) -> None:  # noqa: ARG002
        if self.run is not None:
            self.run.look_again()

    @asynccontextmanager
    async def taken(self, agent: Agent, given: Given) -> AsyncGenerator[Run, None]:
        """Wait for the seat, and have it for one run."""
        hold = await self._acquired(agent.name)
        try:
            with self._on(agent, given) as run:
                yield run
        finally:
            release(hold)

    @contextmanager
    def taken_here(self, agent: Agent, given: Given) -> Generator[Run, None, None]:
        """Wait for the seat in this thread, and have it for one run."""
        self._refuse_own(agent.name)
        hold = wait_for(lambda: self._acquired(agent.name))
        try:
            with self._on(agent, given) as run:
                yield run
        finally:
            release(hold)

    async def _acquired(self, name: str) -> Hold:
        self._refuse_own(name)
        try:
            return await acquire(self, _PATIENCE, name)
        except SessionBusy:
            raise SessionBusy(
                f"the agent {name!r} has been in other turns for more than {_PATIENCE:g} s; read"
                " its streams to their ends or close them, or wrap an agent for each session"
            ) from None

    def _refuse_own(self, name: str) -> None:
        """Refuse a turn within a turn of the same agent, which would wait for itself."""
        turn = current_turn()
        while turn is not None:
            turn = turn.run.parent
            if turn is not None and turn is self._turn:
                raise ConfigurationError(
                    f"the agent {name!r} was called within a turn of its own, and holds one"
                    " conversation at a time; wrap another agent for the inner call"
                )

    @contextmanager
    def _on(self, agent: Agent, given: Given) -> Generator[Run, None, None]:
        own, before = agent.messages, agent.take_snapshot(include=["interrupt_state"])
        self._turn, self.run = current_turn(), Run(given)
        agent.messages = given.history  # type: ignore[assignment]
        try:
            yield self.run
        finally:
            self.run.keep_redaction()
            self._turn, self.run = None, None
            agent.messages = own
            if agent.take_snapshot(include=["interrupt_state"]).data != before.data:
                agent.load_snapshot(before)  # or every other session's turn had to answer


_seats: WeakKeyDictionary[Agent, Seat] = WeakKeyDictionary()


def seat_of(agent: Agent) -> Seat:
    """Return the seat of an agent: one, however often the agent is wrapped."""
    if agent not in _seats:
        _seats[agent] = Seat(agent)
    return _seats[agent]
