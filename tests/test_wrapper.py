"""What with_session returns: which session a call has, what reaches the agent, how it looks."""

import asyncio
import functools
import inspect
import pickle

import pytest

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    InMemoryStore,
    use_session,
    with_session,
)
from memwrap.adapters import plain
from memwrap.items import assistant, user
from memwrap.sessions.resolve import resolve
from memwrap.wrapper import AgentProxy, is_wrapped


async def count(items):
    """Say how many items there are."""
    return f"{len(items)}"


async def texts(session):
    return [item["content"] for item in await session.get_items()]


# Which session


async def test_order_of_sessions(store):
    """The call's session comes before the key's, the block's and the decorator's."""

    @with_session(session="decorator", store=store, key="user")
    async def agent(items, user=None):
        return "x"

    async def written(text, **kwargs):
        await agent(text, **kwargs)
        infos = await store.sessions(limit=1)
        assert (await texts(store.session(infos[0].session_id)))[-2:] == [text, "x"]
        return infos[0].session_id

    with use_session("block"):
        assert await written("1", session="call", user="key") == "call"
        assert await written("2", user="key") == "key"
        assert await written("3") == "block"
    assert await written("4") == "decorator"
    assert await written("5", user="key") == "key"


async def test_plain_agent():
    """Without any session the agent is the plain agent, and each call begins anew."""
    agent = with_session(count)
    assert [await agent("a"), await agent("b")] == ["1", "1"]


async def test_none_is_no_memory_this_time(session):
    """None at the call or in a block switches memory off, where leaving it out does not."""
    agent = with_session(count, session=session)
    await agent("a")
    assert await agent("b", session=None) == "1"
    with use_session(None):
        assert await agent("c") == "1"
    assert await agent("d") == "3"
    assert await texts(session) == ["a", "1", "d", "3"]


async def test_none_in_the_decorator(session):
    """None as the decorator's session is no memory unless a call says otherwise."""
    agent = with_session(count, session=None)
    assert await agent("a") == "1"
    await agent("b", session=session)
    assert await texts(session) == ["b", "1"]


async def test_none_overrides_the_key(store):
    """session=None beats the key's parameter, which may then be anything."""
    agent = with_session(keyed, store=store, key="user_id")
    assert await agent("a", user_id="u", session=None) == "1 u"
    assert await agent("a", user_id=None, session=None) == "1 None"
    assert await store.sessions() == []


async def test_id_in_a_store(store):
    """A string is the id of a session in the store."""
    agent = with_session(count, store=store)
    await agent("a", session="u1")
    await agent("b", session="u2")
    assert await agent("c", session="u1") == "3"
    assert await texts(store.session("u2")) == ["b", "1"]


async def test_store_may_be_a_function():
    """A function from id to session is a store, and so is a class of sessions."""
    sessions = {}

    def find(session_id):
        return sessions.setdefault(session_id, InMemorySession(session_id))

    agent = with_session(count, store=find)
    await agent("a", session="u1")
    assert await agent("b", session="u1") == "3"
    assert list(sessions) == ["u1"]
    assert await with_session(count, store=InMemorySession)("a", session="u1") == "1"


async def test_id_without_a_store(session):
    """An id without a store names both ways out, and the agent is not called."""
    calls = []

    @with_session
    async def agent(items):
        calls.append(items)

    with pytest.raises(ConfigurationError, match=r"'u1' is an id.*store=SQLiteStore.*session obj"):
        await agent("a", session="u1")
    assert calls == []


@pytest.mark.parametrize(
    "wrong",
    [5, 1.5, b"u1", ["u1"], object(), InMemorySession, InMemoryStore()],
    ids=lambda value: str(type(value).__name__),
)
async def test_session_of_a_wrong_type(wrong, store):
    """What is no session is refused by its type, at the call, and the agent is not called."""
    calls = []

    @with_session(store=store)
    async def agent(items):
        calls.append(items)

    with pytest.raises(ConfigurationError) as caught:
        await agent("a", session=wrong)
    name = wrong.__name__ if isinstance(wrong, type) else type(wrong).__name__
    assert name in str(caught.value)
    assert "pass a session object, the id of one in the store as a string, or None" in str(
        caught.value
    )
    assert calls == []
    assert await store.sessions() == []


def test_incomplete_session():
    """Something like a session is told which methods it lacks."""

    class Half:
        async def get_items(self, limit=None): ...
        async def add_items(self, items): ...

    with pytest.raises(ConfigurationError, match=r"it has no pop_item, clear_session"):
        resolve(Half(), None)


def test_session_by_instance_attributes():
    """A session's methods may be attributes of the object, as doubles have them."""

    class Double:
        def __init__(self):
            for name in ("get_items", "add_items", "pop_item", "clear_session"):
                setattr(self, name, lambda *args: None)

    double = Double()
    assert resolve(double, None) is double


@pytest.mark.parametrize("gives", [None, "another id", 5])
async def test_store_that_gives_no_session(gives):
    """A store that gives no session for an id is told so; no memory is lost in silence."""
    agent = with_session(count, store=lambda session_id: gives)
    with pytest.raises(ConfigurationError, match=r"the store gave|session is of type int"):
        await agent("a", session="u1")


# key=


async def keyed(items, user_id, tone="kind"):
    return f"{len(items)} {user_id}"


async def key_only(items, *, user_id="nobody"):
    return f"{len(items)} {user_id}"


async def test_key(store):
    """The key's parameter names the session, by keyword or by position, and reaches the agent."""
    agent = with_session(keyed, store=store, key="user_id")
    assert await agent("a", user_id="u1") == "1 u1"
    assert await agent("b", "u1") == "3 u1"
    assert await agent("c", "u1", "rude") == "5 u1"
    assert await agent(items="d", user_id="u1") == "7 u1"
    assert await agent("e", "u2") == "1 u2"


async def test_key_of_a_method(store):
    """The key's place is counted behind the input, in methods and class methods too."""

    class Desk:
        @with_session(store=store, key="user_id")
        async def reply(self, items, user_id):
            return f"{len(items)} {user_id}"

        @with_session(store=store, key="user_id")
        @classmethod
        async def announce(klass, items, user_id):
            return f"{len(items)} {user_id}"

        @classmethod
        @with_session(store=store, key="user_id")
        async def below(cls, items, user_id):
            return f"{len(items)} {user_id}"

        @staticmethod
        @with_session(store=store, key="user_id")
        async def static(items, user_id):
            return f"{len(items)} {user_id}"

    assert await Desk().reply("a", "u1") == "1 u1"
    assert await Desk.announce("a", "u1") == "3 u1"
    assert await Desk().announce("a", "u1") == "5 u1"
    assert await Desk.below("a", "u1") == "7 u1"
    assert await Desk.static("a", "u1") == "9 u1"


async def test_key_in_the_keyword_arguments(store):
    """The key may be one of the agent's **kwargs."""

    @with_session(store=store, key="user_id")
    async def agent(items, **kwargs):
        return f"{len(items)} {kwargs}"

    await agent("a", user_id="u1")
    assert await agent("b", user_id="u1") == "3 {'user_id': 'u1'}"


async def test_key_missing(store):
    """A call without its key is refused: a forgotten argument must not mean no memory."""
    agent = with_session(key_only, store=store, key="user_id")
    with pytest.raises(ConfigurationError, match=r"no user_id was given.*session=None"):
        await agent("a")
    assert await store.sessions() == []


async def test_key_is_none(store):
    """None as a key names no session and is refused, by keyword and by position."""
    with pytest.raises(ConfigurationError, match=r"user_id is None.*session=None"):
        await with_session(key_only, store=store, key="user_id")("a", user_id=None)
    with pytest.raises(ConfigurationError, match=r"user_id is None"):
        await with_session(keyed, store=store, key="user_id")("a", None)
    assert await store.sessions() == []


async def test_key_of_a_wrong_type(store):
    """A key that is no string is refused as a session of a wrong type."""
    agent = with_session(key_only, store=store, key="user_id")
    with pytest.raises(ConfigurationError, match=r"session is of type int.*as a string"):
        await agent("a", user_id=5)


async def test_key_may_hold_a_session(session):
    """The key's parameter may hold a session itself."""
    agent = with_session(key_only, key="user_id")
    await agent("a", user_id=session)
    assert len(await session.get_items()) == 2


# Agents that declare `session`


async def test_agent_that_declares_session(store, session):
    """An agent with a parameter `session` receives the session that was chosen, not the id."""
    seen = []

    @with_session(store=store)
    async def agent(items, *, session):
        seen.append(session)
        return "x"

    await agent("a", session=session)
    await agent("b", session="u1")
    await agent("c", session=None)
    with pytest.raises(ConfigurationError, match="no session was given"):
        await agent("d")
    with use_session(session):
        await agent("e")
    assert seen[0] is seen[3] is session
    assert seen[1].session_id == "u1"
    assert seen[2] is None


async def test_declared_session_by_position(store):
    """Such an agent may be given its session by position, before and after other arguments."""

    @with_session(store=store)
    async def agent(items, before, session=None, after=None):
        return f"{before} {session.session_id if session else None} {after} {len(items)}"

    assert await agent("a", 1, "u1") == "1 u1 None 1"
    assert await agent("b", 1, "u1", 2) == "1 u1 2 3"
    assert await agent("c", 1, None, 2) == "1 None 2 1"
    assert await agent("d", 1, session=None, after=2) == "1 None 2 1"
    with pytest.raises(ConfigurationError, match="no session was given"):
        await agent("d", 1, after=2)
    with pytest.raises(TypeError, match="multiple values"):
        await agent("e", 1, "u1", session="u1")


# The input


async def test_input_by_position_or_name(session):
    """The input may be passed by the name of the agent's first parameter."""
    agent = with_session(count, session=session)
    assert [await agent("a"), await agent(items="b")] == ["1", "3"]


async def test_no_input(session):
    """A call without input is a TypeError, as for the plain function."""
    with pytest.raises(TypeError, match=r"count\(\) needs the input"):
        await with_session(count, session=session)()


async def test_forms_of_input(session):
    """A string, an item and a list of items are input; an empty list goes on from the history."""
    agent = with_session(count, session=session)
    await agent("a")
    await agent(user("b"))
    await agent([user("c"), user("d")])
    await agent([])
    assert await texts(session) == ["a", "1", "b", "3", "c", "d", "6", "7"]


@pytest.mark.parametrize(
    "wrong",
    [None, 5, b"bytes", object(), {"no": "role"}, [{"role": "user"}, None], [["a", "b"]], {1, 2}],
    ids=str,
)
async def test_wrong_input(wrong, session):
    """What is no input is refused, the agent is not called, and nothing is stored."""
    calls = []

    @with_session(session=session)
    async def agent(items):
        calls.append(items)
        return "x"

    with pytest.raises(ConversionError):
        await agent(wrong)
    assert (calls, await session.get_items()) == ([], [])


async def test_wrong_input_names_the_fix(session):
    """The error for a wrong input says what input is, and what was given."""
    agent = with_session(count, session=session)
    with pytest.raises(ConversionError, match=r"a string, an item or a list of items, not None"):
        await agent(None)
    with pytest.raises(ConversionError, match=r"not object; .*with_session\(adapter=\.\.\.\)"):
        await agent(object())
    assert await session.get_items() == []


async def test_adapter_that_gives_no_list(session):
    """An adapter that gives a string where a list of items is due is told so; nothing is stored."""

    class Wrong:
        from_items = staticmethod(plain.from_items)

        def to_items(self, messages, *, role="user"):
            return messages

    agent = with_session(count, session=session, adapter=Wrong())
    with pytest.raises(ConversionError, match="items come as a list of dicts, not as a str"):
        await agent("a")
    assert await session.get_items() == []


@pytest.mark.parametrize("wrong", [None, object(), {"no": "role"}], ids=str)
async def test_wrong_result(wrong, session):
    """What an agent gives that is no item is refused, and nothing is stored."""

    @with_session(session=session)
    async def agent(items):
        return wrong

    with pytest.raises(ConversionError):
        await agent("Hi")
    assert await session.get_items() == []


async def test_unknown_result_names_the_ways_out(session):
    """The error for an unknown result names its type and the three ways out."""

    class Answer:
        pass

    @with_session(session=session)
    async def agent(items):
        return Answer()

    with pytest.raises(ConversionError) as caught:
        await agent("Hi")
    message = str(caught.value)
    assert f"{__name__}.{Answer.__qualname__}" in message
    for way in ("Three ways out", "a string, an item or a list", "adapter=", "memwrap.record()"):
        assert way in message
    assert await session.get_items() == []


async def test_callers_dicts_are_never_changed(session):
    """Neither the agent nor the caller's later changes reach across."""

    @with_session(session=session)
    async def agent(items):
        items[-1]["content"][0]["text"] = "changed by the agent"
        return "x"

    part = {"type": "input_text", "text": "said"}
    mine = [{"role": "user", "content": [part]}]
    coroutine = agent(mine)
    part["text"] = "changed by the caller"
    await coroutine
    assert (await session.get_items())[0]["content"][0]["text"] == "said"
    assert mine == [{"role": "user", "content": [part]}]


async def test_other_arguments_reach_the_agent(session):
    """All other arguments arrive as they were passed."""
    given = object()

    @with_session(session=session)
    async def agent(items, first, /, *rest, named, **others):
        assert (first, rest, named, others) == (given, (1, 2), given, {"other": given})
        return "x"

    assert await agent("Hi", given, 1, 2, named=given, other=given) == "x"


async def test_result_is_the_agents_own(session):
    """The caller gets the very object that the agent returned."""
    answer = assistant("x")

    @with_session
    async def agent(items):
        return answer

    assert await agent("a") is answer
    assert await agent("a", session=session) is answer


# Looks


def test_functions_look_as_before():
    """Name, docstring, module, annotations and kind of a function are as before."""

    async def call(items: list, tone: str = "kind") -> str:
        """Answer."""

    async def stream(items): yield 1  # fmt: skip

    def sync(items): ...

    def sync_stream(items): yield 1  # fmt: skip

    for function in (call, stream, sync, sync_stream):
        agent = with_session(function)
        for name in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
            assert getattr(agent, name) == getattr(function, name)
        assert agent.__wrapped__ is function
        for tell in (
            inspect.iscoroutinefunction,
            inspect.isasyncgenfunction,
            inspect.isgeneratorfunction,
            inspect.isfunction,
        ):
            assert tell(agent) == tell(function)


def test_signature_has_session():
    """The signature is the agent's, with `session` as its last keyword."""

    def agent(items, tone: str = "kind", *rest, loud=False, **others) -> str: ...

    def short(items): ...

    def own(items, session: str | None = None, more=1): ...

    shown = "(items, tone: str = 'kind', *rest, loud=False, session=UNSET, **others) -> str"
    assert str(inspect.signature(with_session(agent))) == shown
    assert str(inspect.signature(with_session(short))) == "(items, *, session=UNSET)"
    assert inspect.signature(with_session(own)) == inspect.signature(own)


def test_signatures_of_methods():
    """Methods show their signature with `session`, bound or not, however they are decorated."""

    class Desk:
        @with_session
        async def reply(self, items): ...

        @with_session
        @classmethod
        async def above_class(cls, items): ...

        @classmethod
        @with_session
        async def below_class(cls, items): ...

        @with_session
        @staticmethod
        async def above_static(items): ...

        @staticmethod
        @with_session
        async def below_static(items): ...

    bound = "(items, *, session=UNSET)"
    for name in ("reply", "above_class", "below_class", "above_static", "below_static"):
        method = getattr(Desk(), name)
        assert (name, str(inspect.signature(method))) == (name, bound)
        assert inspect.iscoroutinefunction(method)
        assert method.__name__ == name
        if name != "reply":
            assert str(inspect.signature(getattr(Desk, name))) == bound
    assert str(inspect.signature(Desk.reply)) == "(self, items, *, session=UNSET)"


def test_objects_look_as_before():
    """A callable object or a partial keeps its type, attributes and signature."""

    class Agent:
        name = "support"

        async def __call__(self, items, tone="kind"): ...

    agent = with_session(Agent())
    assert isinstance(agent, Agent)
    assert agent.name == "support"
    assert str(inspect.signature(agent)) == "(items, tone='kind', *, session=UNSET)"
    partial = with_session(functools.partial(keyed, tone="rude"))
    assert isinstance(partial, functools.partial)
    assert inspect.iscoroutinefunction(partial)
    assert str(inspect.signature(partial)) == "(items, user_id, *, tone='rude', session=UNSET)"


def test_is_wrapped():
    """What came out of with_session is told from what did not."""

    class Desk:
        @with_session
        async def reply(self, items): ...

    for yes in (with_session(count), Desk().reply, Desk.reply):
        assert is_wrapped(yes)
    for no in (count, Desk(), functools.partial(with_session(count)), None):
        assert not is_wrapped(no)


def test_bound_methods_are_of_their_object(session):
    """Each object's method runs on that object."""

    class Desk:
        def __init__(self, name):
            self.name = name

        @with_session
        async def reply(self, items):
            return f"{self.name} {len(items)}"

    one, other = Desk("one"), Desk("other")

    async def main():
        assert await one.reply("a", session=session) == "one 1"
        assert await other.reply("b", session=session) == "other 3"
        assert await Desk.reply(one, "c", session=session) == "one 5"

    asyncio.run(main())


def test_agent_proxy_is_transparent():
    """A proxy reads and writes through to the agent object."""

    class Agent:
        name = "a"

    agent = Agent()
    proxy = AgentProxy(agent, "run", {})
    proxy.name = "b"
    assert (agent.name, isinstance(proxy, Agent)) == ("b", True)
    with pytest.raises(TypeError, match="what with_session did not make"):
        pickle.dumps(proxy)


# No memory


@pytest.mark.parametrize(
    "options", [{"store": InMemoryStore()}, {"store": InMemoryStore, "key": "k"}]
)
async def test_call_without_a_session(options):
    """An agent with a store or key is never silently without memory: the error names the ways."""
    store = InMemoryStore()
    options = options | {"store": store}

    async def remembering(items, k=None):
        return str(len(items))

    agent = with_session(remembering, **options)
    with pytest.raises(
        ConfigurationError, match=r"remembering remembers.*use_session.*session=None"
    ):
        await agent("a")
    assert await agent("a", session=None) == "1"
    with use_session(None):
        assert await agent("a") == "1"
    assert await agent("a", session="s") == "1"
    assert await with_session(remembering)("a") == "1"


async def test_call_without_a_session_within_a_turn(store):
    """A nested agent with a store is refused too: it does not join the outer conversation."""
    inner = with_session(count, store=store)

    @with_session(store=store)
    async def outer(items):
        return await inner("b")

    with pytest.raises(ConfigurationError, match="count remembers, and no session was given"):
        await outer("a", session="s")


@pytest.mark.parametrize("session", [{}, {"session": None}])
async def test_turn_id_without_a_session(session):
    """A turn's id is known to a session only: without one it is refused, before the agent runs."""
    calls = []

    @with_session
    async def charge(items):
        calls.append(items)
        return "charged"

    @with_session
    async def stream(items):
        calls.append(items)
        yield "charged"

    with pytest.raises(ConfigurationError, match=r"charge\(\) was given turn_id='order-1' and no"):
        await charge("pay", turn_id="order-1", **session)
    with pytest.raises(ConfigurationError, match="no session"):
        [event async for event in stream("pay", turn_id="order-1", **session)]
    assert calls == []


async def test_turn_id_that_the_agent_declares():
    """An agent with a parameter `turn_id` of its own may be called with it alone."""

    @with_session
    async def agent(items, turn_id=None):
        return turn_id

    assert await agent("q", turn_id="mine") == "mine"
