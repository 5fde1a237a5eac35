"""What LangChain's own chat models answer is stored once and whole, called or streamed."""

import json

import httpx2
import pytest
from corpus.server_sent import server_sent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_openai import ChatOpenAI

from memwrap import InMemorySession, with_session
from memwrap.adapters.langchain import from_items

SAID = {"type": "output_text", "text": "I look it up.", "annotations": []}
OUTPUT = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [SAID],
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "tide",
        "arguments": '{"port":"Kiel"}',
        "status": "completed",
    },
]
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": OUTPUT,
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 7,
    },
}


def events():
    """Return the events that the Responses API streams of its response."""
    yield {"type": "response.created", "response": RESPONSE | {"output": [], "status": "queued"}}
    for index, item in enumerate(OUTPUT):
        at = {"output_index": index, "item_id": item["id"]}
        empty = {"message": {"content": []}, "reasoning": {"summary": []}}
        begun = item | empty.get(item["type"], {"arguments": ""})
        yield {"type": "response.output_item.added", "output_index": index, "item": begun}
        if item["type"] == "reasoning":
            part = at | {"summary_index": 0}
            added = {"part": {"type": "summary_text", "text": ""}}
            yield {"type": "response.reasoning_summary_part.added"} | part | added
            yield {"type": "response.reasoning_summary_text.delta", "delta": "Hm."} | part
        elif item["type"] == "message":
            part = at | {"content_index": 0}
            yield {"type": "response.content_part.added", "part": SAID | {"text": ""}} | part
            for piece in ("I look ", "it up."):
                yield {"type": "response.output_text.delta", "delta": piece} | part
            yield {"type": "response.output_text.done", "text": SAID["text"]} | part
        else:
            for piece in ('{"port":', '"Kiel"}'):
                yield {"type": "response.function_call_arguments.delta", "delta": piece} | at
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": RESPONSE}


@pytest.fixture
def model():
    """Make a ChatOpenAI on the Responses API without a network, and the list of its requests."""
    bodies = []

    def reply(request):
        bodies.append(json.loads(request.content))
        if not bodies[-1].get("stream"):
            return httpx2.Response(200, json=RESPONSE)
        numbered = [event | {"sequence_number": n} for n, event in enumerate(events())]
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, text=server_sent(numbered))

    def make(**options):
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(reply))
        options |= {"model": "gpt-5", "api_key": "key", "use_responses_api": True}
        return ChatOpenAI(http_async_client=client, **options), bodies

    return make


@pytest.mark.parametrize("version", ["responses/v1", "v1", "v0"])
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_answers_of_the_responses_api(way, version, model):
    """An answer is one message with its ids and usage, and goes back to the API in its order."""
    chat, bodies = model(output_version=version)
    session = InMemorySession("s")
    agent = with_session(chat, session=session)

    async def ask(said):
        if way == "ainvoke":
            return await agent.ainvoke(said)
        return [chunk async for chunk in agent.astream(said)]

    await ask("When is the tide?")
    items = await session.get_items()
    _, answer = from_items(items)
    assert type(answer) is AIMessage
    assert answer.text == "I look it up."
    assert answer.tool_calls == [
        {"name": "tide", "args": {"port": "Kiel"}, "id": "call_1", "type": "tool_call"}
    ]
    assert answer.usage_metadata["total_tokens"] == 7
    await ask(ToolMessage("At 12:04.", tool_call_id="call_1"))
    sent = [item for item in bodies[1]["input"] if item.get("role") != "user"]
    assert [item.get("type", "message") for item in sent] == [
        *("reasoning", "message", "function_call", "function_call_output")
    ]
    assert "I look it up." in str(sent[1])
    assert json.loads(sent[2]["arguments"]) == {"port": "Kiel"}
    if version == "responses/v1":
        assert sent[0] == OUTPUT[0]
        assert (sent[1]["id"], sent[2]["id"]) == ("msg_1", "fc_1")
    again = await session.get_items()
    assert again[: len(items)] == items
    assert len(again) == 2 * len(items)
