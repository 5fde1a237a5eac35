"""Functions of layers: what they return and change in place, and attempts that are repeated."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from support import gathered

from memwrap import InMemorySession, with_session
from memwrap.adapters.langchain import from_runnable_with_history, to_items
from memwrap.exceptions import TurnError
from memwrap.items import assistant, system, user
from memwrap.testing import FlakySession
from memwrap.turn import Kept, View


def hook(where, function):
    """Return a layer that appends a function to a list of hooks."""

    async def layer(turn, send, handler):
        getattr(turn, where).append(function)
        await handler(turn, send)

    return layer


async def call(items):
    return assistant("a")


async def stream(items):
    yield "a"
    yield "b"


async def ask(agent, kind, *args, **options):
    """Call an agent of a kind, and return all it gave."""
    if kind == "call":
        return [await agent(*args, **options)]
    return await gathered(agent(*args, **options))


AGENTS = {"call": call, "stream": stream}
KINDS = pytest.mark.parametrize("kind", AGENTS)
NO_PAIRS = {
    "nothing": lambda pair: None,
    "one list": lambda pair: [*pair[0], *pair[1]],
    "tuple": lambda pair: (pair[0], pair[1]),
    "the other pair": lambda pair: (Kept if type(pair) is View else View)(*pair),
    "no lists": lambda pair: type(pair)(tuple(pair[0]), pair[1]),
    "iterators": lambda pair: type(pair)(pair[0], iter(pair[1])),
    "nones": lambda pair: type(pair)(None, None),
    "no items": lambda pair: type(pair)(["text"], [5]),
}


@KINDS
@pytest.mark.parametrize("where", ["before_agent", "before_save"])
@pytest.mark.parametrize("name", NO_PAIRS)
async def test_a_function_that_returns_no_pair_fails_the_turn(name, where, kind, session):
    """What is no pair of lists of items is an error that names the function; nothing is stored."""
    agent = with_session(AGENTS[kind], middleware=[hook(where, NO_PAIRS[name])], session=session)
    with pytest.raises(TurnError, match=rf"lambda.* in turn.{where}"):
        await ask(agent, kind, "q")
    assert await session.get_items() == []


def shouted(pair):
    """Change a pair in place."""
    for items in pair:
        for item in items:
            item["content"] = item["content"].upper()
    return pair


@KINDS
@pytest.mark.parametrize("make", [lambda: InMemorySession("s"), FlakySession])
async def test_changes_in_place_reach_what_is_stored_alone(make, kind):
    """A function may change what is stored in place: caller and later turns see no difference."""
    session = make()
    agent = with_session(AGENTS[kind], middleware=[hook("before_save", shouted)], session=session)
    first = await ask(agent, kind, "q", turn_id="t")
    again = await ask(agent, kind, "q", turn_id="t")
    assert first == {"call": [assistant("a")], "stream": ["a", "b"]}[kind]
    assert again == {"call": [assistant("A")], "stream": ["AB"]}[kind]
    assert [item["content"] for item in await session.get_items()] == [
        "Q",
        {"call": "A", "stream": "AB"}[kind],
    ]


@KINDS
async def test_an_answer_is_found_behind_a_dropped_instruction(kind, session):
    """A repeated turn gives its answer when a function stores less input than there was."""

    def asked(kept):
        return Kept([item for item in kept.input if item["role"] != "system"], kept.new_items)

    agent = with_session(AGENTS[kind], middleware=[hook("before_save", asked)], session=session)
    input = [system("Be kind."), user("q")]
    first = await ask(agent, kind, input, turn_id="t")
    again = await ask(agent, kind, input, turn_id="t")
    assert "".join(map(str, again)) == "".join(map(str, first))
    assert len(await session.get_items()) == 2


EXTRA = user("reminder")
VIEWS = {
    "behind the history": (lambda v: View([*v.history, EXTRA], v.input), 3, ["q"]),
    "before the history": (lambda v: View([EXTRA, *v.history], v.input), 3, ["q"]),
    "behind the input": (lambda v: View(v.history, [*v.input, EXTRA]), 2, ["q", "reminder"]),
    "before the input": (lambda v: View(v.history, [EXTRA, *v.input]), 2, ["reminder", "q"]),
    "in both": (lambda v: View([*v.history, EXTRA], [EXTRA, *v.input]), 3, ["reminder", "q"]),
    "the input in both": (lambda v: View([*v.history, *v.input], v.input), 3, ["q"]),
    "no history": (lambda v: View([], v.input), 0, ["q"]),
}


@pytest.mark.parametrize("name", VIEWS)
async def test_history_and_question_stay_apart(name):
    """A runnable with a key of its own for history gets what a function made of each, apart."""
    function, count, asked = VIEWS[name]
    session = FlakySession()
    await session.add_items(to_items([HumanMessage("one"), AIMessage("two")]))
    seen = []
    runnable = from_runnable_with_history(
        RunnableLambda(lambda given: seen.append(given) or AIMessage("x")),
        lambda session_id: session,
        input_messages_key="question",
        history_messages_key="history",
        middleware=[hook("before_agent", function)],
    )
    await runnable.ainvoke({"question": "q"}, config={"configurable": {"session_id": "s"}})
    ((given,)) = seen
    assert len(given["history"]) == count
    question = given["question"]
    texts = [question] if isinstance(question, str) else [message.text for message in question]
    assert texts == asked
