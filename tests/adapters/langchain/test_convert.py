import copy
import json

import pytest
from corpus.exactness import seen
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.prompts import ChatPromptTemplate
from openai.types.chat import ChatCompletionMessage

from memwrap import ConversionError, InMemorySession, record, with_session
from memwrap.adapters import langchain

IMAGE = "data:image/png;base64,iVBORw0KGgo="
PARTS = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
]
PART_ITEMS = [
    {"type": "input_text", "text": "What is this?"},
    {"type": "input_image", "image_url": IMAGE, "detail": "low"},
]


def tool_call(call_id="call_1", **args):
    return {"name": "weather", "args": args, "id": call_id, "type": "tool_call"}


def call_item(call_id="call_1", arguments='{"city": "Rome"}'):
    kind = "function_call"
    return {"type": kind, "call_id": call_id, "name": "weather", "arguments": arguments}


def output_item(output="sunny", call_id="call_1"):
    return {"type": "function_call_output", "call_id": call_id, "output": output}


# A conversation as messages, and as items: each line of the module's table, both ways.
TABLE = {
    "user": ([HumanMessage("Hi")], [{"role": "user", "content": "Hi"}]),
    "user parts": ([HumanMessage(PARTS)], [{"role": "user", "content": PART_ITEMS}]),
    "system": ([SystemMessage("Be kind.")], [{"role": "system", "content": "Be kind."}]),
    "developer": (
        [SystemMessage("Be brief.", additional_kwargs={"__openai_role__": "developer"})],
        [{"role": "developer", "content": "Be brief."}],
    ),
    "assistant": ([AIMessage("Hello.")], [{"role": "assistant", "content": "Hello."}]),
    "empty": ([AIMessage("")], [{"role": "assistant", "content": ""}]),
    "call": (
        [
            AIMessage("", tool_calls=[tool_call(city="Rome")]),
            ToolMessage("x", tool_call_id="call_1"),
        ],
        [call_item(), output_item("x")],
    ),
    "calls behind text": (
        [
            AIMessage("I look.", tool_calls=[tool_call("a", city="Ørsta"), tool_call("b")]),
            ToolMessage("", tool_call_id="b"),
            ToolMessage(PARTS, tool_call_id="a"),
        ],
        [
            {"role": "assistant", "content": "I look."},
            call_item("a", '{"city": "Ørsta"}'),
            call_item("b", "{}"),
            output_item("", "b"),
            output_item(PART_ITEMS, "a"),
        ],
    ),
    "unreadable arguments": (
        [
            AIMessage(
                "",
                invalid_tool_calls=[
                    {
                        "type": "invalid_tool_call",
                        "id": "call_1",
                        "name": "weather",
                        "args": '{"city": ',
                        "error": None,
                    }
                ],
            ),
            ToolMessage("no", tool_call_id="call_1"),
        ],
        [call_item(arguments='{"city": '), output_item("no")],
    ),
    "two answers": (
        [AIMessage("One."), AIMessage("Two.")],
        [{"role": "assistant", "content": "One."}, {"role": "assistant", "content": "Two."}],
    ),
}


@pytest.mark.parametrize(("messages", "items"), TABLE.values(), ids=TABLE)
def test_messages_become_items(messages, items, unchanged):
    """Each kind of message becomes the items that the table names, and is left as it was."""
    assert unchanged(langchain.to_items, messages) == items


@pytest.mark.parametrize(("messages", "items"), TABLE.values(), ids=TABLE)
def test_items_become_messages(messages, items, unchanged):
    """Each kind of item becomes the message that it came from, and is left as it was."""
    assert unchanged(langchain.from_items, items) == messages


def test_whole_conversation_round_trips():
    """A conversation of all kinds of messages comes back the same."""
    conversation = [
        message for messages, _ in TABLE.values() for message in [HumanMessage("next"), *messages]
    ]
    assert langchain.from_items(langchain.to_items(conversation)) == conversation


def test_conversation_cut_anywhere_converts():
    """Every slice of a conversation's items becomes messages."""
    items = [item for _, some in TABLE.values() for item in some]
    for place in range(len(items)):
        assert langchain.from_items(items[place:])
        assert langchain.from_items(items[: place + 1])


@pytest.mark.parametrize("arguments", ["[1]", "3", '"x"', "{", "null"])
def test_arguments_that_are_no_object(arguments):
    """Arguments that are no JSON object stay as they are, in a call that LangChain sees as bad."""
    (message,) = langchain.from_items([call_item(arguments=arguments)])
    assert (message.tool_calls, message.invalid_tool_calls[0]["args"]) == ([], arguments)
    assert langchain.to_items(message) == [call_item(arguments=arguments)]


def test_call_without_arguments():
    """A call with empty arguments is one with none."""
    (message,) = langchain.from_items([call_item(arguments="")])
    assert message.tool_calls == [tool_call()]


def test_text_of_blocks():
    """Each text block of an assistant's message is an item; bare strings are text too."""
    message = AIMessage([{"type": "text", "text": "Hel"}, "lo.", {"type": "reasoning"}])
    assert seen(langchain.to_items(message)) == [
        {"role": "assistant", "content": "Hel"},
        {"role": "assistant", "content": "lo."},
    ]
    assert seen(langchain.to_items(HumanMessage(["Hi", PARTS[0]]))) == [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}, PART_ITEMS[0]]}
    ]


@pytest.mark.parametrize(
    ("block", "url"),
    [
        ({"type": "image_url", "image_url": "https://x.test/a.png"}, "https://x.test/a.png"),
        ({"type": "image", "url": "https://x.test/a.png"}, "https://x.test/a.png"),
        ({"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}, IMAGE),
    ],
)
def test_images_of_all_spellings(block, url):
    """An image block of any generation becomes an input image."""
    part = {"type": "input_image", "image_url": url, "detail": "auto"}
    assert seen(langchain.to_items(HumanMessage([block]))) == [{"role": "user", "content": [part]}]


def test_strings_pairs_dicts_and_prompts():
    """What LangChain itself reads as messages is input here too."""
    said = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    prompt = ChatPromptTemplate.from_messages([("system", "Be {how}."), ("human", "Hi")])
    assert langchain.to_items("Hi") == said[1:]
    assert langchain.to_items([("system", "Be kind."), ("human", "Hi")]) == said
    assert langchain.to_items(said) == said
    assert langchain.to_items(prompt.invoke({"how": "kind"})) == said


CALLS = [{"id": "t", "type": "function", "function": {"name": "sky", "arguments": "{}"}}]
SKY = {"type": "tool_use", "id": "t", "name": "sky", "input": {}}
DICTS = {
    "audio": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}],
    "file of OpenAI": [{"type": "file", "file": {"file_id": "f"}}],
    "document": [{"type": "document", "source": {"type": "text", "data": "x"}, "title": "T"}],
    "cached": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
    "strings": ["a", {"type": "text", "text": "b"}],
    "result": [{"type": "tool_result", "tool_use_id": "t", "content": "x", "is_error": True}],
    "refusal": [{"type": "refusal", "refusal": "No."}],
    "nothing": [],
}
DICTS = {
    **{name: [{"role": "user", "content": content}] for name, content in DICTS.items()},
    "types": [{"type": "human", "content": "x", "id": "m"}, {"type": "ai", "content": "y"}],
    "kept keys": [{"role": "user", "content": "x", "name": "ada", "additional_kwargs": {"a": 1}}],
    "a constructor": [HumanMessage("x").to_json()],
    "calls": [
        {"role": "assistant", "content": None, "tool_calls": CALLS},
        {"role": "tool", "tool_call_id": "t", "content": "x", "status": "error", "name": "sky"},
    ],
    "calls in blocks": [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t", "name": "s", "input": {}}],
        },
        {"role": "user", "content": DICTS["result"]},
    ],
    "pairs": [("system", "s"), ["human", "x"], "y"],
}


@pytest.mark.parametrize("name", DICTS)
def test_dicts_mean_what_langchain_reads(name):
    """Dicts, pairs and strings become the messages that LangChain itself makes of them."""
    given = copy.deepcopy(DICTS[name])
    read = convert_to_messages(copy.deepcopy(DICTS[name]))
    assert langchain.from_items(langchain.to_items(given)) == read


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": [{"type": "input_text", "text": "x"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
        {"type": "message", "role": "user", "content": "x"},
        call_item(),
    ],
)
def test_items_are_no_dicts_of_langchain(item):
    """What can only be an item is stored as it is."""
    assert langchain.to_items([item]) == [item]


def test_chat_message_dicts():
    """Chat messages with tool calls, as dicts or objects, become calls and outputs."""
    function = {"name": "weather", "arguments": '{"city": "Rome"}'}
    call = {"id": "call_1", "type": "function", "function": function}
    calling = {"role": "assistant", "content": None, "tool_calls": [call]}
    output = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
    for message in (calling, ChatCompletionMessage.model_validate(calling)):
        items = langchain.to_items([message, output])
        assert items == [call_item(), output_item()]
    assert langchain.from_items(items)[0].tool_calls == [tool_call(city="Rome")]


def test_items_are_unchanged():
    """Items are taken as they are, also those that messages cannot show."""
    items = [{"type": "reasoning", "id": "rs_1", "summary": []}, call_item(), output_item()]
    assert langchain.to_items(items) == items


def test_items_of_the_responses_api_become_messages():
    """What the Responses API said becomes messages, with reasoning and hosted tools as blocks."""
    text = {"type": "output_text", "text": "Sun", "annotations": []}
    said = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    items = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        said | {"content": [text, text | {"text": "ny."}]},
        call_item() | {"id": "fc_1", "status": "completed"},
        output_item() | {"id": "fco_1"},
        said | {"content": [{"type": "refusal", "refusal": "No."}]},
    ]
    messages = langchain.from_items(items)
    assert langchain.to_items(messages) == items
    assert [message.content for message in messages] == [
        [
            *items[:2],
            {"type": "text", "text": "Sun", "id": "m"},
            {"type": "text", "text": "ny.", "id": "m"},
        ],
        "sunny",
        [{"type": "refusal", "refusal": "No.", "id": "m"}],
    ]
    assert messages[0].tool_calls == [tool_call(city="Rome")]
    portable = langchain.from_items(items, style="portable")
    assert [message.content for message in portable] == ["Sunny.", "sunny", "No."]
    assert portable[0].tool_calls == [tool_call(city="Rome")]
    assert langchain.to_items(portable) == items


# Streams


def chunk(content="", id=None, **options):
    return AIMessageChunk(content, id=id, **options)


def test_chunks_add_up(unchanged):
    """The chunks of a stream are the message that they add up to, tool calls included."""
    calls = [
        {"name": "weather", "args": '{"ci', "id": "call_1", "index": 0},
        {"name": "weather", "args": "{}", "id": "call_2", "index": 1},
        {"name": None, "args": 'ty": "Rome"}', "id": None, "index": 0},
    ]
    chunks = [chunk("I "), chunk("look."), *(chunk(tool_call_chunks=[call]) for call in calls)]
    assert unchanged(langchain.to_items, chunks, role="assistant") == [
        {"role": "assistant", "content": "I look."},
        call_item(),
        call_item("call_2", "{}"),
    ]


def test_two_streams_are_two_messages():
    """Chunks of another message, by its id or behind a last chunk, begin a new one."""
    by_id = [chunk("1", "a"), chunk("2", "a"), chunk("3", "b")]
    by_last = [chunk("1"), chunk("2", chunk_position="last"), chunk("3")]
    for chunks in (by_id, by_last):
        items = langchain.to_items(chunks, role="assistant")
        assert [item["content"] for item in items] == ["12", "3"]


def test_tool_message_between_streams():
    """A tool message between two streams comes between their messages."""
    call = {"name": "weather", "args": "{}", "id": "call_1", "index": 0}
    events = [
        chunk(tool_call_chunks=[call]),
        ToolMessage("sunny", tool_call_id="call_1"),
        chunk("Sun"),
        chunk("ny."),
    ]
    answer = {"role": "assistant", "content": "Sunny."}
    items = langchain.to_items(events, role="assistant")
    assert items == [call_item(arguments="{}"), output_item(), answer]


# What is refused


@pytest.mark.parametrize("value", [None, 3, object(), ("a", "b", "c")])
def test_unknown_result_names_type_and_ways_out(value):
    """An unknown result is refused by its type's name and the three ways out."""
    with pytest.raises(ConversionError) as caught:
        langchain.to_items([AIMessage("Hi"), value], role="assistant")
    name = "None" if value is None else type(value).__name__
    for part in (f"gave {name},", "a string, an item", "with_session(adapter=", "record()"):
        assert part in str(caught.value)


def test_objects_that_json_has_no_form_for():
    """An object that JSON has no form for is stored as its repr, with a warning of its type."""
    city = type("City", (), {"__repr__": lambda self: "Rome"})()
    message = AIMessage("", tool_calls=[tool_call(city=city)])
    with pytest.warns(UserWarning, match="City in a message is stored as its repr only"):
        items = langchain.to_items(message)
    assert langchain.from_items(items)[0].tool_calls == [tool_call(city="Rome")]


def test_item_that_lacks_its_parts():
    """A stored item that lacks its parts is shown as what it is, and stored again as it was."""
    items = [{"type": "function_call_output", "output": "x"}]
    assert langchain.to_items(langchain.from_items(items)) == items


# Agents


async def test_function_with_the_dialect():
    """A plain function can speak LangChain: it gets messages, and may record and return them."""
    session = InMemorySession("function")
    shown = []

    @with_session(adapter=langchain, session=session)
    async def agent(messages):
        shown.append(messages)
        calling = AIMessage("", tool_calls=[tool_call(city="Rome")])
        record([calling, ToolMessage("sunny", tool_call_id="call_1")])
        return AIMessage("Sunny.")

    await agent("Weather?")
    await agent(HumanMessage("Again?"))
    assert shown[1] == [
        HumanMessage("Weather?"),
        AIMessage("", tool_calls=[tool_call(city="Rome")]),
        ToolMessage("sunny", tool_call_id="call_1"),
        AIMessage("Sunny."),
        HumanMessage("Again?"),
    ]
    assert len(await session.get_items()) == 8


async def test_plain_function_that_returns_messages():
    """Messages returned by a function without an adapter are stored as items all the same."""
    session = InMemorySession("plain")

    @with_session(session=session)
    async def agent(items):
        return [
            AIMessage("", tool_calls=[tool_call(city="Rome")]),
            ToolMessage("22", tool_call_id="call_1"),
            AIMessage("Sunny."),
        ]

    await agent("Weather?")
    output = {"type": "function_call_output", "call_id": "call_1", "output": "22"}
    stored = [call_item(), output, {"role": "assistant", "content": "Sunny."}]
    assert json.dumps((await session.get_items())[1:]) == json.dumps(stored)
