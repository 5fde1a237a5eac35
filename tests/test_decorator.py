"""Every kind of agent remembers, and wrong use fails when the agent is wrapped."""

import asyncio
import functools
import inspect

import pytest

from memwrap import (
    ConfigurationError,
    InMemorySession,
    InMemoryStore,
    SQLiteStore,
    TurnError,
    current_turn,
    with_session,
)
from memwrap.adapters import chat, plain
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.types import Kind, Method, Methods


async def call(items, tone="kind"):
    return f"{len(items)} {tone}"


async def stream(items, tone="kind"):
    yield f"{len(items)} "
    yield tone


def sync(items, tone="kind"):
    return f"{len(items)} {tone}"


def sync_stream(items, tone="kind"):
    yield f"{len(items)} "
    yield tone


class Desk:
    """Agents as methods, with the decorator on every side."""

    greeting = "kind"

    @with_session
    async def reply(self, items, tone=None):
        return f"{len(items)} {tone or self.greeting}"

    @with_session
    async def narrate(self, items, tone=None):
        yield f"{len(items)} "
        yield tone or self.greeting

    @with_session
    def answer(self, items, tone=None):
        return f"{len(items)} {tone or self.greeting}"

    @with_session
    def dictate(self, items, tone=None):
        yield f"{len(items)} "
        yield tone or self.greeting

    @with_session
    @classmethod
    async def above_class(cls, items, tone=None):
        return f"{len(items)} {tone or cls.greeting}"

    @classmethod
    @with_session
    async def below_class(cls, items, tone=None):
        return f"{len(items)} {tone or cls.greeting}"

    @with_session
    @staticmethod
    async def above_static(items, tone="kind"):
        return f"{len(items)} {tone}"

    @staticmethod
    @with_session
    async def below_static(items, tone="kind"):
        return f"{len(items)} {tone}"

    @with_session
    @classmethod
    async def class_stream(cls, items, tone=None):
        yield f"{len(items)} "
        yield tone or cls.greeting

    @classmethod
    @with_session
    def sync_class_stream(cls, items, tone=None):
        yield f"{len(items)} "
        yield tone or cls.greeting


class Agent:
    """A callable object."""

    async def __call__(self, items, tone="kind"):
        return await call(items, tone)


class StreamAgent:
    async def __call__(self, items, tone="kind"):
        yield f"{len(items)} "
        yield tone


class SyncAgent:
    def __call__(self, items, tone="kind"):
        return sync(items, tone)


class Unwrapped:
    async def reply(self, items, tone="kind"):
        return await call(items, tone)


AGENTS = {
    "async function": with_session(call),
    "async generator": with_session(stream),
    "function": with_session(sync),
    "generator": with_session(sync_stream),
    "lambda": with_session(lambda items, tone="kind": sync(items, tone)),
    "method": Desk().reply,
    "streaming method": Desk().narrate,
    "synchronous method": Desk().answer,
    "synchronous streaming method": Desk().dictate,
    "above classmethod": Desk.above_class,
    "below classmethod": Desk.below_class,
    "above classmethod, by the object": Desk().above_class,
    "above staticmethod": Desk.above_static,
    "below staticmethod": Desk().below_static,
    "streaming class method": Desk.class_stream,
    "synchronous streaming class method": Desk.sync_class_stream,
    "object": with_session(Agent()),
    "streaming object": with_session(StreamAgent()),
    "synchronous object": with_session(SyncAgent()),
    "bound method": with_session(Unwrapped().reply),
    "partial": with_session(functools.partial(call)),
    "partial of a partial": with_session(functools.partial(functools.partial(call), tone="kind")),
    "partial stream": with_session(functools.partial(stream, tone="kind")),
    "partial of a function": with_session(functools.partial(sync)),
    "partial of an object": with_session(functools.partial(Agent())),
    "partial of a method": with_session(functools.partial(Unwrapped().reply, tone="kind")),
}


def ask(agent, *args, **kwargs):
    """Call any kind of agent, from outside of an event loop, and join what it gives."""

    async def drain(result):
        if inspect.isasyncgen(result):
            return "".join([event async for event in result])
        return await result

    result = agent(*args, **kwargs)
    if isinstance(result, str):
        return result
    if inspect.isgenerator(result):
        return "".join(result)
    return asyncio.run(drain(result))


@pytest.mark.parametrize("name", AGENTS)
def test_every_kind_remembers(name, session):
    """The second turn sees the first, what is stored is the same, and arguments arrive."""
    agent = AGENTS[name]
    assert ask(agent, "a", session=session) == "1 kind"
    assert ask(agent, "b", session=session, tone="rude") == "3 rude"
    assert asyncio.run(session.get_items()) == [
        user("a"),
        assistant("1 kind"),
        user("b"),
        assistant("3 rude"),
    ]


@pytest.mark.parametrize("name", AGENTS)
def test_every_kind_without_memory(name):
    """Without a session each kind is the plain agent."""
    assert [ask(AGENTS[name], "a") for _ in range(2)] == ["1 kind"] * 2


def test_with_options(session):
    """With options given, with_session is a decorator."""

    @with_session(session=session)
    async def decorated(items):
        return f"{len(items)}"

    remember = with_session(session=session)
    assert ask(decorated, "a") == "1"
    assert ask(remember(call), "b") == "3 kind"
    assert ask(remember(sync), "c") == "5 kind"


def test_options_beside_the_agent(session):
    """Agent and options may be given in one call."""
    agent = with_session(call, session=session)
    assert [ask(agent, "a"), ask(agent, "b")] == ["1 kind", "3 kind"]


async def test_function_stays_as_it_is(session):
    """Wrapping a function leaves the function alone."""
    with_session(call, session=session)
    assert await call([]) == "0 kind"


def test_same_code_for_calls_and_streams(session):
    """One layer brackets each kind of agent, from before it begins to after it ends."""
    log = []

    async def layer(turn, send, handler):
        assert current_turn() is turn
        log.append(("in", turn.streaming))
        try:
            await handler(turn, send)
        finally:
            log.append(("out", turn.streaming))

    for agent, streaming in ((call, False), (stream, True), (sync, False), (sync_stream, True)):
        log.clear()
        ask(with_session(agent, middleware=[layer]), "a", session=session)
        assert log == [("in", streaming), ("out", streaming)]


# Layers and memory


async def test_memory_is_outermost(session):
    """Layers run inside Memory: they see the history, and what they let through is stored."""
    seen = []

    async def shout(turn, send, handler):
        seen.append(list(turn.history))
        await handler(turn, lambda event: send(event.upper()))

    agent = with_session(call, session=session, middleware=[shout])
    assert await agent("a") == "1 KIND"
    await agent("b")
    assert seen == [[], [user("a"), assistant("1 KIND")]]


async def test_memory_in_the_list(session):
    """A Memory in the list stays where it was put, and no second one is added."""
    seen = []

    async def outside(turn, send, handler):
        await handler(turn, lambda event: send(event.upper()))
        seen.append((list(turn.history), list(turn.new_items)))

    agent = with_session(call, session=session, middleware=[outside, Memory()])
    assert await agent("a") == "1 KIND"
    assert seen == [([], [assistant("1 kind")])]
    assert await session.get_items() == [user("a"), assistant("1 kind")]


async def test_layer_that_answers_itself(session):
    """What a layer sends in the agent's place is the result, and is stored."""

    async def cached(turn, send, handler):
        await send("from the cache")

    agent = with_session(call, session=session, middleware=[cached])
    assert await agent("a") == "from the cache"
    assert await session.get_items() == [user("a"), assistant("from the cache")]


async def test_layer_that_sends_nothing(session):
    """A call in which no layer sends an event is an error, and its input is not stored."""

    async def silent(turn, send, handler): ...

    with pytest.raises(TurnError, match="sent none"):
        await with_session(call, session=session, middleware=[silent])("a")
    assert await session.get_items() == []


async def test_layer_that_sends_twice(session):
    """A call in which a layer sends a second event is an error, and nothing is stored."""

    async def twice(turn, send, handler):
        await handler(turn, send)
        await handler(turn, send)

    with pytest.raises(TurnError, match="sent a second"):
        await with_session(call, session=session, middleware=[twice])("a")
    assert await session.get_items() == []


async def test_layer_that_tries_again(session):
    """A layer may call its handler again after a failure; what is stored is what came out."""
    attempts = []

    async def again(turn, send, handler):
        try:
            await handler(turn, send)
        except ConnectionError:
            await handler(turn, send)

    @with_session(session=session, middleware=[again])
    async def agent(items):
        attempts.append(items)
        if len(attempts) == 1:
            items.clear()
            raise ConnectionError
        return f"{len(items)}"

    assert await agent("a") == "1"
    assert await session.get_items() == [user("a"), assistant("1")]


async def test_one_layer_instance_serves_concurrent_turns():
    """One instance serves turns of several agents at once, with what is theirs in turn.state."""

    class Timer:
        async def __call__(self, turn, send, handler):
            assert turn.state == {}
            turn.state["began"] = turn.input[0]["content"]
            await handler(turn, send)
            assert turn.state["began"] == turn.input[0]["content"]

    timer, everybody = Timer(), asyncio.Barrier(6)

    async def meet(items):
        await everybody.wait()
        return "x"

    async def meet_streaming(items):
        await everybody.wait()
        yield "x"

    async def drain(events):
        return [event async for event in events]

    agents = [with_session(meet, middleware=[timer]) for _ in range(3)]
    streams = [with_session(meet_streaming, middleware=[timer]) for _ in range(3)]
    async with asyncio.timeout(20):
        await asyncio.gather(
            *(agent(f"call {n}") for n, agent in enumerate(agents)),
            *(drain(agent(f"stream {n}")) for n, agent in enumerate(streams)),
        )


async def test_layers_may_be_a_tuple(session):
    """Any sequence of layers will do."""

    async def layer(turn, send, handler):
        await handler(turn, send)

    assert await with_session(call, middleware=(layer,))("a") == "1 kind"


# Adapters and agent objects


async def test_adapter(session):
    """An adapter says how the agent takes messages and what it gives back."""
    seen = []

    @with_session(adapter=chat, session=session)
    async def agent(messages):
        seen.append(messages)
        return {"role": "assistant", "content": None, "tool_calls": [CHAT_CALL]}

    await agent("a")
    await agent({"role": "tool", "tool_call_id": "c1", "content": "42"})
    assert seen[1][1]["tool_calls"] == [CHAT_CALL]
    assert (await session.get_items())[1]["type"] == "function_call"


CHAT_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


class Framework:
    """A framework's agent, with a method for each kind."""

    name = "support"

    def __init__(self):
        self.batches = []

    async def run(self, items, tone="kind"):
        return f"{len(items)} {tone}"

    def run_sync(self, items):
        return f"{len(items)} sync"

    async def run_stream(self, items):
        yield f"{len(items)} "
        yield "streamed"

    def describe(self):
        return f"{self.name} agent"


class FrameworkAdapter:
    """The adapter of that framework."""

    to_items = staticmethod(plain.to_items)
    from_items = staticmethod(plain.from_items)

    def methods(self, agent):
        if not isinstance(agent, Framework):
            return None
        remember = {
            "run": Method(agent.run, Kind.CALL),
            "run_sync": Method(agent.run_sync, Kind.SYNC_CALL, instead="run"),
            "run_stream": Method(agent.run_stream, Kind.STREAM),
            "run_listed": Method(agent.run_stream, Kind.STREAM, show=Listed),
        }

        def call(remembering, *args, **kwargs):
            return remembering.run(*args, **kwargs)

        return Methods("run", remember, {"__call__": call})


class Listed:
    """A stream with a method of its own."""

    def __init__(self, events):
        self.events = events

    async def to_list(self):
        return [event async for event in self.events]


@pytest.fixture
def framework(session):
    return with_session(Framework(), adapter=FrameworkAdapter(), session=session)


def test_agent_object_remembers(framework, session):
    """Every method that the adapter names remembers, and they share the conversation."""
    assert ask(framework.run, "a") == "1 kind"
    assert ask(framework.run_sync, "b") == "3 sync"
    assert ask(framework.run_stream, "c") == "5 streamed"
    assert ask(framework, "d") == "7 kind"
    assert asyncio.run(framework.run_listed("e").to_list()) == ["9 ", "streamed"]
    assert ask(framework.run, "f", tone="rude") == "11 rude"
    assert len(asyncio.run(session.get_items())) == 12


def test_agent_object_takes_a_session(framework, session):
    """Its methods take `session=` as functions do."""
    other = InMemorySession("other")
    assert ask(framework.run, "a", session=other) == "1 kind"
    assert ask(framework.run, "b", session=None) == "1 kind"
    assert asyncio.run(session.get_items()) == []
    assert "session=UNSET" in str(inspect.signature(framework.run))


def test_agent_object_is_itself(framework):
    """Everything else of the object is as before."""
    assert isinstance(framework, Framework)
    assert framework.describe() == "support agent"
    framework.name = "billing"
    assert framework.describe() == "billing agent"
    assert framework.batches == []


async def test_synchronous_method_in_an_event_loop(framework, session):
    """A synchronous method of an object names its asynchronous sister where a loop runs."""
    with pytest.raises(ConfigurationError, match=r"use \.run\(\.\.\.\)"):
        framework.run_sync("a")
    assert await session.get_items() == []


def test_key_of_an_object():
    """The key of an agent object is a parameter of its methods."""
    store = InMemoryStore()

    class Keyed(FrameworkAdapter):
        def methods(self, agent):
            return Methods("run", {"run": Method(agent.run, Kind.CALL)})

    agent = with_session(Framework(), adapter=Keyed(), store=store, key="tone")
    assert ask(agent.run, "a", tone="u1") == "1 u1"
    assert ask(agent.run, "b", "u1") == "3 u1"


# Wrong use, refused when the agent is wrapped


@pytest.mark.parametrize("wrong", [None, "agent", 5, {}, object(), [call], b"x"], ids=str)
def test_agent_that_cannot_be_called(wrong):
    """What cannot be called is no agent."""
    with pytest.raises(ConfigurationError, match=r"cannot be called.*pass a function") as caught:
        with_session(wrong)
    assert type(wrong).__name__ in str(caught.value)


def test_agent_class():
    """A class is refused with the fix: wrap an instance."""
    with pytest.raises(ConfigurationError, match="Agent is a class; wrap an instance"):
        with_session(Agent)


def test_wrapped_twice():
    """An agent that remembers already is refused: it would store everything twice."""
    for agent in (AGENTS["function"], Desk().reply, with_session(Agent())):
        with pytest.raises(ConfigurationError, match="remembers already"):
            with_session(agent)
    proxy = with_session(Framework(), adapter=FrameworkAdapter())
    with pytest.raises(ConfigurationError, match="remembers already"):
        with_session(proxy)


def test_agent_without_a_parameter():
    """An agent that takes nothing cannot be given the messages."""

    async def nothing(): ...
    async def only_named(*, items): ...

    class Wrong:
        async def reply(self): ...

    for agent in (nothing, only_named, Wrong.reply, Wrong().reply):
        with pytest.raises(ConfigurationError, match="first one receives the messages"):
            with_session(agent)


def test_agent_of_any_arguments(session):
    """An agent that takes *args gets the messages first; a built-in one is an agent too."""
    assert ask(with_session(lambda *args: str(len(args[0]))), "a", session=session) == "1"
    assert ask(with_session(repr), "a") == "[{'role': 'user', 'content': 'a'}]"
    assert with_session(max)("a") == user("a")  # which does not even tell its parameters


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"session": 5}, "session is of type int"),
        ({"session": InMemorySession}, "session is the class InMemorySession"),
        ({"session": "id"}, "'id' is an id, and there is no store"),
        ({"session": InMemoryStore()}, "session is of type InMemoryStore"),
        ({"store": 5}, r"store is of type int; it has a method session\(id\)"),
        ({"store": "chat.db"}, "store is of type str"),
        ({"store": SQLiteStore}, "store is the class SQLiteStore; pass an instance"),
        ({"store": call}, "store finds sessions by an async function"),
        ({"key": "nobody"}, "key='nobody': call has no such parameter"),
        ({"key": "items"}, "key='items' is the parameter of the input"),
        ({"adapter": 5}, r"adapter has no to_items\(\)"),
        ({"adapter": object()}, r"memwrap\.adapters\.chat"),
        ({"middleware": [5]}, "middleware holds an object of type int, which cannot be called"),
        ({"middleware": [None]}, "object of type NoneType"),
        ({"middleware": [Memory]}, r"put an instance there: Memory\(\.\.\.\)"),
        ({"middleware": [lambda turn, send: None]}, r"does not take \(turn, send, handler\)"),
        ({"middleware": call}, "a list of layers; put a single one into brackets"),
        ({"middleware": "log"}, "a list of layers"),
        ({"middleware": None}, "a list of layers"),
        ({"middleware": 5}, "a list of layers"),
    ],
    ids=str,
)
def test_wrong_option(options, message):
    """An option that is not what it should be is refused when the agent is wrapped."""
    with pytest.raises(ConfigurationError, match=message):
        with_session(call, **options)
    with pytest.raises(ConfigurationError, match=message):
        with_session(**options)(call)


def test_unknown_option():
    """A misspelt option is a TypeError."""
    with pytest.raises(TypeError, match="sesion"):
        with_session(call, sesion=None)


def test_half_an_adapter():
    """An adapter needs both directions."""

    class Half:
        def to_items(self, messages, *, role="user"): ...

    with pytest.raises(ConfigurationError, match=r"adapter has no from_items\(\)"):
        with_session(call, adapter=Half())
