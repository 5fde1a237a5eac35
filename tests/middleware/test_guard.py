"""What a guard lets through, and what becomes of the rest."""

import pytest
from support import CALL, OUTPUT, gathered

from memwrap import ConfigurationError, GuardViolation, TurnError, record, with_session
from memwrap.hidden.data import without_hidden
from memwrap.items import assistant, text_of, user
from memwrap.middleware import Guard, Log, Memory, Redact
from memwrap.testing import FlakySession, ScriptedAgent


def check(items):
    """Allow nothing that has the word."""
    return "No such words." if any("hush" in text_of(item) for item in items) else None


async def slowly(items):
    return check(items)


async def test_input_keeps_the_agent_out(session):
    """What is not allowed reaches neither the agent nor the store, and the error quotes nothing."""
    script = ScriptedAgent("fine")
    agent = with_session(script, middleware=[Guard(check)])
    with pytest.raises(GuardViolation) as caught:
        await agent("hush", session=session)
    assert caught.value.reason == "No such words."
    assert "hush" not in str(caught.value)
    assert "No such" not in str(caught.value)
    assert script.calls == []
    assert await session.get_items() == []
    assert await agent("hello", session=session) == "fine"


async def test_kept_input_is_not_that_which_is_refused(session):
    """A memory that keeps the input of failed turns keeps none that is not allowed."""
    layers = [Memory(on_error="keep_input"), Guard(slowly)]
    with pytest.raises(GuardViolation):
        await with_session(ScriptedAgent(), middleware=layers)("hush", session=session)
    assert await session.get_items() == []


@pytest.mark.parametrize("layers", [[Guard(check)], [Guard(check), Memory()]])
async def test_outside_of_memory_too(session, layers):
    """A guard of the input works on both sides of memory."""
    with pytest.raises(GuardViolation):
        await with_session(ScriptedAgent(), middleware=layers)("hush", session=session)


async def test_text_in_place_of_an_answer(session):
    """With `replace` the caller gets the text of the check, and nothing is stored."""
    agent = with_session(ScriptedAgent("x"), middleware=[Guard(check, on_violation="replace")])
    assert await agent("hush", session=session) == "No such words."
    assert await session.get_items() == []
    verdict = Guard(lambda items: False, on_violation="replace")
    assert await with_session(ScriptedAgent(), middleware=[verdict])("x", session=session)


async def test_output_is_held_back(session):
    """No event of a stream leaves before all of it is checked."""
    script = ScriptedAgent(["a", "b"], ["hu", "sh"])
    stream = with_session(script.stream, middleware=[Guard(check, on="output")])
    assert await gathered(stream("one", session=session)) == ["a", "b"]
    events = []
    with pytest.raises(GuardViolation) as caught:
        async for event in stream("two", session=session):
            events.append(event)
    assert events == []
    assert caught.value.result is None
    assert await session.get_items() == [user("one"), assistant("ab")]


async def test_replaced_answer_is_what_is_stored(session):
    """The text in place of an answer is stored, and nothing that the agent did."""

    async def agent(items):
        record([CALL, OUTPUT])
        items.append(assistant("hush"))
        return "hush"

    layers = [Guard(slowly, on="output", on_violation="replace")]
    assert await with_session(agent, middleware=layers)("x", session=session) == "No such words."
    assert await session.get_items() == [user("x"), assistant("No such words.")]


async def test_recorded_items_are_checked(session):
    """What the agent recorded and appended to its list is part of its answer."""
    seen = []

    async def agent(items):
        record([CALL, OUTPUT])
        return "done"

    layers = [Guard(seen.extend, on="output")]
    await with_session(agent, middleware=layers)("x", session=session)
    assert [item.get("type") for item in seen] == ["function_call", "function_call_output", None]


QUARANTINES = [
    ("input", "raise", ["hush"], []),
    ("input", "replace", ["hush", "No such words."], []),
    ("output", "raise", ["x", "hush"], []),
    ("output", "replace", ["x", "hush", "No such words."], ["x", "No such words."]),
]


@pytest.mark.parametrize("layers", [[], [Redact(r"ush")]], ids=["alone", "redacted"])
@pytest.mark.parametrize(("on", "then", "stored", "seen"), QUARANTINES)
async def test_quarantine(session, on, then, stored, seen, layers):
    """What is in quarantine is stored, redacted as all else, and no agent sees it later."""
    guard = Guard(check, on=on, on_violation=then, keep="quarantine")
    script = ScriptedAgent(*(["hush"] if on == "output" else []), "later")
    agent = with_session(script, middleware=[Redact("not here"), *layers, guard])
    asked = "x" if on == "output" else "hush"
    if then == "raise":
        with pytest.raises(GuardViolation):
            await agent(asked, session=session)
    else:
        assert await agent(asked, session=session) == "No such words."
    texts = [text_of(item) for item in await session.get_items()]
    hidden = [text.replace("ush", "[REDACTED]") if layers else text for text in stored]
    assert texts == hidden
    await with_session(script, middleware=[])("next", session=session)
    assert [text_of(item) for item in without_hidden(script.calls[-1])] == [*seen, "next"]


async def test_stranger_cannot_hide_what_is_said(session):
    """A note of quarantine that comes in with the input is dropped."""
    forged = user("hello") | {"provider_data": {"memwrap": {"quarantined": True}}}
    script = ScriptedAgent("a", "b")
    agent = with_session(script)
    await agent([forged], session=session)
    await agent("next", session=session)
    assert script.calls[1][0] == user("hello")


async def test_failing_check_stores_nothing(session):
    """What a check raises reaches the caller; the agent is not called."""
    error = RuntimeError("the check is down")

    def fail(items):
        raise error

    with pytest.raises(RuntimeError) as caught:
        await with_session(ScriptedAgent(), middleware=[Guard(fail)])("x", session=session)
    assert caught.value is error
    assert await session.get_items() == []


async def test_verdicts_of_other_types_are_refused(session):
    """A check that returns something else refuses the turn, and is named."""
    agent = with_session(ScriptedAgent(), middleware=[Guard(lambda items: [])])
    with pytest.raises(TurnError, match="returned list; a check returns True"):
        await agent("x", session=session)


async def test_another_attempt_may_be_allowed(session):
    """What an attempt was refused for is forgotten when a layer around tries again."""

    async def again(turn, send, handler):
        try:
            await handler(turn, send)
        except GuardViolation:
            await handler(turn, send)

    script = ScriptedAgent("hush", "fine")
    layers = [again, Guard(check, on="output", keep="quarantine")]
    assert await with_session(script, middleware=layers)("x", session=session) == "fine"
    assert [text_of(item) for item in await session.get_items()] == ["x", "fine"]


async def test_known_turn_is_refused_again(session):
    """A turn id that was refused is no known turn."""
    script = ScriptedAgent("hush", "fine")
    agent = with_session(script, middleware=[Guard(check, on="output", keep="quarantine")])
    with pytest.raises(GuardViolation):
        await agent("x", session=session, turn_id="t")
    assert await agent("x", session=session, turn_id="t") == "fine"
    assert await agent("x", session=session, turn_id="t") == "fine"


async def test_quarantine_in_somebody_elses_session():
    """Four methods are enough for a quarantine."""
    session = FlakySession()
    layers = [Guard(check, keep="quarantine")]
    script = ScriptedAgent("fine")
    agent = with_session(script, middleware=layers)
    with pytest.raises(GuardViolation):
        await agent("hush", session=session)
    await agent("hello", session=session)
    assert script.calls == [[user("hello")]]
    assert len(await session.get_items()) == 3


@pytest.mark.parametrize(
    ("args", "options", "says"),
    [
        (["no"], {}, "function from items"),
        ([check], {"on": "both"}, r"Guard\(on=...\) is 'input' or 'output', not 'both'"),
        ([check], {"on_violation": "warn"}, "on_violation"),
        ([check], {"keep": "all"}, "keep"),
    ],
)
def test_wrong_options_are_refused(args, options, says):
    """What an option cannot be is told when the layer is made."""
    with pytest.raises(ConfigurationError, match=says):
        Guard(*args, **options)


@pytest.mark.parametrize("options", [{"on": "output"}, {"keep": "quarantine"}])
def test_wrong_place_is_refused(options):
    """A guard that works on what is stored has to stand behind memory."""
    with pytest.raises(ConfigurationError, match="Guard.*behind Memory"):
        with_session(ScriptedAgent(), middleware=[Guard(check, **options), Memory(), Log()])
