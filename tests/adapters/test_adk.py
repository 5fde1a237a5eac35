"""ADK's events, there and back, and its agents with memory."""

import asyncio
import json

import pytest
from corpus import genai as gemini
from corpus.adk import EVENTS, Scripted, event, said
from corpus.exactness import hidden, seen, stored
from google.adk.agents import LlmAgent, RunConfig
from google.adk.agents.run_config import StreamingMode
from google.adk.apps import App
from google.adk.events import Event, EventActions
from google.adk.runners import InMemoryRunner
from google.genai import types
from support import gathered

import memwrap
from memwrap import ConfigurationError, InMemoryStore, SQLiteStore, with_session
from memwrap.adapters import adk, chat, genai, plain
from memwrap.hidden.sidecar import settled
from memwrap.items import assistant, text_of
from memwrap.items import user as asked
from memwrap.middleware import Memory, Redact
from memwrap.usage import Usage

CALLS = [
    gemini.thought("Look it up."),
    gemini.call("tide", port="Kiel"),
    gemini.call("tide", port="Ems"),
]


def tide(port: str) -> str:
    """Tell when high water is."""
    return f"06:12 in {port}"


def pilot(*answers, name="pilot", **fields):
    """Return an agent whose model says these answers, and the model."""
    model = Scripted(model="scripted", answers=list(answers), shown=[], told=[])
    return LlmAgent(name=name, model=model, tools=[tide], **fields), model


def there_and_back(events):
    return adk.from_items(stored(adk.to_items(events)))


# Events


@pytest.mark.parametrize("one", EVENTS.values(), ids=EVENTS)
def test_each_event_comes_back(one):
    """An event comes back field by field."""
    assert there_and_back([one]) == [one]


async def test_all_events_come_back_from_a_file(tmp_path):
    """They do so all together, from SQLite, in another store object."""
    events = [event(gemini.user("Hi")), *EVENTS.values(), event(gemini.model("The end."))]
    await SQLiteStore(tmp_path / "a.db").session("s").add_items(adk.to_items(events))
    back = adk.from_items(await SQLiteStore(tmp_path / "a.db").session("s").get_items())
    assert back == events


@pytest.mark.parametrize("one", EVENTS.values(), ids=EVENTS)
def test_edit_wins(one):
    """After an edit of its items an event says what they say, and stays who it is."""
    items = stored(adk.to_items(one))
    for item in items:
        for key in ("content", "output"):
            if item.get(key):
                item[key] = "edited"
    changed = [key for item in items for key, value in item.items() if value == "edited"]
    back = adk.from_items(items)
    if len(back) == 1:
        identity = (back[0].id, back[0].author, back[0].timestamp)
        assert identity == (one.id, one.author, one.timestamp)
    assert [text_of(item) for item in adk.to_items(back)] == [text_of(item) for item in items]
    if changed:
        assert "thought_signature" not in json.dumps(hidden(settled(items)))


def test_foreign_items_are_the_user_s_events():
    """Items of other dialects have the author "user", and the role of who spoke."""
    items = [asked("?"), assistant("Six."), asked("!")]
    back = adk.from_items(items)
    assert [(one.author, one.content.role) for one in back] == [
        *[("user", "user"), ("user", "model"), ("user", "user")]
    ]
    assert adk.from_items(items) == back


@pytest.mark.parametrize("adapter", [chat, plain, genai])
def test_state_and_thoughts_are_adk_s_alone(adapter):
    """Readers of other dialects see neither changes of the state nor thoughts."""
    events = [event(gemini.user("?")), EVENTS["state"], event(gemini.model(CALLS[0], "Six."))]
    shown = adapter.from_items(stored(adk.to_items(events)))
    assert "Look it up" not in repr(shown)
    assert "Kiel" not in repr(shown)
    if adapter is not plain:
        assert len(shown) == (2 if adapter is genai else 3)


def test_partial_events_are_told_by_the_whole():
    """Partial events say nothing when the whole comes, and what they said when it does not."""
    parts = [event(gemini.model(text), partial=True) for text in ("Si", "x.")]
    assert seen(adk.to_items([*parts, event(gemini.model("Six."))])) == [assistant("Six.")]
    assert seen(adk.to_items(parts)) == [assistant("Six.")]


def test_usage_is_read():
    """Whole events tell what a call of the model cost."""
    assert adk.usages_in(EVENTS["usage"]) == [Usage(3, 0, 0, 0, 0, "gemini")]


# Agents


async def test_a_conversation():
    """An agent sees what was said, called and told before, and yields ADK's own events."""
    inner, model = pilot(CALLS, "At six.", "Twice.", instruction="Be kind.")
    store = InMemoryStore()
    agent = with_session(inner, store=store)
    events = await gathered(agent.run_async("When?", session="s"))
    assert [type(one) for one in events] == [Event] * 3
    assert {one.author for one in events} == {"pilot"}
    assert events[-1].is_final_response()
    told = types.Content(role="user", parts=[types.Part(text="How often?")])
    await gathered(agent.run_async(told, session="s"))
    assert said(model.shown[-1]) == [
        ("user", "When?"),
        ("model", "Look it up."),
        ("model", "tide", {"port": "Kiel"}),
        ("model", "tide", {"port": "Ems"}),
        ("user", {"result": "06:12 in Kiel"}),
        ("user", {"result": "06:12 in Ems"}),
        ("model", "At six."),
        ("user", "How often?"),
    ]
    assert [text.count("Be kind.") for text in model.told] == [1, 1, 1]
    items = await store.session("s").get_items()
    assert "Be kind." not in json.dumps(items)
    kinds = [item.get("role") or item["type"] for item in items]
    assert kinds == [
        *("user", "reasoning", "function_call", "function_call"),
        *("function_call_output", "function_call_output", "assistant", "user", "assistant"),
    ]
    assert adk.from_items(items)[1:4] == events


@pytest.mark.parametrize("in_file", [False, True])
def test_without_an_event_loop(in_file, tmp_path):
    """`run` does the same without an event loop."""
    inner, model = pilot(CALLS, "At six.", "Twice.")
    store = SQLiteStore(tmp_path / "a.db") if in_file else InMemoryStore()
    agent = with_session(inner, store=store)
    assert len(list(agent.run("When?", session="s"))) == 3
    assert [one.content.parts[0].text for one in agent.run("How often?", session="s")] == ["Twice."]
    assert said(model.shown[-1])[-2:] == [("model", "At six."), ("user", "How often?")]


async def test_foreign_history_is_shown_as_it_is():
    """What functions of other dialects said and called is shown as their own words."""
    store = InMemoryStore()
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a": 1}'}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
    items = [asked("?"), call, output, assistant("Six."), asked("And?"), assistant("Seven.")]
    await store.session("s").add_items(items)
    inner, model = pilot("Eight.")
    await gathered(with_session(inner, store=store).run_async("!", session="s"))
    assert said(model.shown[-1]) == [
        *[("user", "?"), ("model", "f", {"a": 1}), ("user", {"result": "x"}), ("model", "Six.")],
        *[("user", "And?"), ("model", "Seven."), ("user", "!")],
    ]


async def test_a_conversation_that_was_cut_begins_with_a_user():
    """A history whose first words are the model's has a user's before it."""
    store = InMemoryStore()
    await store.session("s").add_items([assistant("Six.")])
    inner, model = pilot("Eight.")
    await gathered(with_session(inner, store=store).run_async("!", session="s"))
    assert [role for role, _ in said(model.shown[-1])] == ["user", "model", "user"]
    assert len(await store.session("s").get_items()) == 3


async def test_streamed_texts():
    """Partial events reach the caller, and the whole is stored once."""
    inner, _ = pilot("At six.")
    store = InMemoryStore()
    agent = with_session(inner, store=store)
    config = RunConfig(streaming_mode=StreamingMode.SSE)
    events = await gathered(agent.run_async("When?", session="s", run_config=config))
    assert [bool(one.partial) for one in events] == [True, True, True, False]
    assert seen(await store.session("s").get_items()) == [asked("When?"), assistant("At six.")]


async def test_state_is_remembered():
    """What a caller, or a tool, changes of the state is there in the next turn; `temp:` is not."""
    found = []

    def look(tool_context) -> str:
        """Look at the state."""
        found.append(tool_context.state.to_dict())
        tool_context.state["seen"] = len(found)
        return "ok"

    model = Scripted(model="m", answers=[[gemini.call("look")], "a", [gemini.call("look")], "b"])
    store = InMemoryStore()
    agent = with_session(LlmAgent(name="a", model=model, tools=[look]), store=store)
    given = {"at": "Kiel", "user:n": 1, "temp:t": 2}
    first = await gathered(agent.run_async("?", session="s", state_delta=given, user_id="u"))
    await gathered(agent.run_async("!", session="s"))
    assert found[0] == {"at": "Kiel", "user:n": 1, "temp:t": 2}
    assert found[1] == {"at": "Kiel", "user:n": 1, "seen": 1}
    assert all(one.author == "a" for one in first)


async def test_many_sessions_at_once():
    """One agent serves many sessions at the same time."""

    class Echo(Scripted):
        async def generate_content_async(self, llm_request, stream=False):
            await asyncio.sleep(0.01)
            self.answers = [llm_request.contents[0].parts[0].text]
            async for response in super().generate_content_async(llm_request, stream):
                yield response

    store = InMemoryStore()
    agent = with_session(LlmAgent(name="a", model=Echo(model="m", answers=[])), store=store)
    for _ in range(2):
        turns = [gathered(agent.run_async(f"I am {n}.", session=f"s{n}")) for n in range(10)]
        results = await asyncio.gather(*turns)
        assert [one[-1].content.parts[0].text for one in results] == [
            f"I am {n}." for n in range(10)
        ]
    assert len(await store.session("s3").get_items()) == 4


@pytest.mark.parametrize("how", ["raised", "left", "cancelled"])
async def test_nothing_is_stored_of_what_did_not_end(how):
    """A run that raised, was left early or was cancelled leaves nothing, and its error is ADK's."""
    answers = [CALLS, ValueError("down")] if how == "raised" else [CALLS, "At six."]
    inner, _ = pilot(*answers)
    store = InMemoryStore()
    agent = with_session(inner, store=store)
    events = agent.run_async("When?", session="s")
    if how == "raised":
        with pytest.raises(ValueError, match="down"):
            await gathered(events)
    elif how == "left":
        async for _ in events:
            break
        await events.aclose()
    else:
        await anext(events)
        task = asyncio.ensure_future(gathered(events))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await store.session("s").get_items() == []


async def test_what_was_delivered_may_be_kept():
    """Of a stream that was left early a policy keeps what was delivered."""
    inner, _ = pilot("At six o'clock.")
    store = InMemoryStore()
    agent = with_session(inner, store=store, middleware=[Memory(on_stop="keep_delivered")])
    config = RunConfig(streaming_mode=StreamingMode.SSE)
    events = agent.run_async("When?", session="s", run_config=config)
    await anext(events)
    await events.aclose()
    assert [text_of(item) for item in await store.session("s").get_items()] == ["When?", "At"]


async def test_the_same_turn_gives_the_same_again():
    """A turn that is stored gives its events again, by either method; the model is not called."""
    inner, model = pilot(CALLS, "At six.")
    agent = with_session(inner, store=InMemoryStore())
    options = {"session": "s", "turn_id": "t", "state_delta": {"port": "Rome"}}
    first = await gathered(agent.run_async("When?", **options))
    again = await gathered(agent.run_async("When?", **options))
    assert again == first
    assert all(map(memwrap.is_replay, again))
    assert await asyncio.to_thread(lambda: list(agent.run("When?", **options))) == first
    assert len(first) == 3
    assert len(model.shown) == 2


async def test_what_was_redacted_is_given_again_redacted():
    """The events of a stored turn show what a layer let through, and nothing else."""
    inner, _ = pilot(CALLS, "At 6.")
    agent = with_session(inner, store=InMemoryStore(), middleware=[Redact(r"\d")])
    first = await gathered(agent.run_async("When?", session="s", turn_id="t"))
    again = await gathered(agent.run_async("When?", session="s", turn_id="t"))
    assert len(again) == len(first)
    assert again[-1].content.parts[-1].text == "At [REDACTED]."


async def test_agents_of_agents():
    """An agent that hands on to another remembers what each said, under its name."""
    cook, other = pilot("Soup.", name="cook", description="Cooks.")
    handing = [gemini.call("transfer_to_agent", agent_name="cook")]
    inner, model = pilot("Ahoy.", handing, sub_agents=[cook])
    store = InMemoryStore()
    agent = with_session(inner, store=store)
    await gathered(agent.run_async("Hi", session="s"))
    events = await gathered(agent.run_async("Cook.", session="s"))
    assert [event.author for event in events] == ["pilot", "pilot", "cook"]
    items = await store.session("s").get_items()
    assert [text_of(item) for item in items if item.get("role")] == [
        "Hi",
        "Ahoy.",
        "Cook.",
        "Soup.",
    ]
    assert adk.from_items(items)[-1] == events[-1]
    assert ("model", "Ahoy.") in said(model.shown[-1])
    assert any("Ahoy." in str(one[1]) for one in said(other.shown[-1]))


def test_runners_are_refused():
    """A runner and an app, which remember themselves, are refused with the ways."""
    inner, _ = pilot()
    for thing in (InMemoryRunner(agent=inner, app_name="app"), App(name="app", root_agent=inner)):
        with pytest.raises(ConfigurationError, match="MemwrapSessionService"):
            with_session(thing, store=InMemoryStore())
    with pytest.raises(ConfigurationError, match="run_live"):
        with_session(inner, store=InMemoryStore()).run_live("x")


def test_state_alone_is_no_history():
    """A state of another run is no event that a model is shown."""
    changed = event(actions=EventActions(state_delta={"a": 1}))
    assert seen(adk.to_items([changed])) == [{"role": "assistant", "content": ""}]
