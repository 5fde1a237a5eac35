import datetime as dt
import enum
import json

import pydantic
import pytest
from langchain_core.messages import AIMessage
from openai.lib._parsing._responses import parse_response
from openai.lib.streaming.chat import ChunkEvent
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseCustomToolCall,
    ResponseFunctionToolCall,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseTextDeltaEvent,
)

from memwrap import ConversionError, InMemorySession, record, with_session
from memwrap.adapters import chat, openai_agents, plain

REASONING = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "x"}
FUNCTION_CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city":  "Rome"}',
    "status": "completed",
}
CALLED = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Sunny.", "annotations": [], "logprobs": []}],
}
REFUSAL = {
    "id": "msg_2",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "refusal", "refusal": "No."}],
}


def response(*output, **changes):
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "model": "m",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "status": "completed",
    } | changes


def created():
    return {"type": "response.created", "sequence_number": 0, "response": response()}


def done(item, place=0):
    kind = "response.output_item.done"
    return {"type": kind, "sequence_number": 1, "output_index": place, "item": item}


def delta(text):
    return {
        "type": "response.output_text.delta",
        "sequence_number": 2,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
        "logprobs": [],
    }


def last(*output, kind="response.completed"):
    return {"type": kind, "sequence_number": 3, "response": response(*output)}


def words(text):
    return [delta(word) for word in text.split(" ")]


def chunk(text):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [choice],
    }


# Strings and items


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_string_is_a_message_of_the_speaker(role):
    """A string becomes one message of whoever speaks."""
    assert plain.to_items("Hi", role=role) == [{"role": role, "content": "Hi"}]


def test_strings_are_several_inputs_or_one_answer():
    """Several strings are a message each as input, and the pieces of one as a result."""
    assert [item["content"] for item in plain.to_items(["a", "b"])] == ["a", "b"]
    assert plain.to_items(["a", "b"], role="assistant") == [{"role": "assistant", "content": "ab"}]


def test_strings_between_items_keep_their_place():
    """The pieces before and behind an item are two messages around it."""
    items = plain.to_items(["I ", "look. ", FUNCTION_CALL, CALLED, "Sun", "ny."], role="assistant")
    assert [item.get("content") for item in items] == ["I look. ", None, None, "Sunny."]


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": "x"},
        {"content": "another order", "role": "developer"},
        {"type": "unheard_of", "deep": {"a": [1, None, {"b": True}]}},
        REASONING | {"provider_data": {"x": 1}},
        FUNCTION_CALL,
    ],
)
def test_item_is_unchanged(item, unchanged):
    """A dict with a role or a type is the item itself, key by key."""
    for given in (item, [item], (item,)):
        assert json.dumps(unchanged(plain.to_items, given)) == json.dumps([item])


def test_lists_in_a_result_are_taken_apart():
    """An agent may return, or yield, lists of items."""
    assert plain.to_items([[FUNCTION_CALL, CALLED], ANSWER], role="assistant") == [
        FUNCTION_CALL,
        CALLED,
        ANSWER,
    ]


def test_nothing_is_no_items():
    """An empty list is no items."""
    assert plain.to_items([]) == []
    assert plain.to_items([], role="assistant") == []


def test_from_items_takes_out_provider_data(unchanged):
    """The way back is the items, without the key that providers refuse."""
    items = [FUNCTION_CALL | {"provider_data": {"chat": {"name": "x"}}}, CALLED, ANSWER]
    assert unchanged(plain.from_items, items) == [FUNCTION_CALL, CALLED, ANSWER]


def test_round_trip_is_exact():
    """Items that go out and come back are the same."""
    items = [{"role": "user", "content": "?"}, REASONING, FUNCTION_CALL, CALLED, ANSWER, REFUSAL]
    assert json.dumps(plain.to_items(plain.from_items(items))) == json.dumps(items)


# Objects of the openai package


@pytest.mark.parametrize(
    "item", [REASONING, FUNCTION_CALL, ANSWER, REFUSAL], ids=lambda item: item["id"]
)
def test_response_is_its_output(item, unchanged):
    """A response's output items come out as the API sent them, from the object or the dict."""
    for given in (response(item), Response.model_validate(response(item))):
        assert unchanged(plain.to_items, given, role="assistant") == [item]


def test_output_object_is_its_item():
    """An output item's object becomes the item."""
    assert plain.to_items(ResponseOutputMessage.model_validate(ANSWER)) == [ANSWER]
    output = Response.model_validate(response(REASONING, FUNCTION_CALL)).output
    assert plain.to_items(output, role="assistant") == [REASONING, FUNCTION_CALL]


def test_keys_are_those_of_the_api():
    """Keys that Python or the package has no name for come out as the API sent them."""
    call = FUNCTION_CALL | {"async": True, "new_key": {"x": 1}}
    assert plain.to_items(ResponseFunctionToolCall.model_validate(call)) == [call]
    custom = {"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "", "async": False}
    assert plain.to_items(ResponseCustomToolCall.model_validate(custom)) == [custom]


class Forecast(pydantic.BaseModel):
    sky: str


def test_parsed_output_is_left_out():
    """What the package parsed out of the text is not stored: the API does not take it back."""
    answer = ANSWER | {"content": [ANSWER["content"][0] | {"text": '{"sky": "blue"}'}]}
    plain_response = Response.model_validate(response(answer, FUNCTION_CALL))
    parsed = parse_response(text_format=Forecast, input_tools=[], response=plain_response)
    assert parsed.output_parsed == Forecast(sky="blue")
    assert plain.to_items(parsed, role="assistant") == [answer, FUNCTION_CALL]
    assert plain.to_items(parsed.output, role="assistant") == [answer, FUNCTION_CALL]
    event = ResponseCompletedEvent.model_construct(type="response.completed", response=parsed)
    assert plain.to_items([event], role="assistant") == [answer, FUNCTION_CALL]


# Streams


class Mood(enum.Enum):
    GOOD = "good"


class Answer(pydantic.BaseModel):
    mood: Mood
    day: dt.date


@pytest.mark.parametrize("mode", ["python", "json"])
@pytest.mark.parametrize("options", [{}, {"by_alias": True}, {"exclude_none": True}])
@pytest.mark.parametrize("parts", [False, True])
async def test_dumps_of_parsed_responses(mode, options, parts, session):
    """A dump with what was parsed out of a text is stored, and goes back as the API sent it."""
    text = {"type": "output_text", "text": '{"mood":"good","day":"2026-01-01"}', "annotations": []}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    said |= {"content": [text]}
    hosted = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed"}
    hosted |= {"container_id": "c", "code": None, "outputs": None}
    searched = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    searched |= {"action": {"type": "search", "query": "q"}}
    raw = Response.model_validate(response(hosted, searched, said))
    parsed = parse_response(text_format=Answer, input_tools=[], response=raw)

    @with_session(session=session)
    async def agent(items):
        seen.append(items)
        dump = parsed.model_dump(mode=mode, warnings=False, **options)
        return (dump["output"] if parts else dump) if len(seen) == 1 else "Done."

    seen = []
    await agent("Mood?")
    await agent("Sure?")
    assert seen[1][1:-1] == [hosted, searched, said]


def streamed(events):
    """Return the events as dicts, and as objects of the package."""
    kinds = {
        "response.output_item.done": ResponseOutputItemDoneEvent,
        "response.completed": ResponseCompletedEvent,
        "response.output_text.delta": ResponseTextDeltaEvent,
    }
    return events, [kinds[event["type"]].model_validate(event) for event in events]


@pytest.mark.parametrize("kind", [0, 1], ids=["dicts", "objects"])
def test_last_event_tells_all(kind, unchanged):
    """The last event's response is the result, and nothing of the stream is stored twice."""
    events = streamed([*words("Sunny."), done(REASONING), done(ANSWER, 1), last(REASONING, ANSWER)])
    assert unchanged(plain.to_items, events[kind], role="assistant") == [REASONING, ANSWER]


@pytest.mark.parametrize("kind", [0, 1], ids=["dicts", "objects"])
def test_items_of_a_stream_without_last_event(kind):
    """Without a last event, the finished items are the result."""
    events = streamed([*words("Sunny."), done(FUNCTION_CALL), done(ANSWER, 1)])
    assert plain.to_items(events[kind], role="assistant") == [FUNCTION_CALL, ANSWER]


@pytest.mark.parametrize("kind", [0, 1], ids=["dicts", "objects"])
def test_text_of_a_stream_of_deltas(kind):
    """A stream of text alone is the text."""
    events = streamed([delta("Sun"), delta("ny.")])
    expected = [{"role": "assistant", "content": "Sunny."}]
    assert plain.to_items(events[kind], role="assistant") == expected


def test_text_behind_finished_items():
    """Text that no finished item holds comes behind them."""
    items = plain.to_items([done(FUNCTION_CALL), delta("Sun"), delta("ny.")], role="assistant")
    assert items == [FUNCTION_CALL, {"role": "assistant", "content": "Sunny."}]


@pytest.mark.parametrize("kind", ["response.incomplete", "response.failed"])
def test_other_last_events(kind):
    """A response that stopped early or failed is what it got to, or its finished items."""
    assert plain.to_items([last(ANSWER, kind=kind)], role="assistant") == [ANSWER]
    assert plain.to_items([done(FUNCTION_CALL), last(kind=kind)], role="assistant") == [
        FUNCTION_CALL
    ]


def test_output_between_events_keeps_the_order():
    """A tool output yielded in the middle of a response comes behind the call that it answers."""
    whole = [
        created(),
        done(FUNCTION_CALL),
        CALLED,
        last(FUNCTION_CALL),
        created(),
        done(ANSWER),
        last(ANSWER),
    ]
    assert plain.to_items(whole, role="assistant") == [FUNCTION_CALL, CALLED, ANSWER]
    without_last = [done(FUNCTION_CALL), CALLED, created(), done(ANSWER)]
    assert plain.to_items(without_last, role="assistant") == [FUNCTION_CALL, CALLED, ANSWER]


def test_two_responses_in_a_stream():
    """Each response of a stream has its own items, also without a first or a last event."""
    no_last = [created(), done(FUNCTION_CALL), created(), done(ANSWER), last(ANSWER)]
    no_first = [done(FUNCTION_CALL), last(FUNCTION_CALL), done(ANSWER), last(ANSWER)]
    for events in (no_last, no_first):
        assert plain.to_items(events, role="assistant") == [FUNCTION_CALL, ANSWER]


def test_other_events_say_nothing():
    """Events that carry nothing new are no items."""
    assert plain.to_items([created(), {"type": "response.in_progress", "response": {}}]) == []


async def test_stream_of_the_helper(client):
    """The events of the package's own stream helper are remembered like the API's."""
    begun = ANSWER | {"status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    place = {"sequence_number": 1, "output_index": 0}
    added = {"type": "response.output_item.added", "item": begun} | place
    opened = {"type": "response.content_part.added", "item_id": "msg_1", "content_index": 0}
    opened |= {"part": part} | place
    api = client([created(), added, opened, *words("Sunny."), done(ANSWER), last(ANSWER)])
    session = InMemorySession("helper")

    @with_session
    async def agent(items):
        async with api.responses.stream(model="m", input=items) as events:
            async for event in events:
                yield event

    seen = [event.type async for event in agent("Weather?", session=session)]
    assert seen[-1] == "response.completed"
    assert await session.get_items() == [{"role": "user", "content": "Weather?"}, ANSWER]


# Other dialects


def test_objects_of_frameworks_go_to_their_adapter():
    """Messages of other dialects are converted by the adapter that knows them, in their order."""
    message = {"role": "assistant", "content": "two", "refusal": None}
    items = plain.to_items(
        [
            AIMessage("one"),
            ChatCompletionMessage.model_validate(message),
            ResponseOutputMessage.model_validate(ANSWER),
            ANSWER,
        ],
        role="assistant",
    )
    assert [item["content"] for item in items[:2]] == ["one", "two"]
    assert items[2:] == [ANSWER, ANSWER]


def test_chunks_of_chat_completions_add_up():
    """A function that yields chat chunks is understood without another adapter."""
    chunks = [ChatCompletionChunk.model_validate(chunk(text)) for text in ("Sun", "ny.")]
    expected = [{"role": "assistant", "content": "Sunny."}]
    assert plain.to_items(chunks, role="assistant") == expected


# What is refused


class Secret:
    def __repr__(self):
        return "a secret"

    __str__ = __repr__


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "None"),
        (1.5, "float"),
        (b"a secret", "bytes"),
        ({"a secret"}, "set"),
        (Secret(), f"{__name__}.Secret"),
        (Secret, "type"),
    ],
)
def test_unknown_result_names_type_and_ways_out(value, name):
    """An unknown result is refused by its type's name and the three ways out, never its content."""
    for given in (value, [ANSWER, value]):
        with pytest.raises(ConversionError) as caught:
            plain.to_items(given, role="assistant")
        said = str(caught.value)
        assert f"the agent gave {name}, " in said
        for way in ("a string, an item or a list", "with_session(adapter=", "memwrap.record()"):
            assert way in said
        assert "secret" not in said.replace(name, "")


def test_unknown_input_names_the_type():
    """Unknown input is refused by its type's name and the way out, never its content."""
    with pytest.raises(ConversionError, match=rf"not {__name__}\.Secret; .*adapter=") as caught:
        plain.to_items(["hello", Secret()])
    assert "a secret" not in str(caught.value)


@pytest.mark.parametrize("value", [{}, {"content": "a secret"}, {"role": None}])
def test_dict_without_role_and_type_is_refused(value):
    """A dict with neither role nor type is no item, and the error says so."""
    with pytest.raises(ConversionError, match="without a `role` and a `type`") as caught:
        plain.to_items([ANSWER, value])
    assert caught.value.path == "$[1]"
    assert "secret" not in str(caught.value)


def test_other_objects_of_the_package_are_refused():
    """Objects of the package that are no messages are not stored as if they were."""
    model = {"object": "list", "data": [], "model": "m", "usage": {}}
    embedding = CreateEmbeddingResponse.model_construct(**model)
    with pytest.raises(ConversionError):
        plain.to_items(embedding, role="assistant")
    piece = ChatCompletionChunk.model_validate(chunk("a secret"))
    event = ChunkEvent.model_construct(type="chunk", chunk=piece, snapshot=None)
    with pytest.raises(ConversionError, match="ChunkEvent") as caught:
        plain.to_items(event, role="assistant")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_item.done"},
        {"type": "response.output_text.delta"},
        {"type": "response.completed", "response": {"output": [3]}},
    ],
)
def test_malformed_event_is_a_clear_error(event):
    """An event that lacks its parts is refused by an error of our own."""
    with pytest.raises(ConversionError, match="cannot read a message"):
        plain.to_items([event], role="assistant")


# Agents


async def test_responses_agent_over_three_turns(client):
    """An agent that returns responses, tool calls among them, is shown all of it next time."""
    api = client(response(REASONING, FUNCTION_CALL), response(ANSWER), response(REFUSAL))
    session = InMemorySession("weather")

    @with_session
    async def agent(items):
        reply = await api.responses.create(model="m", input=items)
        if not any(item.type == "function_call" for item in reply.output):
            return reply
        record([reply, CALLED])
        return await api.responses.create(model="m", input=[*items, *reply.output, CALLED])

    question = {"role": "user", "content": "Weather?"}
    assert (await agent("Weather?", session=session)).output_text == "Sunny."
    assert await session.get_items() == [question, REASONING, FUNCTION_CALL, CALLED, ANSWER]
    await agent("And a secret?", session=session)
    assert api.bodies[2]["input"] == [
        *(question, REASONING, FUNCTION_CALL, CALLED, ANSWER),
        {"role": "user", "content": "And a secret?"},
    ]
    assert (await session.get_items())[-1] == REFUSAL


async def test_streaming_agent_over_two_turns(client):
    """An agent that yields raw events and its tools' outputs stores each item once, in order."""
    api = client(
        [created(), done(FUNCTION_CALL), last(FUNCTION_CALL)],
        [created(), *words("Sunny."), done(ANSWER), last(ANSWER)],
        [created(), done(REFUSAL), last(REFUSAL)],
    )
    session = InMemorySession("stream")

    @with_session
    async def agent(items):
        calls = 1
        while calls:
            calls = 0
            async for event in await api.responses.create(model="m", input=items, stream=True):
                yield event
                if (
                    event.type == "response.output_item.done"
                    and event.item.type == FUNCTION_CALL["type"]
                ):
                    items = [*items, FUNCTION_CALL, CALLED]
                    calls += 1
                    yield CALLED

    kinds = [getattr(event, "type", None) async for event in agent("Weather?", session=session)]
    assert kinds.count("response.completed") == 2
    stored = [{"role": "user", "content": "Weather?"}, FUNCTION_CALL, CALLED, ANSWER]
    assert await session.get_items() == stored
    async for _ in agent("More?", session=session):
        pass
    assert api.bodies[2]["input"] == [*stored, {"role": "user", "content": "More?"}]
    assert (await session.get_items())[-1] == REFUSAL


async def test_unknown_result_stores_nothing():
    """When an agent gives what is no item, nothing of the turn is stored."""
    session = InMemorySession("nothing")

    @with_session
    async def agent(items):
        return Secret()

    with pytest.raises(ConversionError):
        await agent("Hi", session=session)
    assert await session.get_items() == []


def test_frameworks_are_not_imported(script):
    """Plain agents and chat agents run without any framework being imported."""
    said = script(
        """
import asyncio, sys
from memwrap import InMemorySession, with_session
from memwrap.adapters import chat, plain

async def answer(items):
    return {"object": "response", "output": [{"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": str(len(items))}]}]}

async def chatter(messages):
    yield {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]}

async def main():
    session = InMemorySession("x")
    for _ in range(2):
        await with_session(answer)("Hi", session=session)
        async for _ in with_session(chatter, adapter=chat)("Hi", session=session):
            pass
    print(len(await session.get_items()))

asyncio.run(main())
heavy = {"agents", "langchain_core", "langgraph", "openai", "pydantic"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
""",
        flags=("-W", "error"),
    )
    assert said.split("\n")[:2] == ["8", "[]"]


@pytest.mark.parametrize("role", ["model", "human", "ai", "User", "tool_result"])
@pytest.mark.parametrize("adapter", [plain, chat, openai_agents])
async def test_roles_of_other_dialects(role, adapter, session):
    """A message with a role of another API is refused with the fix, from caller and agent."""
    message = {"role": role, "content": "Hello"}

    @with_session(session=session, adapter=adapter)
    async def agent(items):
        return [message]

    for said in ([message], "Hi"):
        with pytest.raises(ConversionError, match=r"roles user, assistant, system and developer"):
            await agent(said)
    assert await session.get_items() == []


@pytest.mark.parametrize("role", ["critic", "Ada", "x\nCRITICAL root logged in"])
async def test_other_names_are_kept(role, session):
    """A role that is no API's is kept as it is: a program may have names of its own."""

    @with_session(session=session)
    async def agent(items):
        return "ok"

    await agent([{"role": role, "content": "x"}])
    assert (await session.get_items())[0] == {"role": role, "content": "x"}
