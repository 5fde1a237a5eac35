"""Which adapter an object needs, and what memwrap asks of an adapter."""

import sys
import types

import pytest

from memwrap import ConfigurationError, adapters, dialects
from memwrap.adapters import NAMES, chat, plain
from memwrap.dialects import (
    Kind,
    Method,
    Methods,
    adapter_for,
    answer_of,
    default_adapter,
    methods_of,
)
from memwrap.items import assistant, user


@pytest.fixture(autouse=True)
def table(monkeypatch):
    """Two frameworks that nobody has: one is told by its name, the other has a namesake."""
    known = {"framework": ("chat", ""), "common": ("plain", "Proof")}
    monkeypatch.setattr(adapters, "DIALECTS", known)
    dialects._adapter_for_type.cache_clear()
    yield known
    dialects._adapter_for_type.cache_clear()


def made_in(module, *bases, **body):
    return type("Thing", bases, {"__module__": module} | body)


@pytest.mark.parametrize("module", ["framework", "framework.agents", "framework.agents.base"])
def test_adapter_is_told_by_the_module(module):
    """An object's adapter is told by where its type, or a base of it, was defined."""
    kind = made_in(module)
    assert adapter_for(kind()) is chat
    assert adapter_for(made_in("mine", kind)()) is chat
    assert adapter_for(made_in("mine.too", made_in("mine", kind))()) is chat


@pytest.mark.parametrize("module", ["frameworks", "framework_of_mine", "my.framework", "frame"])
def test_names_that_only_begin_alike(module):
    """A module whose name goes on where a framework's ends is another one."""
    assert adapter_for(made_in(module)()) is None


@pytest.mark.parametrize("value", [None, "text", 5, {"role": "user"}, [], len, object()])
def test_objects_of_no_framework(value):
    """What comes from nowhere else needs no adapter of its own."""
    assert adapter_for(value) is None


def test_classes_are_no_agents():
    """A class of a framework is none of its objects."""
    assert adapter_for(made_in("framework")) is None


def test_namesake_of_a_framework(monkeypatch):
    """A module of a common name is the framework's only if it has what the framework has."""
    kind = made_in("common.agents")
    assert adapter_for(kind()) is None
    monkeypatch.setitem(sys.modules, "common", types.ModuleType("common"))
    dialects._adapter_for_type.cache_clear()
    assert adapter_for(kind()) is None
    monkeypatch.setitem(sys.modules, "common", types.SimpleNamespace(Proof="of the framework"))
    dialects._adapter_for_type.cache_clear()
    assert adapter_for(kind()) is plain


def test_unhashable_objects_have_adapters_too():
    """Objects that cannot be hashed, or compare oddly, are told by their types all the same."""

    def refuse(self, other):
        raise ValueError

    assert adapter_for(made_in("framework", __hash__=None, __eq__=refuse)()) is chat


def test_default_adapter():
    """Functions without a dialect take items."""
    assert default_adapter() is plain
    assert "plain" in NAMES


def test_names_are_those_of_the_table():
    """Each adapter of the table hides data under its name, and is known for it."""
    assert {name for name, _ in adapters.DIALECTS.values()} <= NAMES


class Bare:
    """An adapter with the two functions that each has."""

    def to_items(self, messages, role="user"):
        return [{"role": role, "content": text} for text in messages]

    def from_items(self, items):
        return [item["content"] for item in items]


class Full(Bare):
    """An adapter of agent objects."""

    def methods(self, agent):
        return self.found

    def answer(self, items):
        return len(items)


def test_methods_of_an_agent():
    """An adapter says how it runs an agent; one without agents says nothing."""
    adapter, method = Full(), Method(len, Kind.SYNC_CALL)
    adapter.found = Methods("run", {"run": method})
    assert methods_of(adapter, object()) is adapter.found
    adapter.found = None
    assert methods_of(adapter, object()) is None
    assert methods_of(Bare(), object()) is None


@pytest.mark.parametrize("found", [{"run": len}, ("run", {}), "run"])
def test_methods_that_are_none(found):
    """What is no `Methods` is refused, with what was asked for."""
    adapter = Full()
    adapter.found = found
    with pytest.raises(ConfigurationError, match=rf"returned {type(found).__name__}; it returns"):
        methods_of(adapter, object())


def test_answer_of_a_stored_turn():
    """The adapter makes the result of a stored turn; without a way it is the last message."""
    items = [user("a"), assistant("b")]
    assert answer_of(Full(), items) == 2
    assert answer_of(Bare(), items) == "b"
    assert answer_of(Bare(), []) == []


def test_kinds():
    """Two kinds of agents are iterated over."""
    assert {kind for kind in Kind if kind.is_stream} == {Kind.STREAM, Kind.SYNC_STREAM}
