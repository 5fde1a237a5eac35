"""A repeated turn gives an object of the `openai` package in its type again."""

from datetime import date

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseCompletedEvent, ResponseTextDeltaEvent
from pydantic import BaseModel
from support import gathered

import memwrap.adapters.chat
from memwrap import InMemorySession, is_replay, with_session

TEXT = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
}
FUNCTION = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
RESPONSE = Response.model_validate(
    {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "output": [TEXT, FUNCTION],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
)
TOOL_CALL = {"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
DIALECTS = [None, memwrap.adapters.chat]


def completion(message):
    """Return a completion of one choice."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return ChatCompletion.model_validate(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


async def again(answer, adapter=None):
    """Return what a repeated turn gives."""

    @with_session(adapter=adapter)
    async def agent(items):
        return answer

    session = InMemorySession("s")
    assert await agent("q", session=session, turn_id="t") is answer
    found = await agent("q", session=session, turn_id="t")
    assert type(found) is type(answer)
    assert is_replay(found)
    return found


async def test_responses():
    """A response has its text and its calls."""
    found = await again(RESPONSE)
    assert found.output_text == "Hello"
    assert [type(item) for item in found.output] == [type(item) for item in RESPONSE.output]
    assert found.output[1].call_id == "c"


async def test_output_of_a_response():
    """A list of output items is one, and so is a single item."""
    found = await again(RESPONSE.output)
    assert [type(item) for item in found] == [type(item) for item in RESPONSE.output]
    assert (await again(RESPONSE.output[0])).content[0].text == "Hello"


@pytest.mark.parametrize("adapter", DIALECTS)
async def test_completions(adapter):
    """A completion has its text and its calls in the first choice."""
    found = await again(completion({"content": "Hello"}), adapter)
    assert found.choices[0].message.content == "Hello"
    assert found.choices[0].message.tool_calls is None
    found = await again(completion({"content": "Hm", "tool_calls": [TOOL_CALL]}), adapter)
    assert found.choices[0].message.tool_calls[0].function.arguments == '{"a": 1}'
    assert found.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("adapter", DIALECTS)
async def test_messages_of_completions(adapter):
    """The message of a completion is one, and so are several."""
    message = completion({"content": "Hello"}).choices[0].message
    assert (await again(message, adapter)).content == "Hello"
    assert [m.content for m in await again([message, message], adapter)] == ["Hello", "Hello"]


async def test_chat_messages_as_dicts():
    """A message of Chat Completions comes back as one, not as the items it became."""
    message = {"role": "assistant", "content": "Hm", "tool_calls": [TOOL_CALL]}
    assert await again(message, memwrap.adapters.chat) == message
    assert await again([message], memwrap.adapters.chat) == [message]


async def stream_again(events, adapter=None):
    """Return the one event of a repeated stream."""

    @with_session(adapter=adapter)
    async def agent(items):
        for event in events:
            yield event

    session = InMemorySession("s")
    await gathered(agent("q", session=session, turn_id="t"))
    (found,) = await gathered(agent("q", session=session, turn_id="t"))
    return found


async def test_events_of_a_response():
    """A stream of a response's events is its last event."""
    delta = ResponseTextDeltaEvent.model_construct(type="response.output_text.delta", delta="Hel")
    done = ResponseCompletedEvent(
        type="response.completed", sequence_number=1, response=RESPONSE.model_copy()
    )
    found = await stream_again([delta, done])
    assert type(found) is ResponseCompletedEvent
    assert found.response.output_text == "Hello"


@pytest.mark.parametrize("adapter", DIALECTS)
async def test_chunks_of_a_completion(adapter):
    """A stream of chunks is one chunk with all of it."""
    chunks = [
        ChatCompletionChunk.model_validate(
            {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "delta": {"content": text}}],
            }
        )
        for text in ("Hel", "lo")
    ]
    found = await stream_again(chunks, adapter)
    assert type(found) is ChatCompletionChunk
    assert found.choices[0].delta.content == "Hello"


class Town(BaseModel):
    """A model, as structured answers are."""

    name: str
    founded: date


@pytest.mark.parametrize("answer", [Town(name="Rome", founded="0753-04-21")])
async def test_models(answer):
    """A model comes back as an equal one, alone and in lists."""
    assert await again(answer) == answer
    assert await again([answer, answer]) == [answer, answer]
