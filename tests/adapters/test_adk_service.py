"""Sessions as ADK's session service."""

import asyncio

import pytest
from corpus import genai as gemini
from corpus.adk import Scripted, event, said
from google.adk.agents import LlmAgent
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events import EventActions
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.sessions.base_session_service import GetSessionConfig
from google.adk.tools import LongRunningFunctionTool
from google.genai import types
from support import gathered

from memwrap import ConfigurationError, InMemoryStore, SQLiteStore, with_session
from memwrap.adapters import adk, chat
from memwrap.items import assistant, text_of
from memwrap.items import user as asked

APP = {"app_name": "app", "user_id": "ada"}
HERE = APP | {"session_id": "1"}
CALLS = [gemini.call("tide", port="Kiel"), gemini.call("tide", port="Ems")]


def tide(port: str) -> str:
    """Tell when high water is."""
    return f"06:12 in {port}"


def runner(service, *answers, tools=(tide,)):
    """Return a runner over a service, and its model."""
    model = Scripted(model="scripted", answers=list(answers), shown=[], told=[])
    agent = LlmAgent(name="pilot", model=model, tools=list(tools))
    return Runner(app_name="app", agent=agent, session_service=service), model


async def run(one, text, session_id="1", **options):
    new = types.UserContent(text) if isinstance(text, str) else text
    told = one.run_async(user_id="ada", session_id=session_id, new_message=new, **options)
    return await gathered(told)


@pytest.fixture(params=["in memory", "in a file"])
def store(request, tmp_path):
    return InMemoryStore() if request.param == "in memory" else SQLiteStore(tmp_path / "a.db")


async def test_a_runner_goes_on(store):
    """A runner remembers: its model sees what was said, called and told before."""
    service = adk.MemwrapSessionService(store)
    await service.create_session(**HERE)
    one, model = runner(service, CALLS, "At six.", "Twice.")
    events = await run(one, "When?")
    found = await service.get_session(**HERE)
    assert found.events[1:] == events
    assert [one.author for one in found.events] == ["user", "pilot", "pilot", "pilot"]
    await run(one, "How often?")
    assert said(model.shown[-1])[-2:] == [("model", "At six."), ("user", "How often?")]
    assert len((await service.get_session(**HERE)).events) == 6


RESTART = """
import asyncio, sys
from google.adk.events import Event, EventActions
from memwrap import SQLiteStore
from memwrap.adapters import adk

async def main():
    service = adk.MemwrapSessionService(SQLiteStore(sys.argv[1]))
    session = await service.get_session(app_name="app", user_id="ada", session_id="1")
    print(len(session.events), sorted(session.state.items()))
    actions = EventActions(state_delta={"n": 2})
    await service.append_event(session, Event(author="user", actions=actions))
    print([one.id for one in (await service.list_sessions(app_name="app")).sessions])

asyncio.run(main())
"""


async def test_another_process_goes_on(tmp_path, script):
    """A session, its events and its state are there in another process, and what that adds here."""
    service = adk.MemwrapSessionService(SQLiteStore(tmp_path / "a.db"))
    await service.create_session(**HERE, state={"n": 1, "user:u": 2, "app:a": 3, "temp:t": 4})
    one, _ = runner(service, "Ahoy.")
    await run(one, "Hi")
    told = script(RESTART, tmp_path / "a.db")
    assert told.splitlines() == ["2 [('app:a', 3), ('n', 1), ('user:u', 2)]", "['1']"]
    assert (await service.get_session(**HERE)).state["n"] == 2


async def test_each_event_is_stored_as_it_is_appended(store):
    """A run that fails leaves what had been appended by then, as ADK's own services do."""
    service = adk.MemwrapSessionService(store)
    await service.create_session(**HERE)
    one, _ = runner(service, CALLS, ValueError("down"))
    with pytest.raises(ValueError, match="down"):
        await run(one, "When?")
    items = await store.session("app/ada/1").get_items()
    assert [item["output"] for item in items if "output" in item] == [
        "06:12 in Kiel",
        "06:12 in Ems",
    ]
    one, model = runner(service, "At six.")
    await run(one, "Well?")
    assert ("user", {"result": "06:12 in Kiel"}) in said(model.shown[-1])


async def test_state_is_shared_as_in_adk(store):
    """State of the app and of a user is shared, and that of a run is not stored."""
    services = [adk.MemwrapSessionService(store), InMemorySessionService()]
    changes = {"n": 1, "user:n": 2, "app:n": 3, "temp:n": 4}
    found = []
    for service in services:
        first = await service.create_session(**HERE, state={"begun": True, "user:b": 1})
        changed = event(actions=EventActions(state_delta=dict(changes)), author="pilot")
        await service.append_event(first, changed)
        states = [first.state]
        for user_id, session_id in (("ada", "1"), ("ada", "2"), ("bob", "1")):
            if (user_id, session_id) != ("ada", "1"):
                await service.create_session(
                    app_name="app", user_id=user_id, session_id=session_id, state={"own": 1}
                )
            one = await service.get_session(app_name="app", user_id=user_id, session_id=session_id)
            states.append(one.state)
        states.append(await service.get_user_state(**APP))
        listed = await service.list_sessions(app_name="app")
        states += [one.state for one in listed.sessions if one.id == "2"]
        found.append(states)
    assert found[0] == found[1]
    assert "temp:n" not in found[0][1]


async def test_values_of_a_state_come_back(store):
    """A state keeps the types of Python's own values."""
    service = adk.MemwrapSessionService(store)
    state = {"a": {"b": [1, 1.0, None, True]}, "bytes": b"\xff", "tuple": (1, "x")}
    await service.create_session(**HERE, state=state)
    assert (await service.get_session(**HERE)).state == state


@pytest.mark.parametrize("recent", [None, 0, 1, 2, 9])
@pytest.mark.parametrize("after", [None, 0.0, 2.0, 2.5, 9.0])
async def test_recent_events(recent, after):
    """A config asks for the newest events or those after a time, as in ADK's own service."""
    found = []
    for service in (adk.MemwrapSessionService(InMemoryStore()), InMemorySessionService()):
        session = await service.create_session(**HERE)
        for n in range(1, 5):
            told = event(gemini.user(f"{n}"), author="user", id=f"e{n}", timestamp=float(n))
            await service.append_event(session, told)
        config = GetSessionConfig(num_recent_events=recent, after_timestamp=after)
        one = await service.get_session(**HERE, config=config)
        found.append([shown.id for shown in one.events])
    if recent is None or after is None:
        assert found[0] == found[1]
    assert len(found[0]) <= (4 if recent is None else recent)


async def test_sessions_are_listed_and_deleted(store):
    """Sessions are listed oldest first, of a user or of all, and are gone once deleted."""
    service = adk.MemwrapSessionService(store)
    for user_id, session_id in (("ada", "1"), ("ada", "2"), ("bob", "1")):
        await service.create_session(app_name="app", user_id=user_id, session_id=session_id)
    await service.append_event(await service.get_session(**HERE), event(gemini.user("Hi"), id="x"))

    async def listed(**of):
        return [
            (one.user_id, one.id)
            for one in (await service.list_sessions(app_name="app", **of)).sessions
        ]

    assert sorted(await listed()) == [("ada", "1"), ("ada", "2"), ("bob", "1")]
    assert sorted(await listed(user_id="ada")) == [("ada", "1"), ("ada", "2")]
    assert await listed(user_id="nobody") == []
    session = await service.get_session(**HERE)
    await service.delete_session(**HERE)
    assert await service.get_session(**HERE) is None
    assert await listed(user_id="ada") == [("ada", "2")]
    assert await store.session("app/ada/1").get_items() == []
    with pytest.raises(SessionNotFoundError):
        await service.append_event(session, event(gemini.user("Hi")))
    await service.create_session(**HERE)
    assert (await service.get_session(**HERE)).events == []
    assert sorted(await listed(user_id="ada")) == [("ada", "1"), ("ada", "2")]


async def test_ids():
    """An id is made where none is given; one that is taken is refused, as in ADK."""
    service = adk.MemwrapSessionService(InMemoryStore())
    made = [(await service.create_session(**APP)).id for _ in range(2)]
    assert all(made)
    assert len(set(made)) == 2
    assert (await service.create_session(**APP, session_id=" 1 ")).id == "1"
    with pytest.raises(AlreadyExistsError):
        await service.create_session(**HERE)
    assert await service.get_session(**APP, session_id="none") is None


async def test_partial_events_are_not_stored():
    """A partial event is handed back, and is neither appended nor stored."""
    service = adk.MemwrapSessionService(InMemoryStore())
    session = await service.create_session(**HERE)
    told = event(gemini.model("Si"), partial=True)
    assert await service.append_event(session, told) is told
    assert session.events == []
    assert (await service.get_session(**HERE)).events == []


async def test_no_session_is_stale():
    """Two objects of one session may both be appended to: no event of either is lost."""
    service = adk.MemwrapSessionService(InMemoryStore())
    await service.create_session(**HERE)
    one, other = [await service.get_session(**HERE) for _ in range(2)]
    await service.append_event(one, event(gemini.user("a"), id="a"))
    await service.append_event(other, event(gemini.user("b"), id="b"))
    await service.append_event(one, event(gemini.user("c"), id="c"))
    assert [shown.id for shown in (await service.get_session(**HERE)).events] == ["a", "b", "c"]


async def test_sessions_at_once(store):
    """Many runs on sessions of their own go on at the same time."""
    service = adk.MemwrapSessionService(store)
    runs = []
    for n in range(8):
        await service.create_session(**APP, session_id=str(n))
        runs.append(run(runner(service, CALLS, f"{n}")[0], "Hi", session_id=str(n)))
    await asyncio.gather(*runs)
    for n in range(8):
        found = await service.get_session(**APP, session_id=str(n))
        assert found.events[-1].content.parts[0].text == str(n)
        assert len(found.events) == 4


async def test_a_key_names_the_conversation():
    """A key says where in the store a conversation is, for other agents too."""
    store = InMemoryStore()
    service = adk.MemwrapSessionService(store, key=lambda app, user, session: f"chat-{session}")
    await store.session("chat-1").add_items([asked("I am Ada."), assistant("Ahoy.")])
    one, model = runner(service, "Ada.")
    await run(one, "Who am I?")
    assert said(model.shown[-1]) == [
        *[("user", "I am Ada."), ("model", "Ahoy."), ("user", "Who am I?")]
    ]

    @with_session(store=store, adapter=chat)
    async def other(messages):
        return " ".join(message["content"] for message in messages)

    assert await other("!", session="chat-1") == "I am Ada. Ahoy. Who am I? Ada. !"


async def test_open_calls_are_left_out():
    """A call that was never answered, and an output without its call, are not loaded."""
    store = InMemoryStore()
    call = {"type": "function_call", "call_id": "c", "name": "tide", "arguments": "{}"}
    orphan = {"type": "function_call_output", "call_id": "o", "output": "x"}
    session = store.session("app/ada/1")
    await session.add_items([asked("?"), call, orphan, asked("!")])
    found = await adk.MemwrapSessionService(store).get_session(**HERE)
    assert [one.content.parts[0].text for one in found.events] == ["?", "!"]


async def test_tools_that_run_long_answer_again():
    """The later answers of a tool that runs long stay, and the model sees the last."""
    store = InMemoryStore()
    service = adk.MemwrapSessionService(store)
    await service.create_session(**HERE)

    def ask(what: str) -> dict:
        """Ask somebody."""
        return {"status": "pending"}

    tools = [LongRunningFunctionTool(ask)]
    answers = [[gemini.call("ask", what="x")], "Wait.", "It is done.", "Yes."]
    one, model = runner(service, *answers, tools=tools)
    events = await run(one, "Ask.")
    call_id = events[0].content.parts[0].function_call.id
    await run(one, gemini.user(gemini.response("ask", call_id, {"status": "done"})))
    assert len((await service.get_session(**HERE)).events) == 6
    one, model = runner(service, "Yes.", tools=tools)
    await run(one, "Sure?")
    assert ("user", {"status": "done"}) in said(model.shown[-1])
    texts = [text_of(item) for item in await store.session("app/ada/1").get_items()]
    assert '{"status": "pending"}' in texts


@pytest.mark.parametrize("store", [None, SQLiteStore, "a.db", 5])
def test_what_is_no_store_is_refused(store):
    """A class, a path or a number is no store, and the error says what is."""
    with pytest.raises(ConfigurationError, match="takes a store"):
        adk.MemwrapSessionService(store)
