"""What is kept out of the store, and from the agent."""

import asyncio
import json
import re
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import gathered

from memwrap import ConfigurationError, InMemorySession, TurnError, record, with_session
from memwrap.adapters import plain
from memwrap.items import assistant, user
from memwrap.middleware import Memory, Redact
from memwrap.testing import FlakySession, ScriptedAgent
from memwrap.turn import Kept, Turn

KEY = r"sk-\w+"
GONE = "[REDACTED]"


def redacted(layer, *items):
    """Return the items as they would be stored."""
    turn = Turn(None, [], adapter=plain)

    async def handler(turn, send):
        pass

    asyncio.run(layer(turn, None, handler))
    kept = Kept([], list(items))
    for change in turn.before_save:
        kept = change(kept)
    return kept.new_items


def fail(text):
    """Fail as a function may, with the text in its error."""
    if "hush" in text:
        raise LookupError(f"no rule for {text}")
    return text


async def test_store_and_agent_see_nothing_of_it(session):
    """By default neither the agent nor the store gets what matches; the caller gets everything."""
    script = ScriptedAgent("use sk-def", "x")
    agent = with_session(script, middleware=[Redact(KEY)])
    await session.add_items([user("old sk-old")])
    assert await agent("my key is sk-abc", session=session) == "use sk-def"
    assert script.calls == [[user(f"old {GONE}"), user(f"my key is {GONE}")]]
    assert await session.get_items() == [
        user("old sk-old"),
        user(f"my key is {GONE}"),
        assistant(f"use {GONE}"),
    ]


async def test_stored_only(session):
    """With `agent=False` the agent sees everything."""
    script = ScriptedAgent("x")
    agent = with_session(script, middleware=[Redact(KEY, agent=False)])
    await agent("sk-abc", session=session)
    assert script.calls == [[user("sk-abc")]]
    assert await session.get_items() == [user(GONE), assistant("x")]


async def test_agent_only(session):
    """With `stored=False` everything is stored."""
    script = ScriptedAgent("sk-def", "x")
    agent = with_session(script, middleware=[Redact(KEY, stored=False)])
    await agent("sk-abc", session=session)
    await agent("y", session=session)
    assert script.calls[1] == [user(GONE), assistant(GONE), user("y")]
    assert (await session.get_items())[:2] == [user("sk-abc"), assistant("sk-def")]


async def test_two_layers_for_two_readers(session):
    """What is stored and what the agent sees can be redacted differently."""
    layers = [Redact("a", stored=False, replacement="1"), Redact("b", agent=False)]
    script = ScriptedAgent("ab")
    await with_session(script, middleware=layers)("ab", session=session)
    assert script.calls == [[user("1b")]]
    assert await session.get_items() == [user(f"a{GONE}"), assistant(f"a{GONE}")]


async def test_around_memory(session):
    """The layer works on either side of `Memory`, and for an agent without a session."""
    script = ScriptedAgent("x", "y")
    agent = with_session(script, middleware=[Redact(KEY), Memory()])
    await agent("sk-abc", session=session)
    await agent("sk-abc")
    assert script.calls == [[user(GONE)]] * 2
    assert await session.get_items() == [user(GONE), assistant("x")]


async def test_values_split_over_chunks(session):
    """A value that a stream sends in pieces is found in the whole; the chunks are not delayed."""
    chunks = ["the key is s", "k-a", "b", "c.", " Keep it"]
    stream = with_session(ScriptedAgent(chunks).stream, middleware=[Redact(KEY)])
    assert await gathered(stream("x", session=session)) == chunks
    assert (await session.get_items())[1] == assistant(f"the key is {GONE}. Keep it")


async def test_recorded_items_are_redacted(session):
    """What an agent records is stored like what it returns."""

    @with_session(session=session, middleware=[Redact(KEY)])
    async def agent(items):
        record({"type": "function_call", "call_id": "c", "name": "f", "arguments": '"sk-a"'})
        record({"type": "function_call_output", "call_id": "c", "output": "sk-a"})
        return "done"

    await agent("x")
    call, output = (await session.get_items())[1:3]
    assert call["arguments"] == f'"{GONE}"'
    assert output["output"] == GONE


@pytest.mark.parametrize(
    ("item", "stored"),
    [
        (user("sk-a and sk-b"), user(f"{GONE} and {GONE}")),
        (
            {"role": "user", "content": [{"type": "input_text", "text": "sk-a"}]},
            {"role": "user", "content": [{"type": "input_text", "text": GONE}]},
        ),
        (
            {"role": "user", "content": [{"deep": [[{"er": ["sk-a", None, True, 1.5]}]]}]},
            {"role": "user", "content": [{"deep": [[{"er": [GONE, None, True, 1.5]}]]}]},
        ),
        (
            {"role": "user", "content": ({"text": ("sk-a",)},)},
            {"role": "user", "content": [{"text": [GONE]}]},
        ),
        (
            {"type": "x", "metadata": {"sk-a": 1, "sk-b": 2, "plain": 3}},
            {"type": "x", "metadata": {GONE: 1, GONE + "_2": 2, "plain": 3}},
        ),
        ({"type": "x", "sk-a": "y"}, {"type": "x", GONE: "y"}),
        (
            {"type": "function_call", "arguments": '{"key":"sk-a","n":1}'},
            {"type": "function_call", "arguments": f'{{"key": "{GONE}", "n": 1}}'},
        ),
        (
            {"type": "function_call", "arguments": '{"key":"\\u0073k-a"}'},
            {"type": "function_call", "arguments": f'{{"key": "{GONE}"}}'},
        ),
        (
            {"type": "function_call", "arguments": ' \n{"key":"\\u0073k-a"}'},
            {"type": "function_call", "arguments": f'{{"key": "{GONE}"}}'},
        ),
        (
            {"type": "function_call", "arguments": '"\\u0073k-a"'},
            {"type": "function_call", "arguments": f'"{GONE}"'},
        ),
        (
            {"type": "function_call", "arguments": json.dumps({"json": '{"k": "\\u0073k-a"}'})},
            {"type": "function_call", "arguments": json.dumps({"json": f'{{"k": "{GONE}"}}'})},
        ),
        (
            {"type": "function_call", "arguments": '{"sk-a": ["sk-b"]'},
            {"type": "function_call", "arguments": f'{{"{GONE}": ["{GONE}"]'},
        ),
        (
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "sk-a"}]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": GONE}]},
        ),
        (
            {"role": "assistant", "content": "x", "provider_data": {"f": {"raw": "sk-a"}}},
            {"role": "assistant", "content": "x", "provider_data": {"f": {"raw": GONE}}},
        ),
    ],
)
def test_every_string_is_looked_at(item, stored):
    """Nested values, keys, and the JSON in strings are covered."""
    assert redacted(Redact(KEY), item) == [stored]


def test_numbers_are_looked_at():
    """A number whose digits match is replaced, in items and in the JSON of arguments."""
    layer = Redact(r"\b\d{16}\b")
    item = {"type": "x", "card": 4111111111111111, "n": 17, "f": 1.5, "b": True, "none": None}
    assert redacted(layer, item) == [{**item, "card": GONE}]
    call = {"type": "function_call", "arguments": '{"card": 4111111111111111, "n": 17}'}
    assert json.loads(redacted(layer, call)[0]["arguments"]) == {"card": GONE, "n": 17}


def test_what_makes_an_item_an_item_stays():
    """Type, role, status and ids are no text, and the names of fields are no keys of somebody's."""
    items = [
        {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": []},
        {"type": "function_call", "id": "fc", "call_id": "call", "name": "", "arguments": ""},
        {"type": "function_call_output", "call_id": "call", "output": [{"type": "input_text"}]},
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": ""}]},
    ]
    assert redacted(Redact(r".+"), *items) == items


def test_arguments_that_hold_nothing_stay_as_they_are():
    """JSON without a match keeps its spaces, its numbers and the order of its keys."""
    for text in (
        '{"b":1.0,  "a":[1e3]}',
        " [ ] ",
        "{broken",
        '"x"',
        "[NaN]",
        "{}",
        '{"a":1,"a":2}',
    ):
        item = {"type": "function_call", "arguments": text}
        assert redacted(Redact(KEY), item) == [item]


def test_items_that_hold_nothing_are_unchanged():
    """An item without a match is the same, to the type of each number."""
    item = {"role": "user", "content": [{"n": [1, 1.0, 10**30, -0.0, True, None, "", {}]}]}
    assert repr(redacted(Redact(KEY), item)) == repr([item])


def test_original_items_are_left_alone():
    """Redacting makes new items; what agent and caller hold is theirs."""
    item = {"role": "user", "content": [{"type": "input_text", "text": "sk-a"}]}
    before = json.dumps(item)
    redacted(Redact(KEY), item)
    assert json.dumps(item) == before


plain_text = st.text(st.sampled_from('ab {}[]":,\\\n1é😀'), max_size=6)
secret_text = st.tuples(plain_text, st.just("sk_9"), plain_text).map("".join)
texts = plain_text | secret_text
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3).map(json.dumps)
        | inner.map(json.dumps)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": anything}), max_size=3))
def test_nothing_of_it_is_left_anywhere(items):
    """Wherever a secret stands nothing of it is stored, and the rest is what it was."""
    stored = redacted(Redact("sk_9"), *items)
    assert "sk_9" not in json.dumps(stored, ensure_ascii=False)
    assert [item["role"] for item in stored] == ["user"] * len(items)
    for item, kept in zip(items, stored, strict=True):
        if "sk_9" not in json.dumps(item, ensure_ascii=False):
            assert repr(kept) == repr(item)


@pytest.mark.parametrize(
    ("patterns", "text", "expected"),
    [
        ("a+", "caat", "c[REDACTED]t"),
        (re.compile("A", re.IGNORECASE), "cat", "c[REDACTED]t"),
        (["a", re.compile("t")], "cat", "c[REDACTED][REDACTED]"),
        (iter(["a", "t"]), "cat", "c[REDACTED][REDACTED]"),
        (str.upper, "cat", "CAT"),
    ],
)
def test_patterns(patterns, text, expected):
    """One pattern, several, compiled ones and a function say what is replaced."""
    assert redacted(Redact(patterns), user(text)) == [user(expected)]


def test_replacement_is_taken_literally():
    """What stands for a match is no template."""
    assert redacted(Redact("(a)", replacement=r"\1\g<0>"), user("a")) == [user(r"\1\g<0>")]
    assert redacted(Redact("a", replacement=""), user("cat")) == [user("ct")]


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (["("], {}, "regular expression"),
        ([[]], {}, "needs a pattern"),
        ([None], {}, "regular expression"),
        ([5], {}, "regular expression"),
        ([["a", None]], {}, "regular expression"),
        ([b"a"], {}, "regular expression"),
        ([re.compile(b"a")], {}, "regular expression"),
        (["a"], {"stored": False, "agent": False}, "redacts nothing"),
        (["a"], {"replacement": None}, "replacement"),
    ],
)
def test_wrong_options_are_refused(arguments, options, says):
    """Wrong options are told when the layer is made."""
    with pytest.raises(ConfigurationError, match=says):
        Redact(*arguments, **options)


def test_repr_shows_no_pattern():
    """A pattern may itself be a secret."""
    assert repr(Redact("hush", stored=False)) == "Redact(stored=False, agent=True)"


def check_silent(error):
    """Check that an error shows nothing, nor the errors that hang on it."""
    shown = "".join(traceback.format_exception(error))
    while error is not None:
        shown += f"{error} {error!r} {error.args}"
        error = error.__cause__ or error.__context__
    assert "hush" not in shown


@pytest.mark.parametrize("function", [fail, lambda text: None if "hush" in text else text])
async def test_failing_function_stores_nothing(function):
    """If the function fails on what is to be stored nothing is, and the error shows nothing."""
    session = FlakySession()
    agent = with_session(ScriptedAgent("hush"), middleware=[Redact(function, agent=False)])
    with pytest.raises(TurnError) as caught:
        await agent("x", session=session)
    check_silent(caught.value)
    assert session.calls == ["get_items"]


@pytest.mark.parametrize("function", [fail, lambda text: b"" if "hush" in text else text])
async def test_failing_function_keeps_the_agent_out(function):
    """If the function fails on what the agent is to see the agent is not called."""
    session, script = FlakySession(), ScriptedAgent("x")
    agent = with_session(script, middleware=[Redact(function, stored=False)])
    for text in ("hush", [user("x"), {"role": "user", "content": [{"text": ["hush"]}]}]):
        with pytest.raises(TurnError) as caught:
            await agent(text, session=session)
        check_silent(caught.value)
    assert script.calls == []
    assert session.calls == ["get_items"] * 2


async def test_failing_function_fails_a_stream_at_its_end(session):
    """The events of a stream have been sent; its turn is not stored."""
    script = ScriptedAgent(["hu", "sh"])
    events = with_session(script.stream, middleware=[Redact(fail, agent=False)])
    seen = []
    with pytest.raises(TurnError):
        async for event in events("x", session=session):
            seen.append(event)
    assert seen == ["hu", "sh"]
    assert await session.get_items() == []


async def test_one_layer_serves_many_turns(session):
    """A layer keeps nothing of a turn, so turns at once share it."""
    layer = Redact(KEY)
    sessions = [InMemorySession(str(n)) for n in range(5)]
    script = ScriptedAgent(*"vwxyz")
    agent = with_session(script, middleware=[layer])
    await asyncio.gather(*(agent("sk-abc", session=session) for session in sessions))
    for session in sessions:
        assert (await session.get_items())[0] == user(GONE)
    assert script.calls == [[user(GONE)]] * 5


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"key": "\\u0073k-a", "rest": ["x\\n', '{"key": "[GONE]", "rest": ["x\\n'),
        ('["x\\u0073k-a', '["x[GONE]'),
        ("[" * 900 + '"\\u0073k-a"' + "]" * 900, "[" * 900 + '"[GONE]"' + "]" * 900),
        ('{"a": "\\u00', '{"a": "\\u00'),
    ],
    ids=["cut short", "in a string", "deep", "in an escape"],
)
def test_json_that_nobody_can_read_as_a_whole(text, kept):
    """Escapes hide no secret in JSON that is cut short or too deep, and neither fails the turn."""
    layer = Redact(r"sk-\w", replacement="[GONE]")
    (item,) = layer._redact([{"role": "user", "content": text}])
    assert item["content"] == kept
