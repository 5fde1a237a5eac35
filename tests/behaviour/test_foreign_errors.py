"""What other libraries raise comes out as memwrap's own error, and quotes no conversation."""

import sqlite3
import traceback

import pytest
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage

from memwrap import record, undo, with_session
from memwrap.adapters import chat, langchain, langgraph, plain, pydantic_ai
from memwrap.adapters.langchain import session_from_history
from memwrap.exceptions import ConversionError, MemwrapError, StoreError
from memwrap.foreign import ForeignError, as_cause, converted
from memwrap.testing import FlakySession

SECRET = "hush"


def quoted(error):
    """Return all that an error and those in its chain tell."""
    told, left = "".join(traceback.format_exception(error)), [error]
    while left:
        one = left.pop()
        told += f"{one!r} {one} {getattr(one, '__notes__', '')}"
        left += [other for other in (one.__cause__, one.__context__) if other is not None]
    return told


def refuses():
    raise ValueError(SECRET)


class Adapter:
    """An adapter that fails where it is told to."""

    def __init__(self, place):
        self.place = place

    def to_items(self, messages, /, *, role="user"):
        if self.place == role:
            refuses()
        return plain.to_items(messages, role=role)

    def from_items(self, items, /):
        if self.place == "from_items":
            refuses()
        return plain.from_items(items)

    def answer(self, items, /):
        return refuses()


async def said(items):
    return AIMessage("a")


async def recording(items):
    record("a")
    return "b"


@pytest.mark.parametrize("agent", [said, recording])
@pytest.mark.parametrize("place", ["user", "assistant", "from_items"])
async def test_adapters(place, agent, session):
    """What an adapter of somebody's own trips over is a ConversionError without the content."""
    with pytest.raises(ConversionError, match=r"cannot read .* \(ValueError\)") as caught:
        await with_session(agent, adapter=Adapter(place), session=session)("q")
    assert SECRET not in quoted(caught.value)
    assert isinstance(caught.value.__cause__, ForeignError)
    assert await session.get_items() == []


async def test_answers_of_repeated_turns(session):
    """An adapter that cannot rebuild an answer fails the repeated turn without its content."""
    agent = with_session(said, adapter=Adapter(""), session=session)
    await agent("q", turn_id="t")
    with pytest.raises(ConversionError) as caught:
        await agent("q", turn_id="t")
    assert SECRET not in quoted(caught.value)


@pytest.mark.parametrize("method", ["get_items", "add_items", "pop_item"])
async def test_sessions_of_ones_own(method):
    """What a session of somebody's own raises is an error of memwrap's, without the content."""
    session = FlakySession()
    await session.add_items([{"role": "user", "content": "x"}])
    session.fail(method, ValueError(SECRET), times=9)
    with pytest.raises(MemwrapError, match="ValueError") as caught:
        await (
            undo(session) if method == "pop_item" else with_session(recording)("q", session=session)
        )
    assert SECRET not in quoted(caught.value)
    assert "doubles.py" in "".join(traceback.format_exception(caught.value.__cause__))


class History(BaseChatMessageHistory):
    """A history whose driver quotes what it fails on."""

    @property
    def messages(self):
        return HumanMessage(content={SECRET: SECRET})

    def clear(self):
        HumanMessage(content={SECRET: SECRET})


@pytest.mark.parametrize("method", ["get_items", "clear_session", "pop_item"])
async def test_histories(method):
    """What LangChain refuses in a history is a StoreError without the content."""
    with pytest.raises(StoreError, match="ValidationError") as caught:
        await getattr(session_from_history(History(), session_id="s"), method)()
    assert SECRET not in quoted(caught.value)


@pytest.mark.parametrize("adapter", [langchain, langgraph, chat, plain, pydantic_ai])
@pytest.mark.parametrize(
    "message",
    [
        {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": SECRET, "id": "c"}]},
        {"role": "user", "content": [{"type": "image_url"}], "x": SECRET},
        {"choices": [{"message": SECRET}]},
        {"object": "response", "output": SECRET},
        {"role": {SECRET: 1}},
        (SECRET, "x"),
        SECRET.encode(),
    ],
)
def test_adapters_in_the_box(adapter, message):
    """What an adapter cannot read is a ConversionError, in whose chain nothing is quoted."""
    try:
        adapter.to_items([message])
    except ConversionError as error:
        assert SECRET not in quoted(error)


@pytest.mark.parametrize("error", [OSError("disk"), sqlite3.OperationalError("x"), StoreError("x")])
def test_errors_of_drivers_are_shown(error):
    """What tells of files and locks, and never of values, is the cause as it is."""
    assert as_cause(error) is error


def test_other_errors_are_named():
    """Of other errors type and place are told."""
    shown = as_cause(KeyError(SECRET))
    assert str(shown).startswith("KeyError, whose text is left out")


@pytest.mark.parametrize("error", [ConversionError("own"), ImportError("x"), UserWarning("x")])
def test_what_passes(error):
    """Own errors, missing packages and warnings pass as they are."""

    def fails():
        raise error

    with pytest.raises(type(error)) as caught:
        converted(fails)
    assert caught.value is error
