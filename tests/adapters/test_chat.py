import json
import re

import pydantic
import pytest
from openai.lib._parsing._completions import parse_chat_completion
from openai.types import Completion
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCall,
)
from openai.types.responses import Response

from memwrap import ConversionError, InMemorySession, record, with_session
from memwrap.adapters import chat
from memwrap.codec import copy_items
from memwrap.hidden.data import without_provider_data as shown
from memwrap.hidden.sidecar import settled

AUDIO = {"data": "UklGRg==", "format": "wav"}
PDF = "data:application/pdf;base64,JVBERg=="
IMAGE = "data:image/png;base64,iVBORw0KGgo="


def tool_call(call_id="call_1", arguments='{"city":  "Rome"}', name="weather"):
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def call_item(call_id="call_1", arguments='{"city":  "Rome"}', name="weather"):
    kind = "function_call"
    return {"type": kind, "call_id": call_id, "name": name, "arguments": arguments}


def calling(*calls, content=None):
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def output(text="sunny", call_id="call_1"):
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def output_item(text="sunny", call_id="call_1", kind="function_call_output"):
    return {"type": kind, "call_id": call_id, "output": text}


CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}
CUSTOM_ITEM = {
    "type": "custom_tool_call",
    "call_id": "call_2",
    "name": "shell",
    "input": "ls -l",
}
REFUSING = {"role": "assistant", "content": None, "refusal": "No."}
REFUSAL_ITEM = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "refusal", "refusal": "No."}],
}
PARTS = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": IMAGE}},
    {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "low"}},
    {"type": "file", "file": {"file_id": "file_1"}},
    {
        "type": "file",
        "file": {"filename": "a.pdf", "file_data": PDF},
    },
    {"type": "input_audio", "input_audio": AUDIO},
]
PART_ITEMS = [
    {"type": "input_text", "text": "What is this?"},
    {"type": "input_image", "image_url": IMAGE, "detail": "auto"},
    {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "low"},
    {"type": "input_file", "file_id": "file_1"},
    {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
    {"type": "input_audio", "input_audio": AUDIO},
]

# A conversation as messages, and as items: each line of the module's table, both ways.
TABLE = {
    "system": ([{"role": "system", "content": "Be kind."}],) * 2,
    "developer": ([{"role": "developer", "content": "Be brief."}],) * 2,
    "user": ([{"role": "user", "content": "Hi"}],) * 2,
    "unicode": ([{"role": "user", "content": "naïve 😀 \x00 \u2028"}],) * 2,
    "no text": ([{"role": "assistant", "content": ""}],) * 2,
    "parts": ([{"role": "user", "content": PARTS}], [{"role": "user", "content": PART_ITEMS}]),
    "system parts": (
        [{"role": "system", "content": PARTS[:1]}],
        [{"role": "system", "content": PART_ITEMS[:1]}],
    ),
    "assistant": ([{"role": "assistant", "content": "Hello."}],) * 2,
    "refusal": ([REFUSING], [REFUSAL_ITEM]),
    "text and refusal": (
        [REFUSING | {"content": "Well. "}],
        [
            REFUSAL_ITEM
            | {
                "content": [
                    {"type": "output_text", "text": "Well. ", "annotations": []},
                    {"type": "refusal", "refusal": "No."},
                ]
            }
        ],
    ),
    "call": ([calling(tool_call()), output()], [call_item(), output_item()]),
    "call behind text": (
        [calling(tool_call(), content="I look."), output()],
        [{"role": "assistant", "content": "I look."}, call_item(), output_item()],
    ),
    "parallel calls": (
        [calling(tool_call("a"), tool_call("b", "", "time")), output(call_id="b"), output("", "a")],
        [
            call_item("a"),
            call_item("b", "", "time"),
            output_item(call_id="b"),
            output_item("", "a"),
        ],
    ),
    "calls in two rounds": (
        [calling(tool_call("a")), output(call_id="a"), calling(tool_call("b")), output("2", "b")],
        [call_item("a"), output_item(call_id="a"), call_item("b"), output_item("2", "b")],
    ),
    "output parts": (
        [calling(tool_call()), output(PARTS[:1])],
        [call_item(), output_item(PART_ITEMS[:1])],
    ),
    "custom call": (
        [calling(tool_call(), CUSTOM), output(), output("a.txt", "call_2")],
        [
            call_item(),
            CUSTOM_ITEM,
            output_item(),
            output_item("a.txt", "call_2", "custom_tool_call_output"),
        ],
    ),
}


@pytest.mark.parametrize(("messages", "items"), TABLE.values(), ids=TABLE)
def test_messages_become_items(messages, items, unchanged):
    """Each kind of message becomes the items that the table names, and is left as it was."""
    assert unchanged(chat.to_items, messages) == items


@pytest.mark.parametrize(("messages", "items"), TABLE.values(), ids=TABLE)
def test_items_become_messages(messages, items, unchanged):
    """Each kind of item becomes the message that it came from, and is left as it was."""
    assert unchanged(chat.from_items, items) == messages


HIDDEN = {
    "name": [{"role": "user", "content": "Hi", "name": "ada"}],
    "field of a server": [calling(tool_call()) | {"reasoning_content": "Hm."}, output()],
    "field of an output": [calling(tool_call()), output() | {"name": "weather"}],
    "name before calls": [calling(tool_call(), content="I look.") | {"name": "bob"}, output()],
    "signed call": [
        calling(tool_call("a") | {"extra_content": {"google": {"thought_signature": "S"}}}),
        output(call_id="a"),
    ],
    "cached part": [
        {"role": "user", "content": [PARTS[0] | {"cache_control": {"type": "ephemeral"}}]}
    ],
    "parts of an assistant": [{"role": "assistant", "content": [PARTS[0], PARTS[0]]}],
    "result as an object": [
        calling(tool_call()),
        output('{"a": {"b": [1, 2]}}') | {"raw": {"a": {"b": [1, 2]}}},
    ],
    "two answers": [{"role": "assistant", "content": "a"}, calling(tool_call()), output()],
}


@pytest.mark.parametrize("messages", HIDDEN.values(), ids=HIDDEN)
def test_what_items_do_not_show_comes_back(messages, unchanged):
    """Fields of messages, calls and parts that items have no place for come back as they were."""
    items = copy_items(unchanged(chat.to_items, messages))
    assert any("provider_data" in item for item in items)
    assert unchanged(chat.from_items, items) == messages


@pytest.mark.parametrize("messages", HIDDEN.values(), ids=HIDDEN)
def test_edits_win_over_what_is_hidden(messages):
    """Of an edited message nothing hidden is left but its name."""
    for place in range(len(items := chat.to_items(messages))):
        edited = copy_items(items)
        key = next(key for key in ("arguments", "output", "content") if key in edited[place])
        edited[place][key] = "edited"
        shown = chat.from_items(edited)
        assert "edited" in json.dumps(shown)
        if len(messages) == 1:
            assert shown[0].keys() <= {"role", "content", "name"}
        stored = json.dumps(settled(edited)[place:])
        assert "thought_signature" not in stored or "edited" not in stored


@pytest.mark.parametrize(
    "hidden",
    [
        {"role": "system"},
        {"content": "x"},
        {"tool_calls": [{}]},
        {"refusal": "no"},
        {"audio": {"id": "a"}},
    ],
)
def test_hidden_data_never_replaces_what_is_shown(hidden):
    """Fields beside an item of an older file may add a name, and never what a message shows."""
    item = {"role": "user", "content": "shown", "provider_data": {"chat": hidden | {"name": "ada"}}}
    assert chat.from_items([item]) == [{"role": "user", "content": "shown", "name": "ada"}]


def test_calls_with_one_id_get_ids_of_their_own():
    """Each call has an id of its own, the same each time, which its output shares."""
    messages = [
        calling(tool_call("a")),
        output("1", "a"),
        calling(tool_call("a")),
        output("2", "a"),
    ]
    items = chat.to_items(messages)
    assert [item["call_id"] for item in items] == ["a"] * 4
    shown = chat.from_items(items)
    ids = [message.get("tool_call_id") or message["tool_calls"][0]["id"] for message in shown]
    assert ids[0] == ids[1] == "a"
    assert ids[2] == ids[3] != "a"
    assert [message["content"] for message in shown[1::2]] == ["1", "2"]
    assert chat.from_items([*items, {"role": "user", "content": "?"}])[:4] == shown


@pytest.mark.parametrize("call_id", ["functions.weather:0", "c" * 100, "é", "a b", ""])
def test_ids_fit_the_api(call_id):
    """Call ids have the letters and the length that the API takes."""
    messages = [calling(tool_call(call_id)), output("1", call_id)]
    call, answer = chat.from_items(chat.to_items(messages))
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", call["tool_calls"][0]["id"])
    assert answer["tool_call_id"] == call["tool_calls"][0]["id"]


def test_spoken_answers_go_back_as_their_id():
    """Of a spoken answer the store has the transcript as text, and the API gets the id."""
    audio = {"id": "audio_1", "data": "UklGRg==", "expires_at": 1, "transcript": "Hello."}
    items = chat.to_items({"role": "assistant", "content": None, "audio": audio})
    assert items[0]["content"] == "Hello."
    assert chat.from_items(items) == [
        {"role": "assistant", "content": None, "audio": {"id": "audio_1"}}
    ]
    items[0]["content"] = "Goodbye."
    assert chat.from_items(items) == [{"role": "assistant", "content": "Goodbye."}]


def test_whole_conversation_round_trips():
    """A conversation of all kinds of messages comes back the same."""
    rounds = [*(messages for messages, _ in TABLE.values()), *HIDDEN.values()]
    conversation = [
        message
        for number, messages in enumerate(rounds)
        for message in [{"role": "user", "content": "next"}, *renumbered(messages, number)]
    ]
    assert chat.from_items(chat.to_items(conversation)) == conversation


def renumbered(messages, number):
    """Return the messages with call ids of their own."""
    text = json.dumps(messages)
    for call_id in ("call_1", "call_2"):
        text = text.replace(f'"{call_id}"', f'"{call_id}_{number}"')
    for call_id in ("a", "b"):
        for key in ("id", "tool_call_id"):
            text = text.replace(f'"{key}": "{call_id}"', f'"{key}": "{call_id}_{number}"')
    return json.loads(text)


def test_conversation_cut_anywhere_converts():
    """Every slice of a conversation's items becomes messages."""
    items = [item for _, some in TABLE.values() for item in some]
    for place in range(len(items)):
        assert chat.from_items(items[place:])
        assert chat.from_items(items[: place + 1])


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_string_is_a_message_of_the_speaker(role):
    """A string becomes one message of whoever speaks."""
    assert chat.to_items("Hi", role=role) == [{"role": role, "content": "Hi"}]


def test_parts_of_an_assistant_are_its_text():
    """The text parts of an assistant's message are one text."""
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}]
    expected = [{"role": "assistant", "content": "Hello."}]
    assert shown(chat.to_items({"role": "assistant", "content": parts})) == expected
    refusing = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert shown(chat.to_items(refusing)) == [REFUSAL_ITEM]


def test_call_without_arguments():
    """A call whose arguments a server left out has empty ones."""
    for function in ({"name": "now"}, {"name": "now", "arguments": None}):
        call = {"id": "call_1", "type": "function", "function": function}
        assert chat.to_items(calling(call)) == [call_item(arguments="", name="now")]


@pytest.mark.parametrize("content", [{}, {"content": None}, {"content": ""}])
def test_message_of_calls_has_no_text(content):
    """An assistant that only calls a tool says nothing, however the message spells that."""
    message = {"role": "assistant", "tool_calls": [tool_call()]} | content
    assert chat.to_items(message) == [call_item()]


def test_empty_fields_are_left_out():
    """Fields that are there and say nothing are not kept."""
    message = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "tool_calls": None,
    }
    assert chat.to_items(message) == [{"role": "assistant", "content": "Hi"}]


# Items of other origins


def test_items_among_messages_are_unchanged():
    """Items with a type are taken as they are, so that any agent can record its tool calls."""
    reasoning = {"type": "reasoning", "summary": [], "id": "rs_1"}
    message = REFUSAL_ITEM | {"id": "msg_1", "status": "completed"}
    items = [call_item(), output_item(), reasoning, message]
    assert chat.to_items(items) == items


def test_items_of_the_responses_api_become_messages():
    """What the Responses API said becomes chat messages, without what those cannot express."""
    said = {"type": "output_text", "text": "Sun", "annotations": [{"type": "url_citation"}]}
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [said, said | {"text": "ny."}],
        },
        call_item() | {"id": "fc_1", "status": "completed"},
        output_item() | {"id": "fco_1"},
    ]
    assert chat.from_items(items) == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        calling(tool_call(), content="Sunny."),
        output(),
    ]


def test_provider_data_of_others_is_left_out():
    """What another adapter keeps in an item does not show in the message."""
    item = {"role": "user", "content": "Hi", "provider_data": {"langchain": {"id": "x"}}}
    assert chat.from_items([item]) == [{"role": "user", "content": "Hi"}]
    assert chat.from_items([item | {"provider_data": "odd"}]) == [{"role": "user", "content": "Hi"}]


# Objects of the openai package


def completion(*messages, **changes):
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {"index": place, "finish_reason": "stop", "message": message}
            for place, message in enumerate(messages)
        ],
    } | changes


def chunk(delta, finish_reason=None, index=0):
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [choice],
    }


def call_delta(index, **parts):
    """Return the delta of a tool call: an id and a name, or a piece of its arguments."""
    call = {"index": index}
    if "id" in parts:
        call |= {"id": parts.pop("id"), "type": "function"}
    return {"tool_calls": [call | {"function": parts}]}


HELLO = {"role": "assistant", "content": "Hello.", "refusal": None, "annotations": []}
HELLO_ITEM = {"role": "assistant", "content": "Hello."}


@pytest.mark.parametrize("model", [None, ChatCompletion])
def test_completion_is_its_first_message(model, unchanged):
    """Of a completion the first choice is the result, as an object and as a dict."""
    data = completion(HELLO, HELLO | {"content": "Goodbye."})
    given = model.model_validate(data) if model else data
    assert unchanged(chat.to_items, given, role="assistant") == [HELLO_ITEM]


def test_message_object_is_its_message():
    """The package's message objects become items like the dicts that they stand for."""
    for data in (HELLO, REFUSING, calling(tool_call("a"), CUSTOM, content="I look.")):
        given = ChatCompletionMessage.model_validate(data)
        assert chat.to_items(given, role="assistant") == chat.to_items(data)
    call = ChatCompletionMessageFunctionToolCall.model_validate(tool_call())
    data = {"role": "assistant", "tool_calls": [call.model_dump()]}
    assert chat.to_items(data) == [call_item()]


def test_custom_call_object_and_its_output():
    """A dict behind an object that calls a custom tool is that tool's output."""
    message = ChatCompletionMessage.model_validate(calling(CUSTOM))
    items = chat.to_items([message, output("a.txt", "call_2")], role="assistant")
    assert items == [CUSTOM_ITEM, output_item("a.txt", "call_2", "custom_tool_call_output")]


class Forecast(pydantic.BaseModel):
    sky: str


def test_parsed_message_is_its_text():
    """What the package parsed out of the text is not kept: the API does not take it back."""
    data = completion(HELLO | {"content": '{"sky": "blue"}'})
    parsed = parse_chat_completion(
        response_format=Forecast,
        input_tools=[],
        chat_completion=ChatCompletion.model_validate(data),
    )
    assert parsed.choices[0].message.parsed == Forecast(sky="blue")
    for given in (parsed, parsed.choices[0].message):
        items = chat.to_items(given, role="assistant")
        assert items == [{"role": "assistant", "content": '{"sky": "blue"}'}]


def test_response_among_messages():
    """A Responses API object in a chat agent's result is converted by its own adapter."""
    data = {"id": "r", "object": "response", "created_at": 0, "model": "m", "output": [call_item()]}
    assert chat.to_items([HELLO, Response.model_construct(**data)]) == [HELLO_ITEM, call_item()]


# Streams

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
TEXT = [
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo."}),
    chunk({}, "stop"),
    completion(object="chat.completion.chunk", usage=USAGE),
]
CALLS = [
    chunk({"role": "assistant", "content": None} | call_delta(0, id="a", name="weather")),
    chunk(call_delta(0, arguments='{"city":')),
    chunk(call_delta(1, id="b", name="time", arguments="")),
    chunk(call_delta(1, arguments='{"zo')),
    chunk(call_delta(0, arguments='  "Rome"}')),
    chunk(call_delta(1, arguments='ne": "CET"}')),
    chunk({}, "tool_calls"),
]
CALL_ITEMS = [call_item("a"), call_item("b", '{"zone": "CET"}', "time")]


@pytest.mark.parametrize("model", [None, ChatCompletionChunk])
@pytest.mark.parametrize(
    ("chunks", "items"),
    [
        (TEXT, [HELLO_ITEM]),
        (TEXT[:3], [HELLO_ITEM]),
        (CALLS, CALL_ITEMS),
        (CALLS + TEXT, [*CALL_ITEMS, HELLO_ITEM]),
        (TEXT + TEXT, [HELLO_ITEM, HELLO_ITEM]),
        ([chunk({"role": "assistant"}), chunk({}, "stop")], [HELLO_ITEM | {"content": ""}]),
        ([chunk({"refusal": "N"}), chunk({"refusal": "o."}), chunk({}, "stop")], [REFUSAL_ITEM]),
        ([chunk({"content": "?"}, index=1), *TEXT, chunk({}, "stop", index=1)], [HELLO_ITEM]),
        ([*TEXT[:4], chunk({"role": "assistant", "content": ""})], [HELLO_ITEM]),
    ],
    ids=[
        "text",
        "unfinished",
        "parallel calls",
        "two completions",
        "two texts",
        "empty",
        "refusal",
        "second choice",
        "stray delta",
    ],
)
def test_chunks_add_up(chunks, items, model, unchanged):
    """The chunks of a stream are the message that they add up to, one for each completion."""
    given = [model.model_validate(data) for data in chunks] if model else chunks
    assert unchanged(chat.to_items, given, role="assistant") == items


def test_chunks_of_other_servers():
    """Calls sent whole and without an index, and fields of a server's own, are understood."""
    pieces = [
        chunk({"reasoning_content": "H", "extra": {"a": {"b": "x"}}, "notes": [1]}),
        chunk({"reasoning_content": "m.", "extra": {"a": {"b": "y"}}, "notes": [2]}),
        chunk({"tool_calls": [tool_call("a")]}),
        chunk({"tool_calls": [tool_call("b") | {"index": None}]}),
    ]
    before = json.dumps(pieces)
    items = chat.to_items(pieces, role="assistant")
    extra = {"reasoning_content": "Hm.", "extra": {"a": {"b": "xy"}}, "notes": [1, 2]}
    assert shown(items) == [call_item("a"), call_item("b")]
    assert chat.from_items(items) == [calling(tool_call("a"), tool_call("b")) | extra]
    assert json.dumps(pieces) == before


SIGNED = {"extra_content": {"google": {"thought_signature": "SIGNED"}}}


def pieces(*deltas):
    return [*(chunk({"tool_calls": [delta]}) for delta in deltas), chunk({}, "tool_calls")]


@pytest.mark.parametrize(
    ("chunks", "calls"),
    [
        # whole strings that are repeated, and empty ones that say nothing
        (
            pieces(
                {"index": 0} | tool_call("a", "{") | SIGNED,
                {"index": 0} | tool_call("a", "}") | SIGNED,
                {"index": 0, "id": "", "type": "", "function": {"name": "", "arguments": ""}},
            ),
            [tool_call("a", "{}") | SIGNED],
        ),
        # one index for all calls, and a signature that comes later
        (
            pieces(
                {"index": 0} | tool_call("a", "{"),
                {"index": 0, "function": {"arguments": "}"}} | SIGNED,
                {"index": 0} | tool_call("b", "{}"),
            ),
            [tool_call("a", "{}") | SIGNED, tool_call("b", "{}")],
        ),
        # no index, and arguments in pieces
        (
            pieces(tool_call("a", "{"), {"function": {"arguments": "}"}}, tool_call("b", "{}")),
            [tool_call("a", "{}"), tool_call("b", "{}")],
        ),
        # indexes out of order
        (
            pieces({"index": 1} | tool_call("b") | SIGNED, {"index": 0} | tool_call("a")),
            [tool_call("a"), tool_call("b") | SIGNED],
        ),
    ],
)
def test_calls_of_other_servers(chunks, calls):
    """However a server streams its calls, they are what they are in a whole answer."""
    (message,) = chat.from_items(chat.to_items(chunks, role="assistant"))
    assert message["tool_calls"] == calls


@pytest.mark.parametrize(
    "stray",
    [
        {"choices": [{"index": 0, "content_filter_results": {}}]},
        {"choices": [{"index": 0, "delta": None}]},
        {"object": "chat.completion.chunk", "usage": {"total_tokens": 3}},
        chunk({"content": ""}),
        chunk({"role": "", "content": ""}),
    ],
)
def test_chunks_that_say_nothing(stray):
    """A chunk without a delta or a choice leaves the message as it is, wherever it comes."""
    told = [chunk({"role": "assistant", "content": "Hi"}), chunk({}, "stop")]
    for place in range(3):
        chunks = [*told[:place], stray, *told[place:]]
        assert chat.to_items(chunks, role="assistant") == [{"role": "assistant", "content": "Hi"}]


def test_two_ends_are_one():
    """An end that comes twice makes no second message; a message of nothing is one."""
    twice = [chunk({"content": "Hi"}, "stop"), chunk({"content": ""}, "stop")]
    assert [item["content"] for item in chat.to_items(twice, role="assistant")] == ["Hi"]
    empty = [chunk({"role": "assistant", "content": ""}), chunk({}, "stop")]
    assert [item["content"] for item in chat.to_items(empty, role="assistant")] == [""]


def test_pieces_may_be_alike():
    """Pieces of what is said are joined, also if they repeat what has been said."""
    (message,) = chat.to_items([chunk({"content": "ha"}), chunk({"content": "ha"})])
    assert message["content"] == "haha"


def test_parsed_calls_are_their_texts():
    """What the package parsed out of arguments is neither stored nor sent."""
    function = tool_call("a")["function"] | {"parsed_arguments": {"city": "Rome"}}
    message = {"role": "assistant", "content": None}
    dump = message | {"tool_calls": [tool_call("a") | {"function": function}]}
    items = chat.to_items([dump])
    assert items == [call_item("a")]
    assert chat.from_items(items)[0]["tool_calls"] == [tool_call("a")]


def test_items_by_their_parts():
    """A dict without a type is an item if its content has an item's parts."""
    item = {"role": "user", "content": [{"type": "input_image", "image_url": "https://a/b"}]}
    assert chat.to_items([item]) == [item]
    (message,) = chat.from_items([item])
    assert message["content"] == [{"type": "image_url", "image_url": {"url": "https://a/b"}}]


def test_messages_between_streams_keep_their_place():
    """A tool output yielded between two streams comes between their messages."""
    items = chat.to_items([*CALLS, output("1", "a"), output("2", "b"), *TEXT], role="assistant")
    outputs = [output_item("1", "a"), output_item("2", "b")]
    assert items == [*CALL_ITEMS, *outputs, HELLO_ITEM]


# What is refused


@pytest.mark.parametrize("value", [None, 3, object()])
def test_unknown_result_names_type_and_ways_out(value):
    """An unknown result is refused by its type's name and the three ways out."""
    with pytest.raises(ConversionError) as caught:
        chat.to_items([HELLO, value], role="assistant")
    name = "None" if value is None else type(value).__name__
    for part in (f"gave {name},", "a string, an item", "with_session(adapter=", "record()"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "a secret"},
        {"role": "function", "name": "f", "content": "a secret"},
        {"role": ["user"], "content": "a secret"},
        {"role": "assistant", "content": "a secret", "tool_calls": [{"id": "call_1"}]},
        {"role": "assistant", "content": "a secret", "tool_calls": ["call_1"]},
        {"role": "user", "content": [{"type": "text"}, {"a secret": 1}]},
        {"role": "assistant", "content": ["a secret"]},
        {"choices": [{"index": 0, "text": "a secret"}]},
        {"choices": [{"delta": {"content": {"a secret": 1}}}, {"delta": {"content": "x"}}]},
    ],
)
def test_malformed_message_is_a_clear_error(message):
    """A message that is not put together as the API's are is refused by an error of our own."""
    with pytest.raises(ConversionError) as caught:
        chat.to_items([message], role="assistant")
    assert "secret" not in str(caught.value)


def test_malformed_item_is_a_clear_error():
    """A stored item that lacks its parts is refused by an error of our own, not a KeyError."""
    with pytest.raises(ConversionError, match="KeyError"):
        chat.from_items([{"type": "function_call", "call_id": "c", "name": "n"}])


def test_old_completions_are_refused():
    """A result of the old completions API is no message."""
    given = Completion.model_construct(id="c", choices=[], model="m", object="text_completion")
    with pytest.raises(ConversionError):
        chat.to_items([given, 3], role="assistant")


# Agents


async def test_chat_agent_over_three_turns(client):
    """An agent that runs tools is shown them next time, in the messages that the API wants."""
    api = client(
        completion(calling(tool_call(), tool_call("call_2", "{}"))),
        completion(HELLO),
        completion(REFUSING),
        completion(HELLO),
    )
    session = InMemorySession("weather")

    @with_session(adapter=chat, session=session)
    async def agent(messages):
        reply = await api.chat.completions.create(model="m", messages=messages)
        message = reply.choices[0].message
        if not message.tool_calls:
            return reply
        outputs = [output(call_id=call.id) for call in message.tool_calls]
        record([message, *outputs])
        final = await api.chat.completions.create(
            model="m", messages=[*messages, message, *outputs]
        )
        return final.choices[0].message

    system = {"role": "system", "content": "Be kind."}
    assert (await agent([system, {"role": "user", "content": "Hi"}])).content == "Hello."
    await agent("And a secret?")
    await agent("Sorry.")
    first = [
        system,
        {"role": "user", "content": "Hi"},
        calling(tool_call(), tool_call("call_2", "{}")),
        output(),
        output(call_id="call_2"),
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "And a secret?"},
    ]
    assert api.bodies[2]["messages"] == first
    assert api.bodies[3]["messages"] == [*first, REFUSING, {"role": "user", "content": "Sorry."}]
    assert len(await session.get_items()) == 11


async def test_streaming_agent_over_two_turns(client):
    """An agent that yields chunks and its tools' outputs is shown whole messages next time."""
    api = client(CALLS, TEXT, TEXT)
    session = InMemorySession("stream")

    @with_session(adapter=chat)
    async def agent(messages):
        chunks = [
            c
            async for c in await api.chat.completions.create(
                model="m", messages=messages, stream=True
            )
        ]
        for one in chunks:
            yield one
        if chunks[-1].choices and chunks[-1].choices[0].finish_reason == "tool_calls":
            yield output("1", "a")
            yield output("2", "b")
            async for one in await api.chat.completions.create(
                model="m", messages=[*messages, *chat.from_items(CALL_ITEMS)], stream=True
            ):
                yield one

    events = [event async for event in agent("Hi", session=session)]
    assert len(events) == len(CALLS) + 2 + len(TEXT)
    async for _ in agent("More?", session=session):
        pass
    assert api.bodies[2]["messages"] == [
        {"role": "user", "content": "Hi"},
        calling(tool_call("a"), tool_call("b", '{"zone": "CET"}', "time")),
        output("1", "a"),
        output("2", "b"),
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "More?"},
    ]


async def test_returned_messages_of_a_turn():
    """An agent may return all messages of its turn, as dicts."""
    session = InMemorySession("dicts")

    @with_session(adapter=chat)
    async def agent(messages):
        return [calling(tool_call(), content="I look."), output(), HELLO]

    await agent("Hi", session=session)
    assert await session.get_items() == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "I look."},
        call_item(),
        output_item(),
        HELLO_ITEM,
    ]
