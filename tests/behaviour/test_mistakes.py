"""What a newcomer does wrong, and what the error says: who, what, and the way out."""

import gc
import re
import warnings

import pytest
from support import gathered

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    InMemoryStore,
    SQLiteStore,
    TurnError,
    undo,
    use_session,
    with_session,
)
from memwrap.chain import Positioned
from memwrap.middleware import Log, Memory, Redact, Trim
from memwrap.window import Window


async def helper(items):
    return str(len(items))


async def wordy(items, before, *, tone="kind"):
    return f"{before} {tone} {len(items)}"


# A forgotten await


class Shop:
    """An object with a remembering method."""

    @with_session
    async def answer(self, items):
        return "x"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (with_session(helper), "helper"),
        (with_session(wordy), "wordy"),
        (Shop().answer, "Shop.answer"),
    ],
)
def test_forgotten_await(agent, name):
    """Python warns with the name of the agent, whose coroutine it is."""
    coroutine = agent("q", 1) if name == "wordy" else agent("q")
    assert (coroutine.__qualname__, coroutine.__name__) == (name, name.rpartition(".")[2])
    with pytest.warns(RuntimeWarning, match=rf"'{name}' was never awaited"):
        del coroutine
        gc.collect()


def test_forgotten_await_of_one_of_two():
    """Each agent has a name of its own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for agent in (with_session(helper), with_session(wordy)):
            agent("q", *([1] if agent.__name__ == "wordy" else []))
            gc.collect()
    assert [re.search("'(.*)'", str(one.message))[1] for one in caught] == ["helper", "wordy"]


# Options of `with_session`


@pytest.mark.parametrize(
    ("option", "name"),
    [
        (InMemoryStore(), "a store (InMemoryStore)"),
        (SQLiteStore("x.db"), "a store (SQLiteStore)"),
        (InMemorySession("s"), "a session (InMemorySession)"),
    ],
)
def test_options_have_names(option, name):
    """A store or session in the agent's place is told its name."""
    keyword = name.split()[1]
    with pytest.raises(ConfigurationError, match=rf"{re.escape(name)}.*with_session\({keyword}="):
        with_session(option)


def test_single_layer():
    """A layer without brackets is shown with them."""
    with pytest.raises(ConfigurationError, match=r"brackets, as in middleware=\[helper\]"):
        with_session(helper, middleware=helper)


def test_agent_that_remembers_already():
    """An agent that is wrapped twice is named."""
    with pytest.raises(ConfigurationError, match="helper remembers already"):
        with_session(with_session(helper))


@pytest.mark.parametrize("key", ["user", "items"])
def test_key_that_is_no_parameter(key):
    """A key that names nothing is told the agent, and what a key is."""
    with pytest.raises(ConfigurationError, match=rf"key='{key}'.*helper.*holds the session's id"):
        with_session(helper, store=InMemoryStore(), key=key)


# Arguments


@pytest.mark.parametrize("session", ["user_1", InMemorySession("s"), None])
async def test_session_by_position(session):
    """A session that is passed by position is told its name, before the session is locked."""
    agent = with_session(helper, session=InMemorySession("t"))
    with pytest.raises(ConfigurationError, match=r"helper\(\) takes the input.*session=") as caught:
        agent("q", session)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"sesion": "s"}, r"wordy\(\) takes no argument sesion=; session= is meant\?"),
        ({"turnid": "s"}, r"turn_id= is meant\?"),
        ({"tome": "s"}, r"tone= is meant\?"),
        ({"zzz": "s"}, r"takes no argument zzz=; it takes before, session, tone, turn_id"),
    ],
)
def test_unknown_arguments(kwargs, message):
    """An argument that the agent does not take is named, and the one that is meant."""
    with pytest.raises(TypeError, match=message):
        with_session(wordy)("q", 1, **kwargs)


def test_missing_arguments():
    """An argument that the agent needs is named, before the session is locked."""
    with pytest.raises(TypeError, match=r"wordy\(\) needs before="):
        with_session(wordy)("q")
    with pytest.raises(TypeError, match="wordy.*needs the input"):
        with_session(wordy)()


async def test_arguments_that_are_right(session):
    """Whatever the agent takes is passed on."""
    agent = with_session(wordy, session=session)
    assert await agent("q", 1) == "1 kind 1"
    assert await agent("q", before=1, tone="t") == "1 t 3"
    assert await agent(items="q", before=1) == "1 kind 5"

    @with_session
    async def anything(items, *args, session, **kwargs):
        return (args, sorted(kwargs), len(items))

    assert await anything("q", 1, 2, x=3, session=None) == ((1, 2), ["x"], 1)


# Sessions


@pytest.mark.parametrize("number", [5, 0, True])
async def test_numbers_as_ids(number):
    """A number as an id is told that ids are strings."""
    agent = with_session(helper, store=InMemoryStore())
    with pytest.raises(ConfigurationError, match=rf"as a string.*str\({number}\)"):
        await agent("q", session=number)
    with pytest.raises(ConfigurationError, match=r"pass str\(...\) of it"):
        InMemoryStore().session(number)
    with use_session(number), pytest.raises(ConfigurationError, match=rf"str\({number}\)"):
        await agent("q")


async def test_stores_as_sessions():
    """A store in a session's place is told how to get one."""
    agent = with_session(helper)
    with pytest.raises(ConfigurationError, match=r"InMemoryStore.*is a store, whose session\(id\)"):
        await agent("q", session=InMemoryStore())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("user_123", r"not 'user_123', an id: pass store.session\('user_123'\)"),
        (5, r"store.session\('5'\)"),
        (None, r"store.session\(id\)"),
        (with_session(helper), "helper is none: pass the session that the agent was called with"),
        (helper, "helper is none"),
        (InMemoryStore(), r"not a store: pass store.session\(id\)"),
    ],
)
async def test_undo_of_what_is_no_session(given, message):
    """`undo` takes a session, and says how to get one."""
    with pytest.raises(ConfigurationError, match=rf"undo\(\) takes a session.*{message}"):
        await undo(given)


# Results and input


@pytest.mark.parametrize("answer", [{"answer": 1}, {"delta": "x"}, {"content": "x"}, None, b"x"])
async def test_results_that_are_no_items(answer):
    """The error of a result names the agent."""

    async def oddly(items):
        return answer

    async def stream(items):
        yield answer

    with pytest.raises(ConversionError, match=r"oddly: ") as caught:
        await with_session(oddly)("q", session=InMemorySession("s"))
    assert caught.value.path.startswith("$")
    with pytest.raises(ConversionError, match=r"stream: "):
        await gathered(with_session(stream)("q", session=InMemorySession("s")))


@pytest.mark.parametrize("input", [None, 5, {"content": "x"}, [{"text": "x"}], b"x"])
async def test_input_that_is_none(input):
    """The error of an input names the agent, and comes before it is called."""
    with pytest.raises(ConversionError, match=r"helper: .*input"):
        await with_session(helper)(input, session=InMemorySession("s"))


# Layers


class Within:
    """A layer that works on the history only."""

    within_memory = True

    async def __call__(self, turn, send, handler):
        await handler(turn, send)


class Around(Within):
    """A layer that works around the turn only."""

    within_memory = False


async def anywhere(turn, send, handler):
    await handler(turn, send)


@pytest.mark.parametrize(
    ("layers", "name", "way"),
    [
        ([Trim(max_items=0), Memory()], "Trim", "behind Memory"),
        ([Log(), Trim(max_turns=0), anywhere, Memory(), Redact("x")], "Trim", "behind Memory"),
        ([Within(), Memory()], "Within", "behind Memory"),
        ([Memory(), Around()], "Around", "before Memory"),
        ([Around()], "Around", "before Memory"),
    ],
)
def test_layers_that_do_nothing_where_they_stand(layers, name, way):
    """A layer on the wrong side of `Memory` is refused when the agent is decorated."""
    with pytest.raises(ConfigurationError, match=rf"the layer {name} does nothing.*{way}"):
        with_session(helper, middleware=layers)


def test_layers_that_ask_for_the_past():
    """A layer that asks for a window stands where the history is."""

    class Asks:
        window = Window(items=3)

        async def __call__(self, turn, send, handler):
            await handler(turn, send)

    with pytest.raises(ConfigurationError, match="Asks does nothing"):
        with_session(helper, middleware=[Asks(), Memory()])
    with_session(helper, middleware=[Memory(), Asks()])


def test_two_memories():
    """Two layers that remember would wait for each other."""

    class Mine(Memory):
        pass

    with pytest.raises(ConfigurationError, match="Memory and .*Mine.*leave the other out"):
        with_session(helper, middleware=[Memory(), Log(), Mine()])


def test_layers_where_they_belong():
    """Layers that are right where they are are taken, and others anywhere."""
    with_session(helper, middleware=[Around(), anywhere, Memory(), anywhere, Within()])
    with_session(helper, middleware=[Log(), Redact("x"), Memory(), Redact("y"), Log()])
    assert isinstance(Within(), Positioned)


async def test_history_that_a_layer_outside_changes(session):
    """A history that is put in place outside of `Memory` would be lost, and is refused."""

    async def early(turn, send, handler):
        turn.history = [{"role": "user", "content": "remember me"}]
        await handler(turn, send)

    agent = with_session(helper, middleware=[early, Memory()])
    with pytest.raises(TurnError, match=r"turn\.history.*behind Memory"):
        await agent("q", session=session)
    assert await agent("q", session=None) == "2"
