"""The chat dialect with litellm's own objects, which are Chat Completions by their fields."""

import os

import pytest
from support import gathered

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it asks the network for prices

import litellm
from litellm.types.utils import ModelResponseStream

from memwrap import with_session
from memwrap.adapters import chat

FUNCTION = {"name": "weather", "arguments": '{"city": "Rome"}'}
CALL = {"id": "call_1", "type": "function", "function": FUNCTION}
SAID = ["function_call", "function_call_output", "message"]


def completion(message):
    """Return a response of litellm's that has this message."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return litellm.ModelResponse(choices=[choice])


def chunks(*deltas):
    """Yield the chunks of litellm's that tell these deltas."""
    for delta in deltas:
        choice = {"index": 0, "finish_reason": None, "delta": delta}
        yield ModelResponseStream(id="c", choices=[choice])


async def test_a_tool_loop(session):
    """Messages of litellm's that are appended, and its response, are stored once each."""

    @with_session(session=session, adapter=chat)
    async def agent(messages):
        asked = completion({"content": None, "tool_calls": [CALL]}).choices[0].message
        messages.append(asked)
        messages.append({"role": "tool", "tool_call_id": "call_1", "content": "sunny"})
        return completion({"content": "Sunny."})

    await agent("How is it?")
    items = await session.get_items()
    assert [item.get("type", "message") for item in items[1:]] == SAID
    assert items[1]["arguments"] == FUNCTION["arguments"]
    assert items[-1]["content"] == "Sunny."


async def test_a_stream_with_calls(session):
    """Chunks of litellm's add up to the message that they make, calls and all."""
    begun = {**CALL, "index": 0, "function": {"name": "weather", "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": FUNCTION["arguments"]}}]

    @with_session(session=session, adapter=chat)
    async def agent(messages):
        for chunk in chunks({"role": "assistant", "tool_calls": [begun]}, {"tool_calls": more}):
            yield chunk
        yield {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
        for chunk in chunks({"role": "assistant", "content": "Sun"}, {"content": "ny."}):
            yield chunk

    await gathered(agent("How is it?"))
    items = await session.get_items()
    assert [item.get("type", "message") for item in items[1:]] == SAID
    assert items[1]["arguments"] == FUNCTION["arguments"]
    assert items[-1]["content"] == "Sunny."


@pytest.mark.parametrize("adapter", [chat, None])
async def test_a_stream_of_text(adapter, session):
    """What litellm streams is its text, whatever adapter the function names."""
    messages = [{"role": "user", "content": "Hi"}]

    @with_session(session=session, adapter=adapter)
    async def agent(_):
        stream = await litellm.acompletion(
            model="gpt-5", messages=messages, stream=True, mock_response="It is sunny."
        )
        async for chunk in stream:
            yield chunk

    await gathered(agent("How is it?"))
    assert [item["content"] for item in await session.get_items()] == ["How is it?", "It is sunny."]
