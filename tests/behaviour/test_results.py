"""What is stored of the results that agents give."""

import dataclasses
import datetime as dt
import enum
import json
from typing import NamedTuple

import pydantic
import pytest
from openai.types.chat import ChatCompletionMessage

from memwrap import ConversionError, InMemorySession, MemwrapError, record, with_session
from memwrap.adapters import chat, plain
from memwrap.items import assistant, system, user


class Model(pydantic.BaseModel):
    text: str
    at: dt.date


@dataclasses.dataclass
class Data:
    text: str
    parts: list[Model]


class Named(NamedTuple):
    text: str
    score: float


class Colour(enum.Enum):
    RED = "red"


DAY = dt.date(2026, 1, 2)
VALUES = [
    (Model(text="x", at=DAY), {"text": "x", "at": "2026-01-02"}),
    (
        Data("x", [Model(text="y", at=DAY)]),
        {"text": "x", "parts": [{"text": "y", "at": "2026-01-02"}]},
    ),
    (Named("x", 0.5), ["x", 0.5]),
    (("x", 1), ["x", 1]),
    ((), []),
    (5, 5),
    (True, True),
    (1.5, 1.5),
    (Colour.RED, "red"),
    (DAY, "2026-01-02"),
    ([Model(text="x", at=DAY), "y"], [{"text": "x", "at": "2026-01-02"}, "y"]),
    ([1, 2], [1, 2]),
]


@pytest.mark.parametrize("adapter", [None, chat])
@pytest.mark.parametrize(("value", "said"), VALUES)
async def test_values_are_stored_as_their_json(adapter, value, said):
    """The caller gets the value as it is; the model later sees its JSON."""
    shown = []

    @with_session(adapter=adapter)
    async def agent(messages):
        shown.append(messages)
        return value

    @with_session(adapter=adapter)
    async def stream(messages):
        record(value)
        yield "and "
        yield value

    session = InMemorySession("s")
    assert await agent("a", session=session) is value
    await agent("b", session=session)
    assert json.loads(shown[1][1]["content"]) == said
    first = await session.get_items()
    assert [event async for event in stream("c", session=session)] == ["and ", value]
    added = (await session.get_items())[len(first) :]
    assert added == [user("c"), first[1], assistant("and "), first[1]]


@pytest.mark.parametrize("value", [None, b"hush", object(), {"answer": "hush"}, [{"a": 1}]])
@pytest.mark.parametrize("adapter", [None, chat])
async def test_what_json_does_not_say_is_refused(adapter, value):
    """A result that nobody can read later is an error without its content."""

    @with_session(adapter=adapter)
    async def agent(messages):
        return value

    session = InMemorySession("s")
    with pytest.raises(ConversionError) as caught:
        await agent("a", session=session)
    assert "hush" not in str(caught.value)
    assert await session.get_items() == []


TOOL_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT_TURN = [
    {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "42"},
    {"role": "assistant", "content": "It is 42."},
]
ITEMS = [
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "42"},
    assistant("It is 42."),
]


def bare(items):
    return [{k: v for k, v in item.items() if k != "provider_data"} for item in items]


@pytest.mark.parametrize("as_object", [False, True])
async def test_chat_messages_of_a_forgotten_adapter(as_object):
    """Dicts that can only be of Chat Completions become items, given or recorded or passed."""
    call = ChatCompletionMessage.model_validate(CHAT_TURN[0]) if as_object else CHAT_TURN[0]

    @with_session
    async def recording(items):
        record(call)
        record(CHAT_TURN[1])
        return "It is 42."

    @with_session
    async def whole(items):
        return [call, *CHAT_TURN[1:]]

    @with_session
    async def stream(items):
        for message in [call, *CHAT_TURN[1:]]:
            yield message

    for agent in (recording, whole):
        session = InMemorySession("s")
        await agent("?", session=session)
        assert bare(await session.get_items()) == [user("?"), *ITEMS]
    session = InMemorySession("s")
    async for _ in stream([user("?"), *CHAT_TURN, user("!")], session=session):
        pass
    assert bare(await session.get_items()) == [user("?"), *ITEMS, user("!"), *ITEMS]


def test_chat_parts_and_responses_as_dicts():
    """Parts and whole answers of the Chat Completions API are known by their form."""
    image = {"type": "image_url", "image_url": {"url": "https://x.example/y.png"}}
    parts = [{"type": "text", "text": "Look"}, image]
    found = plain.to_items({"role": "user", "content": parts})
    assert [part["type"] for part in found[0]["content"]] == ["input_text", "input_image"]
    message = {"role": "assistant", "content": "Hi"}
    answer = {"object": "chat.completion", "choices": [{"index": 0, "message": message}]}
    assert bare(plain.to_items(answer, role="assistant")) == [assistant("Hi")]


@pytest.mark.parametrize("adapter", [plain, chat])
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_what_is_not_offered(adapter, role):
    """Messages of the role `function` and items of the realtime API are refused by name."""
    with pytest.raises(ConversionError, match="function"):
        adapter.to_items({"role": "function", "name": "f", "content": "hush"}, role=role)
    item = {"object": "realtime.item", "type": "message", "role": "user", "content": []}
    with pytest.raises(ConversionError, match="realtime"):
        adapter.to_items(item, role=role)


@pytest.mark.parametrize("adapter", [None, chat])
@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"type": "token", "text": "hush"}, "is an event"),
        ({"type": "done"}, "is an event"),
        ({"type": "text_delta", "delta": "hush"}, "is an event"),
        ({"delta": "hush"}, "json.dumps"),
        ({"answer": "hush"}, "json.dumps"),
    ],
)
async def test_events_are_no_items(adapter, event, says):
    """A stream of events of the agent's own is refused, and the ways are named."""

    @with_session(adapter=adapter)
    async def stream(messages):
        yield event

    session = InMemorySession("s")
    with pytest.raises(ConversionError, match=says) as caught:
        async for _ in stream("?", session=session):
            pass
    assert "hush" not in str(caught.value)
    assert await session.get_items() == []
    await session.add_items([event])
    assert await session.get_items() == [event]


@pytest.mark.parametrize(
    "kind", ["web_search_call", "mcp_list_tools", "of_the_future_call", "new_call_output"]
)
async def test_items_of_the_api_pass(kind):
    """Items are known by the pattern of their type, so that those to come pass too."""

    @with_session
    async def agent(items):
        return [{"type": kind, "id": "x"}, assistant("ok")]

    session = InMemorySession("s")
    await agent("?", session=session)
    assert (await session.get_items())[-2:] == [{"type": kind, "id": "x"}, assistant("ok")]


@pytest.mark.parametrize("adapter", [None, chat])
@pytest.mark.parametrize("way", ["copied", "grown", "object", "streamed"])
async def test_what_is_new_of_a_list_given_back(adapter, way):
    """An agent that gives back all messages has told what is new, and that is stored once."""

    async def answer(messages):
        if way == "grown":
            messages.append({"role": "assistant", "content": "ok"})
            return messages
        if way == "object":
            return [*messages, ChatCompletionMessage(role="assistant", content="ok")]
        return [*messages, {"role": "assistant", "content": "ok"}]

    async def stream(messages):
        yield await answer(messages)

    agent = with_session(stream if way == "streamed" else answer, adapter=adapter)
    session = InMemorySession("s")
    expected = []
    for text in ("same", "same", "other"):
        if way == "streamed":
            async for _ in agent(text, session=session):
                pass
        else:
            assert len(await agent(text, session=session)) == len(expected) + 2
        expected += [user(text), assistant("ok")]
        assert bare(await session.get_items()) == expected


@pytest.mark.parametrize(
    "changed",
    [
        lambda items: [system("Be nice."), *items, assistant("ok")],
        lambda items: [*items[-1:], assistant("ok")],
        lambda items: [assistant("ok"), *items],
    ],
)
async def test_input_elsewhere_in_a_list_is_refused(changed):
    """Where nobody can tell what is new, nothing is stored, and the message says what to give."""

    @with_session
    async def agent(items):
        return changed(items)

    session = InMemorySession("s")
    await session.add_items([user("a"), assistant("b")])
    with pytest.raises(MemwrapError, match="what is new"):
        await agent("c", session=session)
    assert len(await session.get_items()) == 2


async def test_a_question_back_is_new():
    """A user's message that an agent adds itself, after all that it was given, is new."""

    @with_session
    async def agent(items):
        return [*items, assistant("one"), user("same"), assistant("two")]

    session = InMemorySession("s")
    await agent("same", session=session)
    texts = [item["content"] for item in await session.get_items()]
    assert texts == ["same", "one", "same", "two"]
