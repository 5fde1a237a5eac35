"""The same `turn_id` gives the same kind of answer."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from support import CALL, OUTPUT, FourMethods, gathered

from memwrap import InMemorySession, SQLiteSession, is_replay, record, with_session
from memwrap.items import assistant, user
from memwrap.turn import Kept


@dataclass
class City:
    """A structured answer."""

    name: str
    size: int = 1


class Pair(NamedTuple):
    """Another."""

    left: str
    right: int


@pytest.fixture(params=["memory", "sqlite", "four"])
def session(request, tmp_path):
    """A session of each kind that records turns in its own way."""
    if request.param == "memory":
        return InMemorySession("s")
    return SQLiteSession("s", tmp_path / "s.db") if request.param == "sqlite" else FourMethods()


async def both(agent, session):
    """Return the answer of a turn, and of its repetition."""
    first = await agent("q", session=session, turn_id="t")
    again = await agent("q", session=session, turn_id="t")
    assert is_replay(again)
    return first, again


async def both_streams(agent, session):
    """Return the events of a turn, and of its repetition."""
    first = await gathered(agent("q", session=session, turn_id="t"))
    again = await gathered(agent("q", session=session, turn_id="t"))
    assert all(map(is_replay, again))
    assert not any(map(is_replay, first))
    return first, again


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        assistant("an item"),
        [assistant("a"), assistant("b")],
        [CALL, OUTPUT, assistant("c")],
        [assistant("one")],
    ],
)
async def test_calls(session, answer):
    """Text, an item and lists of items are what they were."""

    @with_session
    async def agent(items):
        return answer

    assert await both(agent, session) == (answer, answer)


async def test_recorded_items_are_no_part_of_the_answer(session):
    """What an agent recorded is not given back, whatever it is."""

    @with_session
    async def agent(items):
        record([assistant("thinking aloud"), CALL, OUTPUT])
        return "answer"

    assert await both(agent, session) == ("answer", "answer")


async def test_text_around_what_was_recorded(session):
    """A stream has all of its text again, without text that was recorded."""

    @with_session
    async def agent(items):
        yield "Let me "
        yield "look. "
        record([CALL, OUTPUT, assistant("a note")])
        yield "Sunny."
        record(assistant("the end"))

    first, again = await both_streams(agent, session)
    assert "".join(first) == "".join(again) == "Let me look. Sunny."


async def test_streams_of_items_and_text(session):
    """A stream of items and text gives both again, in order."""

    @with_session
    async def agent(items):
        yield CALL
        yield OUTPUT
        yield "sun"
        yield "ny"
        yield [assistant("one"), assistant("two")]

    first, again = await both_streams(agent, session)
    assert again == [CALL, OUTPUT, "sunny", [assistant("one"), assistant("two")]]


async def test_stream_without_events(session):
    """A stream that sent nothing sends nothing again."""

    @with_session
    async def agent(items):
        record(assistant("silent"))
        return
        yield

    assert await both_streams(agent, session) == ([], [])


async def test_layers_that_leave_items_out(session):
    """Where a layer stores fewer items or others, the answer is made of those that it kept."""

    async def without_calls(turn, send, handler):
        turn.before_save.append(
            lambda kept: Kept([], [item for item in kept.new_items if item.get("role")])
        )
        await handler(turn, send)

    @with_session(middleware=[without_calls])
    async def agent(items):
        record([assistant("a note"), CALL, OUTPUT])
        yield "one "
        record([CALL, OUTPUT])
        yield "two"

    first, again = await both_streams(agent, session)
    assert "".join(first) == "".join(again) == "one two"


@pytest.mark.parametrize(
    "answer",
    [
        *(City("Rome", 3), 42, 1.5, True, (1, "two"), Pair("a", 2), {1, 2}, [City("A"), City("B")]),
        *([1, 2], (assistant("a"), assistant("b"))),
    ],
    ids=repr,
)
async def test_values(session, answer):
    """Structured answers have their type again."""

    @with_session
    async def agent(items):
        return answer

    await agent("q", session=session, turn_id="t")
    again = await agent("q", session=session, turn_id="t")
    assert again == answer
    assert type(again) is type(answer)


async def test_values_of_local_classes():
    """A class inside of a function is known as long as it lives."""

    @dataclass
    class Local:
        name: str

    @with_session
    async def agent(items):
        return Local("x")

    assert await both(agent, InMemorySession("s")) == (Local("x"), Local("x"))


async def test_value_that_a_layer_changed():
    """JSON that a layer made text of comes back as that text."""

    async def redacting(turn, send, handler):
        turn.before_save.append(lambda kept: Kept(kept.input, [assistant("[REDACTED]")]))
        await handler(turn, send)

    @with_session(middleware=[redacting])
    async def agent(items):
        return City("Rome")

    session = InMemorySession("s")
    await agent("q", session=session, turn_id="t")
    assert await agent("q", session=session, turn_id="t") == "[REDACTED]"


SCRIPT = """
import asyncio
import sys
from dataclasses import dataclass
from memwrap import SQLiteSession, with_session

@dataclass
class City:
    name: str

@with_session(session=SQLiteSession("s", sys.argv[1]))
async def agent(items):
    assert sys.argv[2] == "first"
    return City("Rome")

assert asyncio.run(agent("q", turn_id="t")) == City("Rome")
"""


def test_values_after_a_restart(tmp_path):
    """Another process gives a structured answer its type again."""
    for which in ("first", "second"):
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "s.db"), which],
            check=True,
            cwd=__file__.rpartition("/")[0],
            env={"PYTHONPATH": f"{__file__.rpartition('/')[0]}/..:."},
        )


@pytest.mark.parametrize("shape", ["[1]", "[", '[["text",["a"],"",[]]]', "other"])
async def test_shape_that_memwrap_did_not_write(shape):
    """A record that says nonsense gives the answer as the dialect has it."""
    from memwrap.memory.pieces import read_pieces

    (piece,) = read_pieces(shape, 2)
    assert piece.kind == "message"
    assert piece.places == [0, 1]


def test_synchronous_agents():
    """Synchronous agents give the same again too."""

    @with_session
    def agent(items):
        yield "a"
        record([CALL, OUTPUT])
        yield "b"

    session = InMemorySession("s")
    texts = ["".join(agent("q", session=session, turn_id="t")) for _ in range(2)]
    assert texts == ["ab", "ab"]
    assert asyncio.run(session.get_items())[0] == user("q")
