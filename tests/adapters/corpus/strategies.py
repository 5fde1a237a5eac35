"""Hypothesis strategies for LangChain messages and for items, plausible and odd ones."""

import datetime as dt
import decimal
import uuid

from corpus.langchain_hosted import HOSTED
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

text = st.text(max_size=8) | st.sampled_from(
    ["hi", "msg_1", "call_1", "text", "4711", "$", "$x", "é😀\ud800\0", "data:a/b;base64,QQ=="]
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
values = json_values | st.sampled_from(
    [
        b"\xff",
        (1, "a"),
        {1: "int key"},
        frozenset({"x"}),
        float("inf"),
        dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC),
        dt.date(2026, 1, 2),
        uuid.UUID(int=5),
        decimal.Decimal("1.50"),
    ]
)


def record(kinds, **optional):
    """Make dicts of these types, with any of these keys."""
    return st.fixed_dictionaries({"type": st.sampled_from(kinds)}, optional=optional)


blocks = st.one_of(
    text,
    record(["text"], text=text, id=text, annotations=st.lists(json_values, max_size=1), index=text),
    record(["reasoning"], id=text, summary=st.lists(json_values, max_size=1), reasoning=text),
    record(
        ["image", "file", "audio", "text-plain"],
        base64=text,
        url=text,
        mime_type=text,
        file_id=text,
        extras=st.just({"filename": "a.pdf"}),
    ),
    record(
        ["image", "file", "document", "media"],
        source_type=st.sampled_from(["url", "base64", "id", "text"]),
        data=text | st.binary(max_size=3),
        id=text,
        text=text,
        mime_type=text,
        source=st.dictionaries(st.sampled_from(["type", "data", "bytes", "url"]), text, max_size=3),
        image=json_values,
    ),
    record(
        ["input_text", "input_image", "input_file", "custom_tool_call_output"],
        text=text,
        image_url=text,
        file_id=text,
        detail=text,
        output=json_values,
    ),
    record(["image_url"], image_url=text | st.fixed_dictionaries({"url": text, "detail": text})),
    record(
        ["function_call", "tool_use", "tool_call", "custom_tool_call"],
        id=text,
        call_id=text,
        arguments=text,
        input=json_values,
        name=text,
    ),
    record(["non_standard"], value=json_values | st.sampled_from(list(HOSTED.values()))),
    st.sampled_from(list(HOSTED.values())),
    record([["list"], 4, None, "tool_search_output"], tools=json_values, text=text),
    record(["web_search_call", "refusal", "thinking", "x"], id=text, refusal=text, status=text),
    st.dictionaries(text, json_values, max_size=2),
)


MARKS = ["custom_tool_call_output", "computer_call_output", ["list"]]


def message(kind, **fields):
    """Make messages of a class, from all combinations of fields that it takes."""
    hidden = st.dictionaries(text, values, max_size=2) | record(MARKS, refusal=text)
    common = {"id": st.none() | text, "name": st.none() | text, "extra_field": json_values}
    common |= {"additional_kwargs": hidden, "response_metadata": hidden}
    content = {"content": text | st.lists(blocks, max_size=4)}
    required = {key: fields.pop(key) for key in ("tool_call_id", "role") if key in fields}
    if kind is FunctionMessage:
        required["name"] = common.pop("name").filter(bool)
    options = st.fixed_dictionaries(content | required, optional=common | fields)

    def build(options):
        try:
            return kind(**options)
        except (TypeError, ValueError):  # there is no such message
            return None

    return options.map(build).filter(lambda made: made is not None)


calls = st.fixed_dictionaries(
    {
        "name": text,
        "args": st.dictionaries(text, json_values, max_size=2),
        "id": st.none() | text,
        "type": st.just("tool_call"),
    }
)
invalid_calls = st.fixed_dictionaries(
    {
        "name": st.none() | text,
        "args": st.none() | text,
        "id": st.none() | text,
        "error": st.none() | text,
        "type": st.just("invalid_tool_call"),
    }
)
usage = st.just({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "more": {"a": 1.0}})
chunk = {"name": "a", "args": "{", "id": "1", "index": 0, "type": "tool_call_chunk"}

messages = st.one_of(
    message(HumanMessage),
    message(SystemMessage),
    message(
        AIMessage,
        tool_calls=st.lists(calls, max_size=2),
        invalid_tool_calls=st.lists(invalid_calls, max_size=2),
        usage_metadata=usage,
    ),
    message(
        ToolMessage,
        tool_call_id=text,
        artifact=values,
        status=st.sampled_from(["success", "error"]),
    ),
    message(FunctionMessage),
    message(ChatMessage, role=st.sampled_from(["assistant", "system", "narrator"])),
    message(AIMessageChunk, tool_call_chunks=st.just([chunk])),
    text.map(lambda message_id: RemoveMessage(id=message_id)),
)

parts = st.one_of(
    st.fixed_dictionaries({"type": st.just("input_text"), "text": text}, optional={"x": text}),
    record(["input_image"], image_url=text, detail=st.just("auto"), file_id=text),
    record(["input_file"], file_data=text, filename=text, file_id=text, file_url=text),
    st.dictionaries(text, json_values, max_size=2),
)
said = st.fixed_dictionaries(
    {
        "type": st.just("output_text"),
        "text": text,
        "annotations": st.lists(json_values, max_size=1),
    },
    optional={"logprobs": json_values},
) | st.fixed_dictionaries({"type": st.just("refusal"), "refusal": text})

items = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "developer"]), "content": text},
        optional={"type": st.just("message"), "id": text, "status": text, "x": json_values},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("message"),
            "role": st.just("assistant"),
            "id": st.sampled_from(["msg_1", "msg_2", "x"]),
            "status": st.just("completed"),
            "content": st.lists(said, max_size=2),
        }
    ),
    st.fixed_dictionaries({"role": st.just("user"), "content": st.lists(parts, max_size=3)}),
    record(
        ["function_call"],
        call_id=text,
        name=text,
        arguments=text | st.sampled_from(['{"a": 1}', '{ "a":1.0}', "[1]", '{"a": 1, "a": 2}']),
        id=text,
        status=text,
    ),
    record(
        ["function_call_output", "custom_tool_call_output", "computer_call_output"],
        call_id=text,
        output=text | st.lists(parts, max_size=2) | json_values,
        id=text,
    ),
    record(
        ["reasoning"], id=text, summary=st.lists(json_values, max_size=1), encrypted_content=text
    ),
    st.sampled_from(list(HOSTED.values())),
    record(["web_search_call", "mcp_call", "what_call", "strange", "compaction"], id=text, x=text),
    record(["tool_search_output", "program", "shell_call_output"], execution=text, call_id=text),
    record(["custom_tool_call"], call_id=text, name=text, input=text, id=text),
    st.dictionaries(text, json_values, max_size=3),
)
