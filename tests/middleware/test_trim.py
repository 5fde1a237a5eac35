"""How a long history is cut for the agent."""

import asyncio
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import CALL, OUTPUT, REASONING

from memwrap import ConfigurationError, InMemorySession, with_session
from memwrap.adapters import plain
from memwrap.items import assistant, system, user
from memwrap.middleware import Memory
from memwrap.middleware import Trim as AnyTrim
from memwrap.testing import ScriptedAgent
from memwrap.turn import Turn

Trim = partial(AnyTrim, drop_to=1.0)  # cuts as little as possible, in each turn
DEVELOPER = {"role": "developer", "content": "d"}


def shown(trim, history, *input):
    """Return what is left of the history when the layer has run."""
    turn = Turn(None, list(input), adapter=plain)
    turn.history = list(history)
    seen = []

    async def handler(turn, send):
        seen.extend(turn.history)

    asyncio.run(trim(turn, None, handler))
    assert turn.input == list(input)
    return seen


def call(id, kind="function"):
    return {"type": f"{kind}_call", "call_id": id}


def output(id, kind="function"):
    return {"type": f"{kind}_call_output", "call_id": id}


@pytest.mark.parametrize("trim", [Trim(max_items=1), Trim(max_items=0), Trim(max_turns=0)])
def test_calls_that_the_input_answers_stay(trim):
    """A call whose output comes with the input is not cut off, and neither is its reasoning."""
    history = [user("1"), REASONING, call("a"), call("b")]
    assert shown(trim, history, output("a"), output("b")) == history[1:]
    assert shown(trim, [*history, output("a")], output("b")) == [*history[1:], output("a")]


ids = st.sampled_from("ab")
any_item = st.one_of(
    st.sampled_from([user("u"), assistant("a"), system("s"), DEVELOPER, REASONING]),
    st.builds(call, ids),
    st.builds(output, ids),
    st.builds(call, ids, st.just("computer")),
).map(dict)
histories = st.lists(any_item, max_size=12).map(
    lambda items: [{**item, "n": number} for number, item in enumerate(items)]
)
limits = st.none() | st.integers(0, 8)


def instruction(item):
    return item.get("role") in ("system", "developer")


def pairs(history):
    """Return the places of calls and their outputs, found by looking at everything."""
    found = {}
    for j, item in enumerate(history):
        if not item.get("type", "").endswith("_output"):
            continue
        asking = [
            i
            for i in range(j)
            if history[i].get("type", "").endswith("_call")
            if history[i]["call_id"] == item["call_id"] and i not in found
        ]
        # Of the newest row of calls the first.
        row = [i for i in asking if not any(map(ends_a_row, history[i : asking[-1]]))]
        if row:
            found[row[0]] = j
    return found


def ends_a_row(item):
    """Tell whether calls before an item and behind it were made apart."""
    return "role" in item or item["type"].endswith("_output")


def separated(history, place):
    """Tell whether a cut there parts what belongs together."""
    behind_reasoning = 0 < place < len(history) and history[place - 1].get("type") == "reasoning"
    return behind_reasoning or any(i < place <= j for i, j in pairs(history).items())


def turns_of(history, place):
    """Return how many turns the items from a place on are of."""
    turn, turns = 0, []
    for number, item in enumerate(history):
        began = number and history[number - 1].get("role") == "user"
        turn += item.get("role") == "user" and not began
        turns.append(turn)
    return len(set(turns[place:]) - {0})


def weight(item):
    return item["n"] % 4


@settings(deadline=None, max_examples=500)
@given(histories, limits, limits, st.none() | st.integers(0, 20), st.integers(0, 3))
def test_the_longest_part_within_all_limits_is_shown(history, items, turns, tokens, input):
    """Of all cuts that part nothing and keep every limit the one that leaves most is taken."""
    if items is turns is tokens is None:
        items = 3

    def allowed(place):
        rest = [item for item in history[place:] if not instruction(item)]
        kept = rest + [item for item in history if instruction(item)]
        return not separated(history, place) and (
            (items is None or len(rest) <= items)
            and (turns is None or turns_of(history, place) <= turns)
            and (tokens is None or sum(map(weight, kept)) + input <= tokens)
        )

    place = next((p for p in range(len(history)) if allowed(p)), len(history))
    expected = [item for item in history[:place] if instruction(item)] + history[place:]
    trim = Trim(
        max_items=items,
        max_turns=turns,
        max_tokens=tokens,
        count_tokens=None if tokens is None else weight,
    )
    assert shown(trim, history, {**user("now"), "n": input}) == expected


@settings(deadline=None, max_examples=300)
@given(histories, st.integers(0, 8))
def test_what_belongs_together_stays_together(history, items):
    """What is shown of calls has its output, of reasoning what follows; the order is kept."""
    numbers = [item["n"] for item in shown(Trim(max_items=items), history)]
    assert numbers == sorted(numbers)
    assert sum(not instruction(history[number]) for number in numbers) <= items
    for number, item in enumerate(history):
        if instruction(item):
            assert number in numbers
        if item.get("type") == "reasoning" and number + 1 < len(history):
            assert number not in numbers or number + 1 in numbers
    for asked, answered in pairs(history).items():
        assert (asked in numbers) == (answered in numbers)


def test_newest_items_are_shown():
    """A limit of items leaves the newest."""
    history = [user("1"), assistant("2"), user("3"), assistant("4")]
    assert shown(Trim(max_items=3), history) == history[1:]
    assert shown(Trim(max_items=4), history) == history
    assert shown(Trim(max_items=99), history) == history
    assert shown(Trim(max_items=0), history) == []
    assert shown(Trim(max_items=1), []) == []


def test_instructions_are_always_shown():
    """System and developer items stay in their places and are not counted."""
    history = [system("1"), user("2"), DEVELOPER, assistant("3"), system("4"), user("5")]
    assert shown(Trim(max_items=1), history) == [system("1"), DEVELOPER, system("4"), user("5")]
    assert shown(Trim(max_turns=0), history) == [system("1"), DEVELOPER, system("4")]


def test_turns_are_shown_whole():
    """A limit of turns cuts where the user began to speak."""
    history = [assistant("hi"), user("1"), user("2"), assistant("3"), user("4"), assistant("5")]
    assert shown(Trim(max_turns=1), history) == history[4:]
    assert shown(Trim(max_turns=2), history) == history
    assert shown(Trim(max_turns=0), history) == []


def test_calls_are_never_parted_from_outputs():
    """A cut that would fall between a call and its output falls behind the output."""
    history = [user("1"), CALL, assistant("2"), OUTPUT, assistant("3")]
    assert shown(Trim(max_items=3), history) == [assistant("3")]
    assert shown(Trim(max_items=4), history) == history[1:]


def test_reasoning_is_never_parted_from_what_follows():
    """A cut that would fall behind a reasoning item falls behind what follows it."""
    history = [user("1"), REASONING, CALL, OUTPUT, assistant("3")]
    assert shown(Trim(max_items=3), history) == [assistant("3")]
    assert shown(Trim(max_items=4), history) == history[1:]


def test_reasoning_before_an_instruction():
    """What follows a reasoning item may be an instruction, and neither is shown without it."""
    history = [user("1"), REASONING, system("2"), assistant("3")]
    assert shown(Trim(max_items=1), history) == [system("2"), assistant("3")]
    assert shown(Trim(max_items=2), history) == history[1:]


def test_tokens_of_everything_are_counted():
    """History, instructions and input share the limit, and the input is never cut."""

    def count(item):
        return len(item["content"])

    history = [system("ss"), user("uuu"), assistant("aaaa")]
    for limit, expected in [(10, history), (9, history[::2]), (7, history[::2]), (6, history[:1])]:
        trim = Trim(max_tokens=limit, count_tokens=count)
        assert shown(trim, history, user("i")) == expected
    assert shown(Trim(max_tokens=0, count_tokens=count), history, user("iii")) == [system("ss")]


async def test_store_is_untouched():
    """What is not shown is still stored, and the next turn may show more."""
    session = InMemorySession("s")
    script = ScriptedAgent(*"abc")
    for number, items in enumerate((0, 1, 99)):
        agent = with_session(script, middleware=[Trim(max_items=items)])
        await agent(str(number), session=session)
    whole = [item for n, a in enumerate("abc") for item in (user(str(n)), assistant(a))]
    assert script.calls == [[user("0")], [assistant("a"), user("1")], whole[:5]]
    assert await session.get_items() == whole


async def test_one_layer_serves_many_agents():
    """A `Trim` keeps nothing of a turn, so agents and turns share it."""
    trim = Trim(max_items=1)
    scripts = [ScriptedAgent("x", "y") for _ in range(2)]
    agents = [with_session(s, middleware=[trim], session=InMemorySession("s")) for s in scripts]
    await asyncio.gather(*(agent("1") for agent in agents))
    await asyncio.gather(*(agent("2") for agent in agents))
    assert [script.calls[1] for script in scripts] == [[assistant("x"), user("2")]] * 2


async def test_limits_of_two_layers_both_hold():
    """Several layers cut one after the other."""
    session = InMemorySession("s")
    await session.add_items([user("1"), assistant("2"), user("3"), assistant("4")])
    script = ScriptedAgent("x")
    layers = [Memory(), Trim(max_turns=1), Trim(max_items=1)]
    await with_session(script, middleware=layers)("5", session=session)
    assert script.calls == [[assistant("4"), user("5")]]


async def test_error_of_the_counter_reaches_the_caller():
    """If counting fails the turn fails, and nothing is stored."""

    def count(item):
        raise LookupError("no such model")

    session, script = InMemorySession("s"), ScriptedAgent("x")
    agent = with_session(script, middleware=[Trim(max_tokens=5, count_tokens=count)])
    with pytest.raises(LookupError):
        await agent("a", session=session)
    assert script.calls == []
    assert await session.get_items() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "needs a limit"),
        ({"max_items": -1}, "max_items"),
        ({"max_items": True}, "max_items"),
        ({"max_turns": "5"}, "max_turns"),
        ({"max_turns": 1.0}, "max_turns"),
        ({"max_tokens": -5, "count_tokens": len}, "max_tokens"),
        ({"max_tokens": 5}, "go together"),
        ({"max_items": 5, "count_tokens": len}, "go together"),
        ({"max_tokens": 5, "count_tokens": "len"}, "count_tokens"),
    ],
)
def test_wrong_limits_are_refused(options, says):
    """Wrong options are told when the layer is made."""
    with pytest.raises(ConfigurationError, match=says):
        Trim(**options)
