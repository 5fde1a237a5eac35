"""What a graph tells of itself while it runs: which messages are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    convert_to_messages,
    message_chunk_to_message,
)
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.types import Overwrite

from memwrap.adapters import langchain
from memwrap.adapters.langgraph.keys import Keys, id_of, text_without_id
from memwrap.adapters.langgraph.state import MESSAGES, GraphState, State, StreamEvent
from memwrap.adapters.langgraph.thread import own_thread
from memwrap.context import current_turn, record
from memwrap.exceptions import ConfigurationError
from memwrap.hidden.data import without_hidden
from memwrap.turn import Kept

__all__ = ["Run"]

INTERRUPT = "__interrupt__"
"""Where LangGraph puts interrupts into a state and into updates."""

_SUMMARY = "summarization"
"""How LangChain's middleware marks the summaries that it puts into the state."""


class Run:
    """One run of a graph, watched: the mode "values" is streamed besides what its caller wants.

    Args:
        graph: The compiled graph.
        input: What it is given.
        config: The caller's config.
        options: The caller's other arguments.
        is_call: Whether the caller wants the state at the end, and no events.

    Attributes:
        options: What the graph is to be streamed with.
        config: With which config.
        thread: The turn's own thread in the graph's checkpointer, or None.

    Raises:
        ConfigurationError: The graph would remember a second time, or an option would keep its
            messages from being seen.
    """

    def __init__(
        self,
        graph: Any,
        input: Any,
        config: Any,
        options: dict[str, Any],
        *,
        is_call: bool = False,
    ) -> None:
        self.thread = own_thread(graph, input, config)
        self.config = config if self.thread is None else self.thread.config
        self._is_waiting = False
        _refuse_options(options, is_call=is_call)
        # A call wants the values, and the updates as well for the interrupts in them.
        self._asked = ["updates"] if is_call else options.get("stream_mode") or graph.stream_mode
        modes = [self._asked] if isinstance(self._asked, str) else list(self._asked)
        self._modes = frozenset(modes)
        self._subgraphs = bool(options.get("subgraphs"))
        self.options = options | {"stream_mode": list({*modes, "values", "updates"})}
        self._graph = graph
        self._state: State = {}
        self._interrupts: list[Any] = []
        self._given: list[Any] | None = None
        self._given_keys: set[Any] = set()
        self._new: dict[Any, Any] = {}
        self._keys = Keys()
        self._view_only: set[str] = set()
        # Seen already, though the step that says it has not ended.
        self._said: list[BaseMessage] = []
        self._under_way: dict[str | None, list[AIMessageChunk]] = {}

    @property
    def new_messages(self) -> list[BaseMessage]:
        """What the run has added, in its newest form."""
        self._look(self._state)  # a node may have appended to it, and told the graph nothing
        return convert_to_messages(self._new.values())

    @property
    def waits_behind(self) -> int | None:
        """Behind how many messages of its state the run waits for a person; None if it does not."""
        return len(self._state.get(MESSAGES) or []) if self._is_waiting else None

    def take(self, chunk: Any) -> Iterable[StreamEvent]:
        """Look at what the graph streamed; return it if the caller asked for it."""
        if isinstance(chunk, dict):  # version="v2"
            namespace, mode, data = chunk["ns"], chunk["type"], chunk["data"]
        else:
            namespace, mode, data = chunk if self._subgraphs else ((), *chunk)
        if not namespace and mode == "values":
            self._look(data)
        elif not namespace and mode == "updates":
            self._note(data)
        elif not namespace and mode == "messages":
            self._hear(data[0])
        if mode not in self._modes:
            return ()
        if isinstance(self._asked, str) and not isinstance(chunk, dict):
            return (StreamEvent((namespace, data) if self._subgraphs else data),)
        return (StreamEvent(chunk),)

    def result(self) -> GraphState:
        """Return the state that the run ended with."""
        keys = self._graph.output_channels
        kept = {key: self._state[key] for key in keys if key in self._state}
        if self._interrupts:
            kept[INTERRUPT] = self._interrupts
        return GraphState(kept, self.new_messages)

    def record_delivered(self) -> None:
        """Note what a run that was left early has said by now, for whoever wants to keep it."""
        told = self.new_messages
        known = self._new.keys() | self._given_keys
        streamed = (
            message_chunk_to_message(some[0] + some[1:]) for some in self._under_way.values()
        )
        said = [*(self._given or ()), *self._said, *streamed]
        for key, message in zip(map(self._keys.of, said), said, strict=True):
            if key not in known and not _is_empty(message):
                known.add(key)
                told.append(message)
        record(told)

    def _look(self, state: Any) -> None:
        self._state = state if isinstance(state, dict) else vars(state)
        messages: list[Any] = self._state.get(MESSAGES) or []
        keys = self._keys.of_state(messages)
        if self._given is None:  # what is streamed first is the input, with LangGraph's ids in it
            # A run that failed has added to its thread what no turn has stored.
            stored = None if self.thread is None else self.thread.stored
            self._given = list(messages[:stored])  # a node may append to the state's list itself
            self._given_keys = set(keys[:stored])
        begin = max((n + 1 for n, key in enumerate(keys) if key in self._given_keys), default=0)
        for key, message in zip(keys[begin:], messages[begin:], strict=True):
            if not self._is_view_only(message):
                self._new[key] = message

    def _is_view_only(self, message: Any) -> bool:
        """Tell whether a message was put into the state in place of others, as summaries are."""
        if getattr(message, "additional_kwargs", {}).get("lc_source") == _SUMMARY:
            return True
        return bool(self._view_only) and text_without_id(message) in self._view_only

    def _note(self, updates: Any) -> None:
        for node, found in updates.items():
            if node == INTERRUPT:
                self._is_waiting = True
                self._interrupts += found
            # A node may return several updates, or run several times in a step.
            for update in found if isinstance(found, list) else [found]:
                if isinstance(update, dict) and MESSAGES in update:
                    self._read(*_messages_of(update[MESSAGES]))

    def _read(self, messages: list[Any], is_replacing: bool) -> None:
        for message in messages:
            if isinstance(message, RemoveMessage):
                self._take_back(message.id)
            self._hear(message)
        for message in messages if is_replacing else ():
            if self._keys.of(message) in self._given_keys | self._new.keys():
                return
            if isinstance(message, (HumanMessage, SystemMessage)):
                self._view_only.add(text_without_id(message))

    def _take_back(self, removed: str | None) -> None:
        """Forget a message of the run, or of its input, that the graph removed by its id."""
        if removed is None or removed == REMOVE_ALL_MESSAGES:  # changes the view only
            return
        self._new = {key: one for key, one in self._new.items() if id_of(one) != removed}
        self._said = [message for message in self._said if message.id != removed]
        self._under_way.pop(removed, None)
        for message in self._given or ():
            if id_of(message) == removed:
                _forget_input(message)

    def _hear(self, message: Any) -> None:
        if isinstance(message, AIMessageChunk):
            self._under_way.setdefault(message.id, []).append(message)
        elif isinstance(message, BaseMessage) and not isinstance(message, RemoveMessage):
            self._said.append(message)


def _is_empty(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and not (message.text or message.tool_calls)


def _messages_of(update: Any) -> tuple[list[Any], bool]:
    """Return the messages that a node gave, and whether they replace those of the state."""
    is_overwriting = isinstance(update, Overwrite)
    given = update.value if isinstance(update, Overwrite) else update
    messages = [
        _read_as_langchain_does(one) for one in (given if isinstance(given, list) else [given])
    ]
    return messages, is_overwriting or any(
        isinstance(message, RemoveMessage) and message.id == REMOVE_ALL_MESSAGES
        for message in messages
    )


def _read_as_langchain_does(message: Any) -> Any:
    """Return a dict, pair or text as the message that it is; anything else as it is."""
    if isinstance(message, BaseMessage):
        return message
    try:
        return convert_to_messages([message])[0]
    except (ValueError, TypeError, NotImplementedError):
        # The three are LangChain's, of what it does not know; the graph's own reducer may take it.
        return message


def _forget_input(message: Any) -> None:
    """Keep a message of the turn's input from being stored; one of its history stays there."""
    turn = current_turn()
    if turn is None:
        return
    taken_back = without_hidden(langchain.to_items([message]))

    def without(kept: Kept) -> Kept:
        shown = without_hidden(kept.input)
        for begin in range(len(shown) - len(taken_back), -1, -1):
            if shown[begin : begin + len(taken_back)] == taken_back:
                end = begin + len(taken_back)
                return kept._replace(input=kept.input[:begin] + kept.input[end:])
        return kept

    turn.before_save.append(without)


def _refuse_options(options: Mapping[str, Any], *, is_call: bool) -> None:
    names = ["output_keys"]
    if is_call:
        names += ["version", *(["stream_mode"] if options.get("stream_mode") != "values" else [])]
    if refused := [name for name in names if options.get(name) is not None]:
        raise ConfigurationError(
            f"{', '.join(refused)}: a graph that remembers has no such option here, since its"
            " messages could not be seen; leave it out, or use stream for other modes"
        )
