"""What an adapter is, and which adapter an object needs.

An adapter is found by the name of the module that defines the object's type, or by the object's
fields; the tables lie with the adapters. An adapter is imported when the first of its objects is
met.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from memwrap.exceptions import ConfigurationError
from memwrap.foreign import converted
from memwrap.items import Item

__all__ = [
    "Adapter",
    "AgentAdapter",
    "Kind",
    "Method",
    "Methods",
    "PutBack",
    "adapter_for",
    "adapter_named",
    "answer_of",
    "belongs_to_a_dialect",
    "default_adapter",
    "loaded",
    "methods_of",
    "refuses_input",
    "settings_class",
    "values_in",
]

_ADAPTERS = "memwrap.adapters"
_BUILT_IN = {dict, list, str, tuple, type(None)}


class Kind(Enum):
    """How an agent is called."""

    CALL = "async function"
    STREAM = "async generator function"
    SYNC_CALL = "function"
    SYNC_STREAM = "generator function"

    @property
    def is_stream(self) -> bool:
        """Whether the caller iterates over events."""
        return self in {Kind.STREAM, Kind.SYNC_STREAM}


PutBack: TypeAlias = "Callable[[list[Item], list[Item]], Any]"
"""Makes an agent's first argument: ``put_back(history, input)``."""

Rebuild: TypeAlias = "Callable[[Sequence[Item], str, Sequence[Any]], Any]"
"""Makes a stored result again: ``rebuild(items, type_name, values)``, or None."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to run an agent.

    Attributes:
        call: Takes the messages in the framework's dialect, then the caller's other arguments.
        kind: How ``call`` is called.
        instead: The method to use in a running event loop; for synchronous kinds.
        split: ``split(input) -> (messages, put_back)`` finds the messages in the caller's input;
            None if the input is the messages.
        session_of: ``session_of(key, args, kwargs)`` returns the session or id that the caller's
            arguments name, or UNSET; *args* are the positional arguments after the input. None
            if the key is a parameter.
        show: ``show(events)`` makes what the caller of a stream gets; None hands on the events.
        rebuild: Makes the result of a stored turn again; None leaves that to the adapter.
    """

    call: Callable[..., Any]
    kind: Kind
    instead: str | None = None
    split: Callable[[Any], tuple[Any, PutBack]] | None = None
    session_of: Callable[[str, tuple[Any, ...], Mapping[str, Any]], Any] | None = None
    show: Callable[[Any], Any] | None = None
    rebuild: Rebuild | None = None


@dataclass(frozen=True, slots=True)
class Methods:
    """How an agent object is run.

    Attributes:
        main: The name of the method that `memwrap.run` calls; one of *remember*.
        remember: The methods that remember, by name.
        derived: Other attributes of the remembering object, by name. A plain function becomes a
            method; it may call the remembering ones on its first argument.
        copies: The names of methods that return another agent of the same type, as ``clone`` does:
            it remembers too.
    """

    main: str
    remember: Mapping[str, Method]
    derived: Mapping[str, Any] = field(default_factory=dict)
    copies: Collection[str] = ()


class Adapter(Protocol):
    """The converter for one dialect; a module with these functions is one.

    Both directions are pure and synchronous, and leave their arguments unchanged.
    """

    def to_items(self, messages: Any, /, *, role: str = "user") -> list[Item]:
        """Turn input, a result, or the list of events of a stream into items.

        Args:
            messages: One message or a list, in the dialect; strings are allowed.
            role: Who speaks in a string: ``"user"`` for input, ``"assistant"`` for results.

        Raises:
            ConversionError: The dialect has no such messages.
        """
        ...

    def from_items(self, items: Sequence[Item], /) -> Any:
        """Turn items into what the agent takes as its first argument."""
        ...


@runtime_checkable
class _HasMethods(Protocol):
    def methods(self, agent: Any, /) -> Methods | None:
        """Return how *agent* is run; None if the adapter does not know such objects.

        Raises:
            ConfigurationError: The agent remembers by other means, or cannot be given a history.
        """
        ...


@runtime_checkable
class _HasAnswer(Protocol):
    def answer(self, items: Sequence[Item], /) -> Any:
        """Return the result of a stored turn, rebuilt from its new items."""
        ...


@runtime_checkable
class _HasRebuild(Protocol):
    def rebuild(self, items: Sequence[Item], type_name: str, values: Sequence[Any], /) -> Any:
        """Return an object of the type of that full name that says what *items* say, or None.

        Args:
            items: The items.
            type_name: The name of the type, with its module.
            values: What ``values_in`` returned of the result, made again from the items.
        """
        ...


@runtime_checkable
class _HasValues(Protocol):
    def values_in(self, result: Any, /) -> Sequence[Any]:
        """Return the values in a result that one of its items each says as text or JSON."""
        ...


@runtime_checkable
class _HasRefusals(Protocol):
    def refuses_input(self, error: Exception, /) -> bool:
        """Tell whether *error* says that the input must not reach a model."""
        ...


class AgentAdapter(Adapter, _HasMethods, _HasAnswer, Protocol):
    """An adapter for agent objects too; without ``answer`` a repeated turn gives a message."""


def methods_of(adapter: Adapter, agent: Any) -> Methods | None:
    """Return how an adapter runs *agent*; None if the adapter runs it as a function.

    Raises:
        ConfigurationError: The agent remembers by other means, or the adapter gave no `Methods`.
    """
    methods = adapter.methods(agent) if isinstance(adapter, _HasMethods) else None
    if methods is not None and not isinstance(methods, Methods):
        raise ConfigurationError(
            f"the adapter's methods() returned {type(methods).__name__}; it returns"
            " memwrap.types.Methods(main, remember), or None for what is no agent of its own"
        )
    return methods


def answer_of(
    adapter: Adapter,
    items: Sequence[Item],
    type_name: str = "",
    values: Sequence[Any] = (),
    rebuild: Rebuild | None = None,
) -> Any:
    """Return the result of a stored turn: rebuilt, or the adapter's answer, or its last message.

    Args:
        adapter: The adapter of the turn.
        items: What the result became.
        type_name: The full name of its type, if it is known: the adapter of that type may have it
            rebuilt.
        values: Those in the result, made again.
        rebuild: What the agent's method has for it.
    """
    native = _adapter_of_module(type_name.partition("[")[0].rpartition(".")[0])
    if rebuild is None and isinstance(native, _HasRebuild):
        rebuild = native.rebuild
    if rebuild is not None:
        found = converted(rebuild, items, type_name, values)
        if found is not None:
            return found
    if isinstance(adapter, _HasAnswer):
        return converted(adapter.answer, items)
    messages = converted(adapter.from_items, items)
    return messages[-1] if isinstance(messages, list) and messages else messages


def values_in(result: Any) -> Sequence[Any]:
    """Return the values in a result that its items say as text; empty for most results."""
    native = adapter_for(result)
    return native.values_in(result) if isinstance(native, _HasValues) else ()


def refuses_input(error: Exception) -> bool:
    """Tell whether an agent raised *error* because its framework refused the input."""
    native = adapter_for(error)
    return isinstance(native, _HasRefusals) and native.refuses_input(error)


def adapter_for(value: Any) -> Adapter | None:
    """Return the adapter for an agent object or a message; None if it is of no dialect.

    Objects of types that no framework has may still have the fields of a dialect's.
    """
    kind = type(value)
    if kind in _BUILT_IN:
        return None
    found = _adapter_for_type(kind)  # type: ignore[arg-type]  # a class can be hashed
    return found or _adapter_by_fields(value)


def belongs_to_a_dialect(value: Any) -> bool:
    """Tell whether a framework that memwrap knows defines the type of *value*."""
    dialects: Mapping[str, tuple[str, str]] = importlib.import_module(_ADAPTERS).DIALECTS
    package = type(value).__module__.partition(".")[0]
    is_known = any(
        package == prefix.partition(".")[0] and _is_proven(prefix, proof)
        for prefix, (_, proof) in dialects.items()
    )
    return is_known or adapter_for(value) is not None


def loaded(name: str) -> Any:
    """Return what has that full name in a module that has been imported, or None."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:end]))
        if found is not None:
            for part in parts[end:]:
                found = getattr(found, part, None)
            return found
    return None


def settings_class() -> Any:
    """Return the class that runners have a session's settings of; None until it is imported."""
    return loaded(importlib.import_module(_ADAPTERS).SETTINGS)


def default_adapter() -> Adapter:
    """Return the adapter for items, strings and functions that take them."""
    return adapter_named("plain")


def _adapter_by_fields(value: Any) -> Adapter | None:
    like: Mapping[str, Callable[[Any], bool]] = importlib.import_module(_ADAPTERS).LIKE
    return next((adapter_named(name) for name, is_like in like.items() if is_like(value)), None)


@lru_cache(maxsize=1024)
def _adapter_for_type(kind: Hashable) -> Adapter | None:
    for base in cast("type", kind).__mro__:
        found = _adapter_of_module(base.__module__)
        if found is not None:
            return found
    return None


def _adapter_of_module(module: str) -> Adapter | None:
    """Return the adapter for types that the module of that name defines."""
    dialects: Mapping[str, tuple[str, str]] = importlib.import_module(_ADAPTERS).DIALECTS
    for prefix, (name, proof) in dialects.items():
        if module != prefix and not module.startswith(prefix + "."):
            continue
        if _is_proven(prefix, proof):
            return adapter_named(name)
    return None


def _is_proven(prefix: str, proof: str) -> bool:
    """Tell whether a module is a framework's, and no project's own of the same name."""
    return not proof or hasattr(sys.modules.get(prefix), proof)


def adapter_named(name: str) -> Adapter:
    """Return the adapter of that name, which may need its framework."""
    return cast("Adapter", importlib.import_module(f"{_ADAPTERS}.{name}"))
