"""Agents that append to the list they were given, as the pages of most clients teach."""

import json

import pytest
from corpus.exactness import seen
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage

from memwrap import InMemorySession, SQLiteSession, current_turn, record, with_session
from memwrap.adapters import chat, plain
from memwrap.items import assistant, system, user
from memwrap.middleware import Memory

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "Rome"}'}}
ASKING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
FOUND = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
ANSWER = {"role": "assistant", "content": "Sunny."}
TURN = [
    user("Rome?"),
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at": "Rome"}'},
    {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    assistant("Sunny."),
]


def completion(message):
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    return ChatCompletion.model_validate(body)


def chunks(message):
    for delta in (
        {"role": "assistant", "content": message["content"], "tool_calls": None},
        *({"tool_calls": [{"index": 0, **call}]} for call in message.get("tool_calls") or ()),
    ):
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        body = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        yield ChatCompletionChunk.model_validate(body | {"choices": [choice]})


# What a function appends, and what it returns.
WAYS = {
    "the last text": ([ASKING, FOUND], "Sunny."),
    "the last text, appended too": ([ASKING, FOUND, ANSWER], "Sunny."),
    "nothing": ([ASKING, FOUND, ANSWER], None),
    "a message": ([ASKING, FOUND], ANSWER),
    "a message, appended too": ([ASKING, FOUND, ANSWER], ANSWER),
    "an object": ([ASKING, FOUND], ChatCompletionMessage.model_validate(ANSWER)),
    "a completion": ([ASKING, FOUND], completion(ANSWER)),
    "a completion, appended too": (
        [ChatCompletionMessage.model_validate(ASKING), FOUND, ANSWER],
        completion(ANSWER),
    ),
    "what was added": ([ASKING, FOUND, ANSWER], [ASKING, FOUND, ANSWER]),
    "a part of what was added": ([ASKING, FOUND, ANSWER], [FOUND, ANSWER]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("place", ["memory", "file"])
async def test_what_is_appended_is_stored_once(way, kind, place, path):
    """What a function appends is stored once, whatever of it the function returns too."""
    added, result = WAYS[way]

    async def agent(messages):
        messages.extend(added)
        return result

    def sync_agent(messages):
        messages.extend(added)
        return result

    session = InMemorySession("s") if place == "memory" else SQLiteSession("s", path)
    remembering = with_session(agent if kind == "async" else sync_agent, adapter=chat)
    for number in range(2):
        if kind == "async":
            given = await remembering("Rome?", session=session)
        else:
            import asyncio

            given = await asyncio.to_thread(remembering, "Rome?", session=session)
        assert given is result
        assert seen(await session.get_items()) == TURN * (number + 1)


async def test_the_whole_list_returned():
    """A function that appends and returns the list that it was given has told the same twice."""

    @with_session(adapter=chat)
    async def agent(messages):
        messages += [ASKING, FOUND, ANSWER]
        return messages

    session = InMemorySession("s")
    await agent("Rome?", session=session)
    assert seen(await session.get_items()) == TURN


@pytest.mark.parametrize("appended", [[ASKING, FOUND], [ASKING, FOUND, ANSWER]])
async def test_streams_of_several_calls(appended):
    """Events of several calls of a model, and what is appended between them, are one turn."""

    @with_session(adapter=chat)
    async def agent(messages):
        for chunk in chunks(ASKING):
            yield chunk
        messages.extend(appended[:2])
        for chunk in chunks(ANSWER):
            yield chunk
        messages.extend(appended[2:])

    session = InMemorySession("s")
    events = [event async for event in agent("Rome?", session=session)]
    assert len(events) == 3
    assert seen(await session.get_items()) == TURN


async def test_items_are_appended_too():
    """A function around the Responses API may append items and outputs."""
    items = TURN[1:]

    @with_session
    async def agent(messages):
        messages += items[:2]
        return "Sunny."

    session = InMemorySession("s")
    await agent("Rome?", session=session)
    assert await session.get_items() == TURN


@pytest.mark.parametrize("adapter", [plain, chat])
async def test_equal_words_are_said_again(adapter):
    """Words that were appended and are said once more behind something else are new."""

    @with_session(adapter=adapter)
    async def agent(messages):
        messages += [assistant("Yes."), user("Sure?")]
        return "Yes."

    session = InMemorySession("s")
    await agent("q", session=session)
    texts = [item["content"] for item in await session.get_items()]
    assert texts == ["q", "Yes.", "Sure?", "Yes."]


async def test_what_is_recorded_counts_alone():
    """A function that records what it does has told what is new, whatever it appends besides."""

    @with_session(adapter=chat)
    async def agent(messages):
        messages += [ASKING, FOUND]
        record([ASKING, FOUND])
        return "Sunny."

    session = InMemorySession("s")
    await agent("Rome?", session=session)
    assert seen(await session.get_items()) == TURN


@pytest.mark.parametrize(
    "change",
    [
        lambda messages: messages.insert(0, system("Be nice.")),
        lambda messages: messages.__setitem__(0, user("other")),
        lambda messages: messages.clear(),
        lambda messages: messages.pop(),
    ],
)
async def test_a_list_that_was_changed_elsewhere_tells_nothing(change):
    """What is behind a change of the given messages is the function's own affair."""

    @with_session
    async def agent(messages):
        change(messages)
        messages += [assistant("between"), user("us")]
        return "ok"

    session = InMemorySession("s")
    await session.add_items([user("a"), assistant("b")])
    await agent("c", session=session)
    texts = [item["content"] for item in await session.get_items()]
    assert texts == ["a", "b", "c", "ok"]


async def test_a_copy_is_the_functions_own():
    """What a function appends to a copy of its list is not stored."""

    @with_session
    async def agent(messages):
        messages = [*messages, assistant("between us")]
        return "ok"

    session = InMemorySession("s")
    await agent("q", session=session)
    assert [item["content"] for item in await session.get_items()] == ["q", "ok"]


async def test_what_a_failed_attempt_appended_is_gone():
    """A layer that tries again begins with a new list."""
    attempts = []

    async def twice(turn, send, handler):
        try:
            await handler(turn, send)
        except RuntimeError:
            await handler(turn, send)

    @with_session(middleware=[twice])
    async def agent(messages):
        attempts.append(len(messages))
        messages.append(assistant(f"draft {len(attempts)}"))
        if len(attempts) == 1:
            raise RuntimeError
        return "ok"

    session = InMemorySession("s")
    await agent("q", session=session)
    assert attempts == [1, 1]
    assert [item["content"] for item in await session.get_items()] == ["q", "draft 2", "ok"]


@pytest.mark.parametrize("way", WAYS)
async def test_the_same_turn_again(way, session):
    """A turn that is repeated by its id gives what it gave, and stores nothing."""
    added, result = WAYS[way]

    @with_session(session=session, adapter=chat)
    async def agent(messages):
        messages.extend(added)
        return result

    await agent("Rome?", turn_id="1")
    again = await agent("Rome?", turn_id="1")
    if isinstance(result, ChatCompletion):
        assert again.choices[0].message.content == "Sunny."
        assert len(again.choices) == 1
    elif isinstance(result, ChatCompletionMessage):
        assert again.content == "Sunny."
    else:
        assert again == result
    assert len(await session.get_items()) == len(TURN)


async def test_a_stopped_stream_keeps_what_was_appended(session):
    """With `keep_delivered` a stream that is left keeps calls with outputs, and the text so far."""

    @with_session(session=session, adapter=chat, middleware=[Memory(on_stop="keep_delivered")])
    async def agent(messages):
        for chunk in chunks(ASKING):
            yield chunk
        messages += [ASKING, FOUND]
        for chunk in chunks({"role": "assistant", "content": "Sun"}):
            yield chunk
        yield from_nowhere  # noqa: F821

    stream = agent("Rome?")
    async for event in stream:
        if event.choices[0].delta.content == "Sun":
            break
    await stream.aclose()
    items = seen(await session.get_items())
    assert items[:3] == TURN[:3]
    assert items[3]["status"] == "incomplete"
    assert json.dumps(items[3]["content"]).count("Sun") == 1


async def test_layers_see_what_was_appended(session):
    """New items of a turn are those that the function appended, too."""
    found = []

    async def look(turn, send, handler):
        await handler(turn, send)
        found.extend(turn.new_items)

    @with_session(session=session, middleware=[look, Memory()])
    async def agent(messages):
        messages.append(assistant("ok"))
        assert current_turn().run.appended == [assistant("ok")]

    await agent("q")
    assert found == [assistant("ok")]
