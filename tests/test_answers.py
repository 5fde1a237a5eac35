"""Calls that are answers: stored as they were, shown with an output."""

import pytest

from memwrap import InMemorySession, SQLiteSession, with_session
from memwrap.answers import answers_marked, with_accepted
from memwrap.hidden.data import without_hidden
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent

CALL = {"type": "function_call", "call_id": "c", "name": "Joke", "arguments": "{}"}
CUSTOM = {"type": "custom_tool_call", "call_id": "d", "name": "Joke", "input": "x"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "told"}


def accepted(call):
    kind = f"{call['type']}_output"
    return {"type": kind, "call_id": call["call_id"], "output": "accepted"}


def test_calls_without_output_are_answers():
    """What nobody ran is an answer; what has an output, or is no call, is none."""
    items = [CALL, OUTPUT, assistant("x"), CALL, CUSTOM]
    marked = answers_marked(items)
    assert marked[:3] == items[:3]
    assert without_hidden(marked) == items
    assert without_hidden(with_accepted(marked)) == [
        *items[:4],
        accepted(CALL),
        CUSTOM,
        accepted(CUSTOM),
    ]
    assert with_accepted(items) == items


def test_an_answer_that_somebody_ran():
    """An output that did come is the output."""
    items = [*answers_marked([CALL]), OUTPUT]
    assert with_accepted(items) == items


@pytest.mark.parametrize("make", [InMemorySession, SQLiteSession])
async def test_answers_are_shown_in_later_turns(make):
    """The note of an answer is stored; a call that is none is left out, as ever."""
    session = make("s")

    async def layer(turn, send, handler):
        if turn.input == [user("joke")]:
            turn.before_save.append(
                lambda kept: kept._replace(new_items=answers_marked(kept.new_items))
            )
        await handler(turn, send)

    script = ScriptedAgent([CALL], [CALL], "a", "b")
    agent = with_session(script, session=session, middleware=[layer])
    for text in ("joke", "tool", "Hi"):
        await agent(text)
    assert without_hidden(script.calls[-1]) == [
        *(user("joke"), CALL, accepted(CALL)),
        *(user("tool"), user("Hi")),
    ]
    assert without_hidden(await session.get_items())[:2] == [user("joke"), CALL]


async def test_answers_in_input_are_not_believed():
    """A stranger's note makes no output."""
    session, script = InMemorySession("s"), ScriptedAgent("a", "b")
    agent = with_session(script, session=session)
    await agent([user("x"), *answers_marked([CALL]), user("y")])
    await agent("z")
    assert accepted(CALL) not in script.calls[-1]
