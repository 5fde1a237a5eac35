import asyncio
import json

import pytest
from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    Message,
)
from corpus import chat, langchain
from corpus.agent_framework import CONTENTS, CONVERSATIONS, MESSAGES, PICTURE, call, thought
from corpus.exactness import hidden, seen, stored, strings, written
from corpus.strategies import json_values, text, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memwrap import InMemorySession, SQLiteSession, with_session
from memwrap.adapters import agent_framework as adapter
from memwrap.adapters import plain
from memwrap.items import assistant, user
from memwrap.middleware import Redact


def whole(value):
    """Return all that a message is, but for a provider's own objects, to the type."""
    if isinstance(value, (Message, Content)):
        fields = {
            key: whole(one) for key, one in vars(value).items() if key != "raw_representation"
        }
        return type(value).__name__, written(fields)
    if isinstance(value, dict):
        return {key: whole(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(whole, value))
    return value


def there_and_back(messages):
    return adapter.from_items(stored(adapter.to_items(messages)))


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_exact(name):
    """A message of any kind comes back as it was, field by field."""
    assert whole(there_and_back(MESSAGES[name])) == whole([MESSAGES[name]])


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation_is_exact(name):
    """A conversation comes back as it was, and so does each part of it."""
    messages = CONVERSATIONS[name]
    assert whole(there_and_back(messages)) == whole(messages)
    if len(messages) < 20:
        parts = [adapter.to_items([message]) for message in messages]
        for begin in range(len(messages)):
            items = stored([item for part in parts[begin:] for item in part])
            if len(adapter.from_items(items)) == len(messages) - begin:
                assert whole(adapter.from_items(items)) == whole(messages[begin:])


async def test_conversation_is_exact_in_a_file(path):
    """What a file gives back makes the same messages."""
    messages = CONVERSATIONS["all"]
    session = SQLiteSession("s", path)
    await session.add_items(adapter.to_items(messages))
    assert whole(adapter.from_items(await session.get_items())) == whole(messages)


contents = st.one_of(
    st.sampled_from(list(CONTENTS.values())),
    st.builds(
        Content.from_text, text, additional_properties=st.dictionaries(text, values, max_size=2)
    ),
    st.builds(thought, text, id=st.none() | text, protected_data=st.none() | text),
    st.builds(
        Content.from_function_call,
        text,
        text,
        arguments=text | st.none() | st.dictionaries(text, json_values, max_size=2),
        id=st.none() | text,
    ),
    st.builds(Content.from_function_result, text, result=text | json_values, exception=text),
    st.builds(Content, text, call_id=text, output=json_values, outputs=values),
)
properties = st.dictionaries(text, values, max_size=2)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.builds(
            Message,
            st.sampled_from(["user", "assistant", "tool", "system", "developer", "odd"]),
            st.lists(contents, max_size=4),
            author_name=st.none() | text,
            message_id=st.none() | text,
            additional_properties=properties,
        ),
        max_size=4,
    )
)
def test_any_messages_are_exact(messages):
    """Whatever messages say and hold, they come back as they were."""
    assert whole(there_and_back(messages)) == whole(messages)


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_visible_is_repeated(name):
    """Hidden data refers to what items show, and has no copy of it."""
    items = adapter.to_items(MESSAGES[name])
    texts = {one for one in strings(seen(items)) if len(one) > 5 and " " in one}
    for found in hidden(items):
        assert texts.isdisjoint(strings(found["agent_framework"].get("data")))


def test_foreign_reasoning_is_left_out():
    """Reasoning of another model is not shown, and the framework's own is shown to nobody else."""
    theirs = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "x"}]}
    items = [user("Hi"), theirs, assistant("Ho")]
    assert [message.text for message in adapter.from_items(items)] == ["Hi", "Ho"]
    assert all(c.type == "text" for m in adapter.from_items(items) for c in m.contents)
    own = adapter.to_items(Message("assistant", [thought(), "So."]))
    assert [item.get("type") for item in own] == ["reasoning", None]
    assert plain.from_items(own) == [assistant("So.")]


def test_redacted_message_has_nothing_left():
    """A redaction of the visible text leaves none of it in hidden data."""
    message = Message(
        "assistant",
        ["The pin is 4711.", Content.from_error(message="4711"), call(arguments={"pin": "4711"})],
        additional_properties={"raw": "pin 4711"},
        message_id="m-1",
    )
    agent = with_session(lambda messages: message, adapter=adapter, middleware=[Redact("4711")])
    session = InMemorySession("s")
    agent("Hi", session=session)
    items = asyncio.run(session.get_items())
    assert "4711" not in json.dumps(items)
    (back,) = adapter.from_items(items[1:])
    assert "4711" not in repr(whole(back))
    assert back.message_id == "m-1"


def test_media_of_items():
    """Images, sounds and files of items are contents of the right types, also in outputs."""
    parts = [
        {"type": "input_text", "text": "Look."},
        {"type": "input_image", "image_url": PICTURE, "detail": "auto"},
        {"type": "input_image", "image_url": "https://x.de/a.jpg?x=1", "detail": "high"},
        {"type": "input_file", "filename": "t.csv", "file_url": "https://x.de/t"},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    output = {"type": "function_call_output", "call_id": "c", "output": parts}
    spoken, told = adapter.from_items([{"role": "user", "content": parts}, output])
    for found in (spoken.contents, told.contents[0].items):
        assert [content.type for content in found] == [
            *("text", "data", "uri", "uri", "hosted_file", "data")
        ]
        assert [content.media_type for content in found] == [
            *(None, "image/png", "image/jpeg", "text/csv", None, "audio/wav")
        ]
    assert seen(adapter.to_items([spoken, told])) == [{"role": "user", "content": parts}, output]


def test_media_without_data_are_named():
    """Of media that no content can hold the name is shown."""
    parts = [{"type": "input_file", "filename": "t.pdf"}, {"type": "input_image"}, {"odd": 1}]
    (spoken,) = adapter.from_items([{"role": "user", "content": parts}])
    assert [content.text for content in spoken.contents] == ["[file: t.pdf]", "[image]"]


def test_ids_of_others_fit():
    """Calls that others made get ids that every provider takes; the framework's keep theirs."""
    long = "call " + "x" * 80
    items = [
        user("Hi"),
        {"type": "function_call", "call_id": long, "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": long, "output": "1"},
        *adapter.to_items([Message("assistant", [call(long)])]),
    ]
    _, made, told, own = adapter.from_items(items)
    assert made.contents[0].call_id == told.contents[0].call_id
    assert len(made.contents[0].call_id) <= 40
    assert own.contents[0].call_id == long


def test_custom_calls_and_hosted_tools():
    """A custom tool's call is a call with its input; hosted tools' items are left out."""
    items = [
        user("Hi"),
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "y"},
        assistant(""),
    ]
    _, made, told = adapter.from_items(items)
    assert json.loads(made.contents[0].arguments) == {"input": "x"}
    assert told.contents[0].result == "y"


@pytest.mark.parametrize("other", [chat, langchain], ids=["chat", "langchain"])
def test_calls_of_others_stay_together(other):
    """Parallel calls of another dialect are one message, and their outputs another."""
    items = stored(other.CORPUS.adapter.to_items(other.CORPUS.tools))
    found = adapter.from_items(items)
    assert [(message.role, len(message.contents)) for message in found] == [
        *(("user", 1), ("assistant", 2), ("tool", 2), ("assistant", 1))
    ]


# What the framework gives


def updates(kind):
    asked = [Content.from_function_call("c", "tide", arguments=piece) for piece in ('{"a"', ": 1}")]
    pieces = [thought("I "), thought("look."), Content.from_text("Su"), Content.from_text("nny.")]
    pieces += asked
    return [kind(contents=[piece], role="assistant", message_id="m") for piece in pieces]


@pytest.mark.parametrize("kind", [AgentResponseUpdate, ChatResponseUpdate])
def test_updates_add_up(kind, unchanged):
    """The updates of a stream are the message that they add up to, and stay as they were."""
    items = unchanged(adapter.to_items, updates(kind), role="assistant")
    assert [item.get("type") for item in items] == ["reasoning", None, "function_call"]
    assert items[2]["arguments"] == '{"a": 1}'
    assert items[0]["summary"][0]["text"] == "I look."
    assert items[1]["content"] == "Sunny."


@pytest.mark.parametrize("kind", [AgentResponse, ChatResponse])
def test_response_is_its_messages(kind):
    """A response is its messages, and stands for the updates before it."""
    response = kind(messages=[Message("assistant", ["Sunny."], message_id="m")])
    items = adapter.to_items([response], role="assistant")
    assert seen(items) == [assistant("Sunny.")]
    assert adapter.to_items([*updates(AgentResponseUpdate), response], role="assistant") == items


def test_input_in_any_form():
    """Contents, messages, their dicts, text and items are taken, mixed too."""
    given = [Content.from_text("a"), "b", Message("user", ["c"]), Message("user", ["d"]).to_dict()]
    assert [item["content"] for item in adapter.to_items([*given, user("e")])] == [*"abcde"]
