"""Agents bound to a session by `on`: functions, methods, agent objects, and their copies."""

import asyncio
import copy
import functools
import inspect
import pickle

import pytest

import memwrap
from memwrap import (
    ConfigurationError,
    InMemoryStore,
    SQLiteSession,
    SQLiteStore,
    TurnIdReused,
    current_session,
    current_turn,
    use_session,
    with_session,
)
from memwrap.adapters import chat
from memwrap.dialects import Kind, Method, Methods
from memwrap.wrapper import is_wrapped


@with_session
async def count(items, tone="kind", *, loud=False):
    """Say how many items there are."""
    return f"{tone} {len(items)} {loud}"


@with_session
async def where(items, session=None, turn_id=None):
    """Say which session and turn an agent that wants to know them gets."""
    return f"{session.session_id} {turn_id}"


async def spell(items):
    """Say the number of items in pieces."""
    yield "n="
    yield str(len(items))


class Shop:
    """An object with remembering methods of each sort."""

    def __init__(self, name="shop"):
        self.name = name

    @with_session
    async def answer(self, items):
        return f"{self.name} {len(items)}"

    @with_session
    @classmethod
    async def about(cls, items):
        return f"{cls.__name__} {len(items)}"

    @classmethod
    @with_session
    async def below(cls, items):
        return f"{cls.__name__} {len(items)}"

    @staticmethod
    @with_session
    async def open(items):
        return f"open {len(items)}"

    @with_session
    @staticmethod
    async def closed(items):
        return f"closed {len(items)}"


class Agent:
    """An agent object of some framework."""

    def __init__(self, name="agent"):
        self.name = name

    def named(self, name):
        """Return another."""
        return type(self)(name)


class Framework:
    """The dialect of such objects: `twice` is made of what remembers."""

    to_items = staticmethod(chat.to_items)
    from_items = staticmethod(chat.from_items)

    @staticmethod
    def methods(agent, /):
        async def run(items, mood="calm"):
            return f"{agent.name} {len(items)} {mood}"

        async def twice(remembering, input):
            return [await remembering.run(input), await remembering.run(input)]

        remember = {
            "run": Method(run, Kind.CALL),
            "stream": Method(spell, Kind.STREAM),
        }
        return Methods("run", remember, {"twice": twice}, copies=("named",))


def framed(agent, **options):
    return with_session(agent, adapter=Framework(), **options)


def pickled(value):
    return pickle.loads(pickle.dumps(value))


WAYS = pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled])


# Functions


async def test_calls_are_those_of_the_session(store):
    """A bound agent takes what the agent takes, and remembers in its session, by id too."""
    agent = with_session(count.__wrapped__, store=store)
    bound = agent.on("u")
    assert await bound("a") == "kind 1 False"
    assert await bound("b", "rude", loud=True) == "rude 3 True"
    assert await agent.on(store.session("u"))(items="c") == "kind 5 False"
    assert await agent.on(None)("d") == "kind 1 False"
    assert await agent("e", session="u") == "kind 7 False"


async def test_binding_comes_before_all_other_sessions(store):
    """What an agent is bound to comes before its key, the block around and the decorator's."""

    @with_session(store=store, key="user", session="decorator")
    async def agent(items, *, user):
        return current_session().session_id

    with use_session("block"):
        assert await agent.on("bound")("a", user="key") == "bound"


async def test_turn_ids(session):
    """An agent that is bound to a turn gives its answer again, and no other turn's."""
    bound = count.on(session, turn_id="t1")
    assert await bound("a") == "kind 1 False"
    assert await bound("a") == "kind 1 False"
    assert len(await session.get_items()) == 2
    with pytest.raises(TurnIdReused):
        await bound("b")


async def test_own_parameters(session):
    """An agent with parameters of these names gets what it is bound to."""
    assert await where.on(session, turn_id="t1")("a") == f"{session.session_id} t1"


async def test_streams_and_synchronous_agents(session):
    """Generators and plain functions are bound as functions are."""
    agent = with_session(spell).on(session)
    assert inspect.isasyncgenfunction(agent)
    assert [text async for text in agent("a")] == ["n=", "1"]
    plain = with_session(lambda items: str(len(items))).on(session)
    assert await asyncio.to_thread(plain, "b") == "3"


@pytest.mark.parametrize("name", ["session", "turn_id"])
async def test_named_twice(name, session):
    """What an agent is bound to is not passed again: the error names agent, argument and fix."""
    bound = count.on(session, turn_id="t1")
    with pytest.raises(ConfigurationError, match=rf"count.*{name}= again.*on\(") as raised:
        bound("a", **{name: "x"})
    assert "None" not in str(raised.value)
    assert await session.get_items() == []


async def test_turn_id_of_one_call(session):
    """An agent bound to a session alone takes the id of a turn at its calls."""
    bound = count.on(session)
    assert await bound("a", turn_id="t1") == await bound("a", turn_id="t1")
    assert len(await session.get_items()) == 2


async def test_bound_anew(session, store):
    """`on` of a bound agent binds it anew, and leaves the first one as it was."""
    first = count.on(session, turn_id="t1")
    second = first.on(store.session("u"))
    assert await second("a") == "kind 1 False"
    assert await second("b") == "kind 3 False"
    assert await first("a") == "kind 1 False"
    assert len(await session.get_items()) == 2


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        ((5,), {}, r"str\(5\)"),
        (("u",), {}, "is an id, and there is no store"),
        ((InMemoryStore(),), {}, "it is a store"),
        ((None,), {"turn_id": "t"}, r"count.*turn_id='t' and no session"),
        ((None,), {"turn_id": ""}, "a turn_id is a string"),
        ((None,), {"turn_id": 7}, "a turn_id is a string"),
    ],
)
def test_wrong_use_fails_early(args, options, message):
    """What cannot be bound is refused by `on` itself."""
    with pytest.raises(ConfigurationError, match=message):
        count.on(*args, **options)


def test_turn_id_is_named():
    """The id of a turn is passed by name only."""
    with pytest.raises(TypeError):
        count.on("u", "t1")


async def test_errors_name_the_agent(session):
    """A bound agent has the agent's name, text and parameters."""
    bound = count.on(session)
    assert (bound.__name__, bound.__doc__) == ("count", "Say how many items there are.")
    assert str(inspect.signature(bound)) == "(items, tone='kind', *, loud=False)"
    assert inspect.iscoroutinefunction(bound)
    with pytest.raises(TypeError, match=r"count\(\) takes no argument lowd=; loud= is meant"):
        bound("a", lowd=True)


async def test_bound_agents_are_agents(session):
    """A bound agent is run by `run`, and not wrapped again."""
    bound = count.on(session)
    assert await memwrap.run(bound, "a") == "kind 1 False"
    assert await memwrap.run(bound, "b", turn_id="t1") == "kind 3 False"
    assert is_wrapped(bound)
    with pytest.raises(ConfigurationError, match="remembers already"):
        with_session(bound)
    partial = functools.partial(bound, loud=True)
    assert await partial("c") == "kind 5 True"


# Methods


async def test_methods(session):
    """Methods are bound with their object, class methods with their class."""
    shop = Shop("mine")
    assert await shop.answer.on(session)("a") == "mine 1"
    assert await Shop.answer.on(session)(shop, "b") == "mine 3"
    assert await Shop.about.on(session)("c") == "Shop 5"
    assert await shop.about.on(session)("d") == "Shop 7"
    assert await Shop.open.on(session)("e") == "open 9"
    assert await shop.closed.on(session)("f") == "closed 11"


async def test_class_methods_below_their_decorator(session):
    """Where Python hides the class of a class method, `on` says so, and which order works."""
    hidden = vars(Shop)["answer"]  # what Python 3.13 gives for a wrapper below @classmethod
    with pytest.raises(ConfigurationError, match=r"Shop.answer.*@with_session above"):
        hidden.on(session)
    if is_wrapped(Shop.below):
        assert await Shop.below.on(session)("a") == "Shop 1"
    else:
        with pytest.raises(ConfigurationError, match=r"Shop.below.*@with_session above"):
            Shop.below.on(session)


# Agent objects


async def test_agent_objects(store):
    """All remembering methods of an agent object are bound, and take their other options."""
    agent = framed(Agent(), store=store)
    bound = agent.on("u")
    assert isinstance(bound, Agent)
    assert bound.name == "agent"
    assert await bound.run("a") == "agent 1 calm"
    assert await bound.run("b", mood="wild") == "agent 3 wild"
    assert [text async for text in bound.stream("c")] == ["n=", "5"]
    assert await bound.twice("d") == ["agent 7 calm", "agent 9 calm"]
    assert await memwrap.run(bound, "e") == "agent 11 calm"
    assert await agent.run("f", session="v") == "agent 1 calm"
    assert await bound.on("v").run("g") == "agent 3 calm"
    with pytest.raises(ConfigurationError, match=r"run.*session= again"):
        bound.run("h", session="v")


async def test_other_agents_of_a_bound_one(store):
    """What a framework's own way to copy an agent returns is bound as well."""
    bound = framed(Agent(), store=store).on("u")
    assert await bound.named("other").run("a") == "other 1 calm"
    assert await bound.on("v").named("other").run("b") == "other 1 calm"
    assert await bound.run("c") == "agent 3 calm"


class Emitter(Agent):
    """An agent object with an `on` of its own."""

    def on(self, event):
        return f"{self.name} on {event}"

    async def __call__(self, items):
        return len(items)


def test_agents_with_an_on_of_their_own(store):
    """An object that has an `on` keeps it."""
    assert framed(Emitter(), store=store).on("event") == "agent on event"
    assert with_session(Emitter(), store=store).on("event") == "agent on event"


# Copies


async def told(items):
    """Say how many items there are, and in which turn."""
    return f"{len(items)} {current_turn().id}"


@WAYS
async def test_copies_of_functions(way, tmp_path):
    """Copies of a bound function are bound to the same session and turn."""
    session = SQLiteSession("s", tmp_path / "s.db")
    for agent in (count, with_session(told, store=SQLiteStore(tmp_path / "s.db"))):
        again = way(agent.on(session, turn_id=agent.__name__))
        assert is_wrapped(again)
        first = await again("a")
        assert await agent.on(session, turn_id=agent.__name__)("a") == first
    assert len(await session.get_items()) == 4


@WAYS
async def test_copies_of_methods(way, tmp_path):
    """A bound method is that of its object's copy."""
    again = way(Shop("mine").answer.on(SQLiteSession("s", tmp_path / "s.db")))
    assert await again("a") == "mine 1"
    assert await again("b") == "mine 3"


@WAYS
async def test_copies_of_agent_objects(way, tmp_path):
    """Copies of a bound agent object are objects of their own, bound to the same session."""
    bound = framed(Agent("mine"), store=SQLiteStore(tmp_path / "s.db")).on("u")
    again = way(bound)
    assert again.__wrapped__ is not bound.__wrapped__
    assert await again.run("a") == "mine 1 calm"
    assert await bound.run("b") == "mine 3 calm"
    assert await way(again).named("other").run("c") == "other 5 calm"
