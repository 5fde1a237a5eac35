"""Messages of Anthropic: exact inside, fit for its API, streams added up."""

import json

import httpx2
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message, TextBlock, ToolUseBlock
from corpus.exactness import seen, stored
from corpus.wire import refused_by_anthropic
from hypothesis import example, given
from hypothesis import strategies as st
from support import CALL, OUTPUT, REASONING, gathered

from memwrap import ConversionError, InMemorySession, is_replay, with_session
from memwrap.adapters import anthropic, chat, plain
from memwrap.hidden.data import names_of
from memwrap.items import assistant, system, user
from memwrap.middleware import Redact, Trim
from memwrap.usage import Usage, usages_in

THINKING = {"type": "thinking", "thinking": "I look.", "signature": "c2ln"}
SECRET_THOUGHT = {"type": "redacted_thinking", "data": "gAAA"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "Rome"}}
SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PLAIN = {"type": "text", "media_type": "text/plain", "data": "é"}
CITED = {"enabled": True}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}


def said(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def text(value, **fields):
    return {"type": "text", "text": value, **fields}


def asked(content):
    return {"role": "user", "content": content}


def result(content, call_id="toolu_1", **fields):
    block = {"type": "tool_result", "tool_use_id": call_id, "content": content, **fields}
    return {"role": "user", "content": [block]}


def response(*blocks, stop="end_turn"):
    return Message.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": list(blocks),
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 4},
        }
    )


CONVERSATIONS = {
    "texts": [
        {"role": "user", "content": "Hi"},
        said(text("Ho")),
        {"role": "user", "content": "x"},
    ],
    "a text as a block": [{"role": "user", "content": [text("Hi")]}],
    "cached": [{"role": "user", "content": [text("Hi", cache_control={"type": "ephemeral"})]}],
    "several texts": [said(text("a"), text("b")), said(text("c"))],
    "pictures": [{"role": "user", "content": [{"type": "image", "source": PNG}, text("What?")]}],
    "a picture elsewhere": [
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "url", "url": "https://x/"}}],
        }
    ],
    "documents": [
        {
            "role": "user",
            "content": [
                {
                    "type": "document",
                    "source": PDF,
                    "title": "a.pdf",
                    "citations": {"enabled": True},
                },
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "é"},
                },
                {"type": "document", "source": {"type": "file", "file_id": "f"}},
            ],
        }
    ],
    "thoughts": [said(THINKING, SECRET_THOUGHT, text("Ok"))],
    "thoughts and calls": [
        said(THINKING, text("I look."), USE),
        result("sunny"),
        said(text("Sunny.")),
    ],
    "two calls": [
        said(USE, USE | {"id": "toolu_2", "input": {"at": [1, 2.5, None]}}),
        {"role": "user", "content": [*result("a")["content"], *result("b", "toolu_2")["content"]]},
    ],
    "text behind calls": [said(USE, text("Wait.")), result("sunny")],
    "outputs and a question": [
        said(USE),
        {"role": "user", "content": [*result("sunny")["content"], text("And now?")]},
    ],
    "outputs of parts": [said(USE), result([text("a"), {"type": "image", "source": PNG}])],
    "an error": [said(USE), result("no such city", is_error=True)],
    "no output": [
        said(USE),
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]},
    ],
    "the provider's tools": [said(text("Hm."), SEARCH, FOUND, text("Done.", citations=[{"x": 1}]))],
    "only the provider's tools": [said(SEARCH, FOUND)],
    "instructions": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
    "odd blocks": [said({"type": "of_the_future", "x": {"deep": [None]}}, text("x"))],
    "odd keys": [{"role": "user", "content": "Hi", "extra": 1}],
}


def back(messages):
    """Return messages after a stay in a store, without what begins a slice."""
    found = anthropic.from_items(stored(anthropic.to_items(messages)))
    return found[1:] if messages[0]["role"] == "assistant" else found


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_messages_come_back(name):
    """Each message of the API comes back field by field, in whatever conversation."""
    messages = CONVERSATIONS[name]
    assert back(messages) == messages
    for message in messages:
        assert back([message]) == [message]


texts = st.text(max_size=4)
block = st.one_of(
    st.builds(text, texts),
    st.just(THINKING),
    st.just(SECRET_THOUGHT),
    st.just(SEARCH),
    st.builds(lambda n, v: USE | {"id": f"t{n}", "input": {"v": v}}, st.integers(0, 3), texts),
)
asking = st.one_of(
    st.builds(text, texts),
    st.builds(lambda n, v: result(v, f"t{n}")["content"][0], st.integers(0, 3), texts),
    st.just({"type": "image", "source": PNG}),
)
message = st.one_of(
    st.builds(lambda blocks: said(*blocks), st.lists(block, min_size=1, max_size=4)),
    st.builds(lambda bs: {"role": "user", "content": bs}, st.lists(asking, min_size=1, max_size=3)),
    st.builds(lambda t: {"role": "user", "content": t}, texts.filter(str.strip)),
)


def has_late_result(messages):
    """Tell whether a result is not right behind its call, where the API wants it, and it moves."""
    calls = {}
    for place, one in enumerate(messages):
        for part in one["content"] if isinstance(one["content"], list) else ():
            if part["type"] == "tool_use":
                calls[part["id"]] = place
            if calls.get(part.get("tool_use_id"), place - 1) != place - 1:
                return True
    return False


@given(st.lists(message, min_size=1, max_size=5))
@example(
    [
        said(USE | {"id": "t2"}),
        {"role": "user", "content": "0"},
        {"role": "user", "content": [result("", "t2")["content"][0]]},
    ]
)
def test_any_conversation_comes_back(messages):
    """Any conversation in blocks comes back, but for what the API would refuse."""
    shown = back(messages)
    taken = [one for one in messages if one["content"]]
    assert (
        json.dumps(shown) == json.dumps(taken)
        or has_late_result(messages)
        or any(
            isinstance(one, dict) and one.get("type") == "text" and not one["text"].strip()
            for m in messages
            if isinstance(m["content"], list)
            for one in m["content"]
        )
    )


def test_objects_of_the_package():
    """A response, its blocks, and a dict with its blocks in it are the same message."""
    answer = response(THINKING, text("I look."), USE, stop="tool_use")
    expected = anthropic.to_items(said(THINKING, text("I look."), USE))
    for form in (
        answer,
        {"role": "assistant", "content": answer.content},
        list(answer.content),
        answer.model_dump(exclude_none=True),
    ):
        items = anthropic.to_items(form, role="assistant")
        assert seen(items) == seen(expected)
        assert anthropic.from_items(items)[1:] == anthropic.from_items(expected)[1:]


def test_thoughts_are_of_this_dialect():
    """Thoughts are reasoning that no other dialect shows, and others' are not shown here."""
    items = anthropic.to_items([{"role": "user", "content": "q"}, said(THINKING, text("a"))])
    assert items[1]["type"] == "reasoning"
    assert names_of(items[1]) == ["anthropic"]
    for other in (plain, chat):
        assert "I look." not in json.dumps(other.from_items(items))
    foreign = [user("q"), {**REASONING, "summary": [{"type": "summary_text", "text": "hush"}]}]
    assert "hush" not in json.dumps(anthropic.from_items([*foreign, assistant("a")]))


def test_a_thought_without_its_signature_is_left_out():
    """Of an edited message the thoughts are gone, since their signature would not hold."""
    items = anthropic.to_items([{"role": "user", "content": "q"}, said(THINKING, text("secret"))])
    edited = [
        item | {"content": "x"} if item.get("content") == "secret" else item for item in items
    ]
    assert anthropic.from_items(edited)[1:] == [{"role": "assistant", "content": [text("x")]}] or (
        anthropic.from_items(edited)[1:] == [{"role": "assistant", "content": "x"}]
    )


ODD = [
    [assistant("Hello!"), user("Hi")],
    [system("Be kind."), user("Hi"), assistant("  "), user("")],
    [user("q"), {**CALL, "call_id": "a b/c" * 40, "arguments": "[1]"}],
    [user("q"), CALL, CALL, OUTPUT, OUTPUT, assistant("x")],
    [user("q"), CALL, assistant("wait"), OUTPUT],
    [user("q"), {**CALL, "arguments": "{"}, {**OUTPUT, "output": ""}],
    [user("q"), {"type": "web_search_call", "id": "ws", "status": "completed"}, assistant("x")],
    [
        {
            "role": "user",
            "content": [
                {"type": "input_image", "file_id": "f", "detail": "auto"},
                {"type": "input_image", "image_url": "http://x/a.bmp", "detail": "auto"},
                {
                    "type": "input_file",
                    "filename": "a.txt",
                    "file_data": "data:text/plain;base64,QQ==",
                },
                {"type": "input_file", "filename": "a.zip", "file_data": "data:x/zip;base64,QQ=="},
                {"type": "input_text", "text": " "},
            ],
        }
    ],
    [user("q"), {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}],
]


@pytest.mark.parametrize("items", ODD)
def test_the_api_takes_what_it_is_sent(items):
    """Whatever the history holds, the request is one that the API takes."""
    from memwrap.items import repaired

    messages = anthropic.from_items(repaired([*items, user("And now?")]))
    assert refused_by_anthropic({"messages": messages}) == []


# Streams


def events_of(*blocks, stop="end_turn"):
    """Yield the events of a stream that says these blocks, in small pieces."""
    start = response(stop=None).model_dump(mode="json") | {"content": [], "stop_reason": None}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, one in enumerate(blocks):
        empty = {"text": "", "thinking": "", "signature": "", "input": {}, "citations": None}
        begun = {key: empty.get(key, value) for key, value in one.items()}
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        for delta in deltas_of(one):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": stop, "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}


def deltas_of(one):
    if one["type"] == "text":
        yield from ({"type": "text_delta", "text": letter} for letter in one["text"])
    elif one["type"] == "thinking":
        for letter in one["thinking"]:
            yield {"type": "thinking_delta", "thinking": letter}
        yield {"type": "signature_delta", "signature": one["signature"]}
    elif one["type"] == "tool_use":
        pieces = json.dumps(one["input"])
        yield from ({"type": "input_json_delta", "partial_json": p} for p in ("", *pieces))


@pytest.mark.parametrize("as_objects", [False, True])
def test_streams_add_up(as_objects):
    """The events of several calls, with outputs between them, are what the calls said."""
    from anthropic.types import RawMessageStreamEvent
    from pydantic import TypeAdapter

    read = TypeAdapter(RawMessageStreamEvent).validate_python if as_objects else lambda event: event
    first = [
        event if event["type"] == "ping" else read(event)
        for event in events_of(THINKING, text("I look."), USE)
    ]
    second = [
        event if event["type"] == "ping" else read(event) for event in events_of(text("Sunny."))
    ]
    items = anthropic.to_items([*first, result("sunny"), *second], role="assistant")
    whole = [said(THINKING, text("I look."), USE), result("sunny"), said(text("Sunny."))]
    assert anthropic.from_items(items) == anthropic.from_items(anthropic.to_items(whole))


@pytest.mark.parametrize("end", range(1, 40))
def test_streams_that_are_cut(end):
    """What was said by then is kept; a call is kept when its input is whole."""
    events = list(events_of(text("Hi."), USE))[:end]
    items = seen(anthropic.to_items(events, role="assistant"))
    heard = "".join(
        e["delta"].get("text", "") for e in events if "delta" in e and "text" in e["delta"]
    )
    assert [item["content"] for item in items if item.get("role")] == ([heard] if heard else [])
    for item in items:
        if item["type" if "type" in item else "role"] == "function_call":
            assert json.loads(item["arguments"]) in ({}, USE["input"])


@pytest.fixture
async def client():
    """Make a client of the package whose API is as strict as the real one, and its requests."""
    made = []

    def make(*replies):
        bodies, left = [], iter(replies)

        def reply(request):
            body = json.loads(request.content)
            bodies.append(body)
            assert refused_by_anthropic(body) == []
            answer = next(left)
            if body.get("stream"):
                lines = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in answer)
                headers = {"content-type": "text/event-stream"}
                return httpx2.Response(200, headers=headers, text=lines)
            return httpx2.Response(200, json=answer.model_dump(mode="json"))

        http = httpx2.AsyncClient(transport=httpx2.MockTransport(reply))
        made.append(AsyncAnthropic(api_key="key", http_client=http))
        return made[-1], bodies

    yield make
    for one in made:
        await one.close()


async def ask(api, messages, **options):
    return await api.messages.create(model="m", max_tokens=9, messages=messages, **options)


@pytest.mark.parametrize("way", ["appended", "returned", "all", "streamed", "helper"])
async def test_a_tool_loop_is_remembered(client, way, session):
    """A loop over the official client is remembered, however the function tells of it."""
    calling = response(THINKING, USE, stop="tool_use")
    saying = response(text("Sunny."))
    replies = [calling, saying, saying]
    if way in ("streamed", "helper"):
        replies = [
            list(events_of(*one.content and [b.model_dump(exclude_none=True) for b in one.content]))
            for one in replies
        ]
    api, bodies = client(*replies)

    async def loop(messages):
        messages = messages if way == "appended" else list(messages)
        begin = len(messages)
        while True:
            answer = await ask(api, messages)
            messages.append({"role": "assistant", "content": answer.content})
            calls = [one for one in answer.content if one.type == "tool_use"]
            if not calls:
                last = answer.content[-1].text
                return {"appended": last, "returned": messages[begin:], "all": messages}[way]
            found = [
                {"type": "tool_result", "tool_use_id": c.id, "content": "sunny"} for c in calls
            ]
            messages.append({"role": "user", "content": found})

    async def stream(messages):
        while True:
            calls = []
            if way == "helper":
                async with api.messages.stream(
                    model="m", max_tokens=9, messages=messages
                ) as events:
                    async for event in events:
                        yield event
                    answer = await events.get_final_message()
                calls = [one for one in answer.content if one.type == "tool_use"]
                content = answer.content
            else:
                events = [e async for e in await ask(api, messages, stream=True)]
                for event in events:
                    yield event
                kinds = [e.content_block for e in events if e.type == "content_block_start"]
                calls = [one for one in kinds if one.type == "tool_use"]
                content = [THINKING, USE] if calls else []
            if not calls:
                return
            found = {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": c.id, "content": "sunny"} for c in calls
                ],
            }
            messages = [*messages, {"role": "assistant", "content": content}, found]
            yield found

    agent = with_session(
        stream if way in ("streamed", "helper") else loop, session=session, adapter=anthropic
    )
    for number, question in enumerate(("Rome?", "And now?")):
        if way in ("streamed", "helper"):
            async for _ in agent(question):
                pass
        else:
            await agent(question)
        expected = ["user", "reasoning", "function_call", "function_call_output", "assistant"]
        expected += ["user", "assistant"] * number
        items = await session.get_items()
        assert [item.get("role") or item["type"] for item in items] == expected
    sent = bodies[-1]["messages"]
    assert sent[1]["content"][0] == THINKING
    assert [one["role"] for one in sent] == ["user", "assistant", "user", "assistant", "user"]


async def test_a_repeated_turn_gives_a_message(client, session):
    """The same id gives a `Message` that says the same, with its calls."""
    api, bodies = client(response(text("Hm."), USE, stop="tool_use"))

    @with_session(session=session, adapter=anthropic)
    async def agent(messages):
        return await ask(api, messages)

    await agent("q", turn_id="1")
    again = await agent("q", turn_id="1")
    assert is_replay(again)
    assert isinstance(again, Message)
    assert again.stop_reason == "tool_use"
    assert isinstance(again.content[0], TextBlock)
    assert isinstance(again.content[1], ToolUseBlock)
    assert again.content[1].input == {"at": "Rome"}
    assert len(bodies) == 1


async def test_layers_and_other_dialects(client):
    """What was begun here goes on in a chat function, cut and redacted, and comes back."""
    session = InMemorySession("s")
    api, _ = client(response(USE, stop="tool_use"), response(text("Key sk-1.")))

    @with_session(
        session=session, adapter=anthropic, middleware=[Redact(r"sk-\w+"), Trim(max_turns=9)]
    )
    async def agent(messages):
        answer = await ask(api, messages)
        if answer.stop_reason == "tool_use":
            messages.append({"role": "assistant", "content": answer.content})
            messages.append(result("sunny"))
            answer = await ask(api, messages)
        return answer

    await agent("My key is sk-1")
    assert "sk-1" not in json.dumps(await session.get_items())
    seen_by_chat = []

    @with_session(session=session, adapter=chat)
    async def other(messages):
        seen_by_chat.extend(messages)
        return "ok"

    await other("And now?")
    assert [one["role"] for one in seen_by_chat] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert seen_by_chat[1]["tool_calls"][0]["id"] == "toolu_1"


def test_usage_counts_what_was_cached():
    """The input of a call is all that was sent, with what the cache had of it."""
    assert list(usages_in(anthropic, response(text("x")))) == [
        Usage(14, 5, cache_read_tokens=4, model="claude-test")
    ]
    start = next(events_of(text("x")))
    assert list(usages_in(anthropic, start))[0].input_tokens == 14


@pytest.mark.parametrize("kind", ["overloaded_error", "secret words", None])
async def test_a_stream_that_failed(kind, session):
    """An event that says that the stream failed is an error, and nothing of the turn is stored."""

    @with_session(session=session, adapter=anthropic)
    async def agent(messages):
        for event in list(events_of(text("It is")))[:-2]:
            yield event
        yield {"type": "error", "error": {"type": kind, "message": "secret"}}

    with pytest.raises(ConversionError, match="says that it failed") as caught:
        await gathered(agent("How is it?"))
    assert "secret" not in str(caught.value)
    assert ("overloaded_error" in str(caught.value)) is (kind == "overloaded_error")
    assert await session.get_items() == []
