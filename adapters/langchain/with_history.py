"""In place of LangChain's `RunnableWithMessageHistory`, which is deprecated."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import groupby
from typing import Any, TypeVar

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.runnables.utils import ConfigurableFieldSpec

from memwrap.adapters.langchain.convert import from_items, to_items
from memwrap.adapters.langchain.history_session import session_from_history
from memwrap.adapters.langchain.runnables import is_graph, methods
from memwrap.context import UNSET
from memwrap.decorator import with_session
from memwrap.dialects import Method, Methods, PutBack
from memwrap.exceptions import ConfigurationError, ConversionError
from memwrap.items import Item, text_of
from memwrap.sessions.base import SessionLike, Store
from memwrap.turn import Middleware

__all__ = ["from_runnable_with_history"]

RunnableT = TypeVar("RunnableT", bound=Runnable[Any, Any])


def from_runnable_with_history(
    runnable: RunnableT,
    get_session_history: Store | Callable[..., BaseChatMessageHistory | SessionLike],
    *,
    input_messages_key: str | None = None,
    output_messages_key: str | None = None,
    history_messages_key: str | None = None,
    history_factory_config: Sequence[ConfigurableFieldSpec] | None = None,
    middleware: Sequence[Middleware] = (),
) -> RunnableT:
    """Return a runnable that remembers, with the arguments of `RunnableWithMessageHistory`.

    The session is the one of ``config["configurable"]["session_id"]``, as there, or what
    ``session=`` at the call says. A turn is read once and stored once, or not at all.

    Args:
        runnable: What takes messages, or a dict with them.
        get_session_history: A store, or a function from the id to a LangChain history or to a
            session.
        input_messages_key: Where a dict has its new messages, or text.
        output_messages_key: Where a dict that is returned has them.
        history_messages_key: Where the runnable wants the history; without it history and new
            messages are one list, in place of the new ones.
        history_factory_config: The names in ``config["configurable"]`` that
            *get_session_history* takes, if it is not ``session_id`` alone.
        middleware: The layers around the runnable, as in `memwrap.with_session`.

    Raises:
        ConfigurationError: The function does not take these names, or the runnable is none, or a
            graph, which `memwrap.with_session` wraps as it is.
    """
    if not isinstance(runnable, Runnable):
        raise ConfigurationError(f"it takes a runnable, not {type(runnable).__name__}")
    if is_graph(runnable):
        raise ConfigurationError(
            "a graph's history is in its messages: with_session(graph, store=..., key='session_id')"
        )
    names = [spec.id for spec in history_factory_config or ()] or ["session_id"]
    find: Any = get_session_history
    finder = _Finder(getattr(find, "session", find), names)
    adapter = _WithHistory(finder, input_messages_key, output_messages_key, history_messages_key)
    return with_session(
        runnable,
        store=None if len(names) > 1 else finder.session,
        key=" and ".join(names),
        adapter=adapter,
        middleware=middleware,
    )


class _Finder:
    """Finds the session of a call by the names in its config."""

    def __init__(self, find: Callable[..., Any], names: list[str]) -> None:
        if not callable(find):
            raise ConfigurationError(
                "get_session_history is a store, or a function from the id to a history or session"
            )
        if inspect.iscoroutinefunction(find):
            raise ConfigurationError(
                "get_session_history is an async function; make it a plain one, which hands out a"
                " history or session that connects when it is used"
            )
        parameters = inspect.signature(find).parameters
        if len(names) > 1 and set(names) != set(parameters):
            raise ConfigurationError(
                f"get_session_history takes {sorted(parameters)}, and history_factory_config names"
                f" {sorted(names)}"
            )
        self._find = find
        self._names = names
        self._needs_names = bool(parameters)

    def configured(self, value_of: Callable[[str], Any]) -> Any:
        """Return the session of a config, or UNSET or None if that is what a name has."""
        values = [value_of(name) for name in self._names] if self._needs_names else []
        missing = [value for value in values if value is UNSET or value is None]
        return missing[0] if missing else self.session(*values)

    def session(self, *values: Any) -> Any:
        """Return the session of these names' values."""
        if len(values) > 1:
            found = self._find(**dict(zip(self._names, values, strict=True)))
        else:
            found = self._find(*values)
        if not isinstance(found, BaseChatMessageHistory):
            return found
        # Each call may get a history object of its own, for one and the same conversation.
        names = values[0] if len(values) == 1 else json.dumps(values, default=str)
        return session_from_history(found, session_id=str(names) if values else None)


class _WithHistory:
    """An adapter for runnables that take and give dicts with messages in them."""

    def __init__(
        self, finder: _Finder, input: str | None, output: str | None, history: str | None
    ) -> None:
        self._finder = finder
        self._input = input
        self._output = output
        self._history = history

    def to_items(self, messages: Any, /, *, role: str = "user") -> list[Item]:
        if role != "user":
            messages = self._told(messages)
        return to_items(messages, role=role)

    def from_items(self, items: Sequence[Item], /) -> Any:
        return from_items(items)

    def answer(self, items: Sequence[Item], /) -> Any:
        """Return what a turn that is stored under its id gives again; text if it was no more."""
        messages = from_items(items)
        if self._output is None or not messages:
            return messages[-1] if messages else None
        is_text = items[-1].keys() == {"role", "content"}
        return {self._output: messages[-1].text if is_text else messages[-1]}

    def methods(self, agent: Any, /) -> Methods | None:
        known = methods(agent)
        if known is None:
            return None
        remember = {name: self._adapted(method) for name, method in known.remember.items()}
        return replace(known, remember=remember)

    def _adapted(self, method: Method) -> Method:
        configured = method.session_of
        assert configured is not None  # noqa: S101  (every runnable's methods have one)

        def session_of(key: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG001
            return self._finder.configured(lambda name: configured(name, args, kwargs))

        return replace(method, split=self._split, session_of=session_of)

    def _split(self, input: Any) -> tuple[Any, PutBack]:
        """Take the new messages out of the input."""
        key = _key_of(input, self._input, "input")
        if key is not None and key not in input:
            raise ConversionError(
                f"the input has no {key!r}; name the key of its messages with input_messages_key"
            )
        given = input if key is None else input[key]

        def put_back(history: list[Item], new: list[Item]) -> Any:
            if self._history is not None and key is not None:
                return {**input, key: _like(given, new), self._history: from_items(history)}
            messages = from_items([*history, *new])
            return messages if self._input is None or key is None else {**input, key: messages}

        return given, put_back

    def _told(self, results: Any) -> list[Any]:
        """Take the messages out of a result, or out of the pieces of a stream."""
        told: list[Any] = []

        def is_dict(result: Any) -> bool:
            return _key_of(result, self._output, "output") is not None

        several = results if isinstance(results, list) else [results]
        for with_messages, run in groupby(several, is_dict):
            if not with_messages:
                told += run
                continue
            whole = reduce(_plus, run)
            key = _key_of(whole, self._output, "output")
            if key not in whole:
                raise ConversionError(
                    f"the runnable returned no {key!r}; name the key of its messages with"
                    " output_messages_key"
                )
            told.append(whole[key])
        return told


def _plus(total: Any, piece: Any) -> Any:
    """Add a piece of a streamed dict as LangChain does: some are the whole so far each time."""
    try:
        return total + piece
    except TypeError:
        return piece


def _key_of(value: Any, named: str | None, otherwise: str) -> str | None:
    """Return the key of a dict's messages: the configured one, else its only key, else *otherwise*.

    None for what is no such dict: messages themselves, or an item.
    """
    if not isinstance(value, Mapping):
        return None
    if named is not None:
        return named
    if otherwise not in value and value.keys() & {"role", "type"}:
        return None
    return next(iter(value)) if len(value) == 1 else otherwise


def _like(given: Any, items: list[Item]) -> Any:
    """Return items as what the caller passed them as: text, a message, or a list."""
    if isinstance(given, str) and len(items) == 1:
        return text_of(items[0])
    messages = from_items(items)
    return messages[0] if isinstance(given, BaseMessage) and len(messages) == 1 else messages
