"""What a graph tells of itself while it runs: which messages are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    RemoveMessage,
    message_chunk_to_message,
)
from langchain_core.runnables.config import ensure_config, merge_configs
from langgraph.types import Command

from memwrap.adapters.langgraph.state import MESSAGES, GraphState, State, StreamEvent
from memwrap.context import current_turn, record
from memwrap.exceptions import ConfigurationError

__all__ = ["Run"]

_SUMMARY = "summarization"
"""How LangChain's middleware marks the summaries that it puts into the state."""


class Run:
    """One run of a graph, watched: the mode "values" is streamed besides what its caller wants.

    Args:
        graph: The compiled graph.
        state: What it is given.
        config: The caller's config.
        options: The caller's other arguments.
        mode: The mode that the caller cannot change, if any.

    Attributes:
        options: What the graph is to be streamed with.

    Raises:
        ConfigurationError: The graph would remember a second time, or an option would keep its
            messages from being seen.
    """

    def __init__(
        self,
        graph: Any,
        state: Any,
        config: Any,
        options: dict[str, Any],
        mode: str | None = None,
    ) -> None:
        _refuse_other_memory(graph, state, config)
        _refuse_options(options, mode)
        self._asked = mode or options.get("stream_mode") or graph.stream_mode
        modes = [self._asked] if isinstance(self._asked, str) else list(self._asked)
        self._modes = frozenset(modes)
        self._subgraphs = bool(options.get("subgraphs"))
        self.options = options | {"stream_mode": list({*modes, "values"})}
        self._graph = graph
        self._state: State = {}
        self._given: list[BaseMessage] | None = None
        self._new: dict[str | int, BaseMessage] = {}
        # Seen already, though the step that says it has not ended.
        self._said: list[BaseMessage] = []
        self._under_way: dict[str | None, list[AIMessageChunk]] = {}

    @property
    def new_messages(self) -> list[BaseMessage]:
        """What the run has added, in its newest form."""
        return list(self._new.values())

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
        return GraphState(kept, self.new_messages)

    def record_delivered(self) -> None:
        """Note what a run that was left early has said by now, for whoever wants to keep it."""
        known = {_key(message) for message in self._given or ()} | self._new.keys()
        told = self.new_messages
        streamed = (
            message_chunk_to_message(some[0] + some[1:]) for some in self._under_way.values()
        )
        for message in [*self._said, *streamed]:
            if _key(message) not in known and not _is_empty(message):
                known.add(_key(message))
                told.append(message)
        record(told)

    def _look(self, state: Any) -> None:
        self._state = state if isinstance(state, dict) else vars(state)
        messages: list[BaseMessage] = self._state.get(MESSAGES) or []
        if self._given is None:  # what is streamed first is the input, with LangGraph's ids in it
            self._given = messages
        given = set(map(_key, self._given))
        places = [n for n, message in enumerate(messages) if _key(message) in given]
        for message in messages[places[-1] + 1 if places else 0 :]:
            if message.additional_kwargs.get("lc_source") != _SUMMARY:
                self._new[_key(message)] = message

    def _note(self, updates: Any) -> None:
        for update in updates.values():
            messages = update.get(MESSAGES) if isinstance(update, dict) else None
            for message in messages if isinstance(messages, list) else [messages]:
                self._hear(message)

    def _hear(self, message: Any) -> None:
        if isinstance(message, AIMessageChunk):
            self._under_way.setdefault(message.id, []).append(message)
        elif isinstance(message, BaseMessage) and not isinstance(message, RemoveMessage):
            self._said.append(message)


def _is_empty(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and not (message.text or message.tool_calls)


def _key(message: BaseMessage) -> str | int:
    """Return what tells a message from others: its id, or where it lies if it has none."""
    return message.id or id(message)


def _refuse_options(options: Mapping[str, Any], mode: str | None) -> None:
    names = ["output_keys"]
    if mode is not None:
        names += ["version", *(["stream_mode"] if options.get("stream_mode", mode) != mode else [])]
    if refused := [name for name in names if options.get(name) is not None]:
        raise ConfigurationError(
            f"{', '.join(refused)}: a graph that remembers has no such option here, since its"
            " messages could not be seen; leave it out, or use stream for other modes"
        )


def _refuse_other_memory(graph: Any, state: Any, config: Any) -> None:
    turn = current_turn()
    if turn is None or turn.session is None:
        return
    if isinstance(state, Command):
        raise ConfigurationError(
            "a Command goes on with a run that a checkpointer holds, and its history with it; call"
            " the graph with session=None for it"
        )
    configurable = ensure_config(merge_configs(graph.config, config)).get("configurable", {})
    if graph.checkpointer and "thread_id" in configurable:
        raise ConfigurationError(
            "the graph has a checkpointer, which would remember the conversation a second time;"
            " compile it without one, or call the graph without with_session"
        )
