"""A layer that calls its handler again: the second attempt meets a clean turn."""

import pytest
from support import CALL, OUTPUT, gathered

from memwrap import InMemorySession, TurnError, record, with_session
from memwrap.items import assistant, system, user
from memwrap.middleware import Memory, Redact
from memwrap.turn import Kept, View


def adds(text, name="adds"):
    """Return a layer that shows an item, and stores one."""

    async def layer(turn, send, handler):
        turn.before_agent.append(lambda v: View(v.history, [*v.input, system(text)]))
        turn.before_save.append(lambda k: Kept(k.input, [*k.new_items, assistant(text)]))
        await handler(turn, send)

    return layer


async def twice(turn, send, handler):
    """Take the second answer."""

    async def nothing(event):
        pass

    try:
        await handler(turn, nothing)
    except OSError:
        pass
    await handler(turn, send)


def agents(failures):
    """Return an agent of each kind that fails some times, and what they saw."""
    seen = []

    def work(items):
        seen.append([item.get("content") for item in items])
        record([CALL, OUTPUT])
        if len(seen) <= failures:
            raise OSError
        return "answer"

    async def call(items):
        return work(items)

    async def stream(items):
        yield work(items)

    return {"call": call, "stream": stream}, seen


@pytest.mark.parametrize("kind", ["call", "stream"])
@pytest.mark.parametrize("failures", [0, 1])
@pytest.mark.parametrize("place", ["within", "around", "both"])
@pytest.mark.parametrize("memory", [0, 1, 2])
async def test_what_was_appended_is_gone(kind, failures, place, memory, session):
    """Functions of layers within the retry are there once, and those around it stay."""
    layers = {
        "within": [twice, adds("in")],
        "around": [adds("out"), twice],
        "both": [adds("out"), twice, adds("in")],
    }[place]
    texts = {"within": ["in"], "around": ["out"], "both": ["out", "in"]}[place]
    made, seen = agents(failures)
    layers.insert(memory, Memory())
    agent = with_session(made[kind], middleware=layers)
    if kind == "call":
        assert await agent("q", session=session) == "answer"
    else:
        assert await gathered(agent("q", session=session)) == ["answer"]
    is_stored = failures == 0 and layers.index(twice) < [type(n) for n in layers].index(Memory)
    if is_stored:  # the layer has taken a whole turn twice
        whole = ["q", None, None, "answer", *texts]
        assert [item.get("content") for item in await session.get_items()] == whole * 2
        return
    assert seen == [["q", *texts]] * 2
    stored = [item.get("content") for item in await session.get_items()]
    calls = [item for item in await session.get_items() if item.get("type") == "function_call"]
    assert len(calls) == 1
    assert [text for text in stored if text] == ["q", "answer", *texts]


async def test_retries_within_retries(session):
    """Each level has its own attempts."""
    made, seen = agents(0)
    layers = [adds("a"), twice, adds("b"), twice, adds("c")]
    await with_session(made["call"], middleware=layers)("q", session=session)
    assert seen == [["q", "a", "b", "c"]] * 4
    stored = [item.get("content") for item in await session.get_items()]
    assert [text for text in stored if text] == ["q", "answer", "a", "b", "c"]


async def test_hints_of_the_layer_that_tries_again(session):
    """What the layer itself adds between two attempts reaches the second."""

    async def hinting(turn, send, handler):
        turn.before_agent.append(lambda v: View(v.history, [*v.input, system("first")]))
        try:
            await handler(turn, send)
        except OSError:
            turn.before_agent.append(lambda v: View(v.history, [*v.input, system("hint")]))
            await handler(turn, send)

    made, seen = agents(1)
    await with_session(made["call"], middleware=[hinting, adds("in")])("q", session=session)
    assert seen == [["q", "first", "in"], ["q", "first", "hint", "in"]]


async def test_layers_of_the_box(session):
    """Redact within a retry has one function each, and names itself in errors still."""

    async def counting(turn, send, handler):
        await handler(turn, send)
        assert (len(turn.before_agent), len(turn.before_save)) == (1, 1)
        assert turn.layer_of("before_save", 0) == "Redact"

    made, _ = agents(1)
    layers = [counting, twice, Redact(r"\d")]
    await with_session(made["call"], middleware=layers)("q 1", session=session)
    assert (await session.get_items())[0] == user("q [REDACTED]")


@pytest.mark.parametrize("kind", ["call", "stream"])
@pytest.mark.parametrize("memory", [0, 1])
async def test_layers_that_forget_their_handler(kind, memory):
    """The error names the layer that did nothing, also if the agent is a stream."""

    async def good(turn, send, handler):
        await handler(turn, send)

    class Forgetful:
        async def __call__(self, turn, send, handler):
            handler(turn, send).close()

    async def forgetful(turn, send, handler):
        return

    made, seen = agents(0)
    session = InMemorySession("s")
    layers = [forgetful, good]
    layers.insert(memory, Memory())
    agent = with_session(made[kind], middleware=layers)
    with pytest.raises(TurnError, match=r"forgetful neither called its handler"):
        await (agent("q", session=session) if kind == "call" else gathered(agent("q")))
    assert seen == []
    assert await session.get_items() == []


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", ["call", "stream"])
async def test_layers_that_forget_to_pass_send_on(kind, layers):
    """The error names the layer, and the agent is not called."""

    async def good(turn, send, handler):
        await handler(turn, send)

    async def without_send(turn, send, handler):
        await handler(turn)

    made, seen = agents(0)
    agent = with_session(made[kind], middleware=[good, without_send, good, good][: layers + 1])
    with pytest.raises(TurnError, match=r"without_send called handler\(turn\).*turn, send"):
        await (agent("q") if kind == "call" else gathered(agent("q")))
    assert seen == []
