import asyncio
import base64
import json

import pytest
from corpus import chat, langchain
from corpus.exactness import hidden, seen, stored, strings, written
from corpus.strands import (
    BLOCKS,
    CONVERSATIONS,
    MESSAGES,
    PICTURE,
    assistant,
    call,
    image,
    result,
    system,
    thought,
    user,
)
from corpus.strategies import json_values, text, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memwrap import InMemorySession, SQLiteSession, items, with_session
from memwrap.adapters import plain
from memwrap.adapters import strands as adapter
from memwrap.adapters.strands.fitting import fitting
from memwrap.middleware import Redact

PDF = "data:application/pdf;base64,JVBERi0="
URL = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"


def there_and_back(messages):
    return adapter.from_items(stored(adapter.to_items(messages)))


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_exact(name):
    """A message of any kind comes back as it was, field by field."""
    assert written(there_and_back(MESSAGES[name])) == written([MESSAGES[name]])


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation_is_exact(name):
    """A conversation comes back as it was."""
    assert written(there_and_back(CONVERSATIONS[name])) == written(CONVERSATIONS[name])


async def test_conversation_is_exact_in_a_file(path):
    """What a file gives back makes the same messages."""
    messages = CONVERSATIONS["all"]
    session = SQLiteSession("s", path)
    await session.add_items(adapter.to_items(messages))
    assert written(adapter.from_items(await session.get_items())) == written(messages)


blocks = st.one_of(
    st.sampled_from(list(BLOCKS.values())),
    text.map(lambda one: {"text": one}),
    st.builds(thought, text, signature=st.none() | text),
    st.builds(call, text, st.dictionaries(text, values, max_size=2) | json_values),
    st.builds(result, text, text, st.builds(lambda one: {"json": one}, json_values)),
    st.dictionaries(text.filter(lambda key: key != "type"), values, min_size=1, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["user", "assistant"]),
                "content": st.lists(blocks, max_size=4),
            },
            optional={
                "tracking_id": st.none() | text,
                "metadata": st.dictionaries(text, values, max_size=2),
            },
        ),
        max_size=4,
    )
)
def test_any_messages_are_exact(messages):
    """Whatever messages say and hold, they come back as they were."""
    assert written(there_and_back(messages)) == written(messages)


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_visible_is_repeated(name):
    """Hidden data refers to what items show, and has no copy of it."""
    found = adapter.to_items(MESSAGES[name])
    texts = {one for one in strings(seen(found)) if len(one) > 5 and (" " in one or ";" in one)}
    for data in hidden(found):
        assert texts.isdisjoint(strings(data["strands"].get("data")))


def test_bytes_are_stored_once():
    """The bytes of a picture are in what its item shows, and not in hidden data again."""
    data = base64.b64encode(b"x" * 600).decode()
    found = adapter.to_items(user(image(bytes=b"x" * 600), tracking_id="1"))
    assert json.dumps(found).count(data) == 1


def test_foreign_reasoning_is_left_out():
    """Reasoning of another model is not shown, and Strands' own is shown to nobody else."""
    theirs = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "x"}]}
    given = [items.user("Hi"), theirs, items.assistant("Ho")]
    assert adapter.from_items(given) == [user("Hi"), assistant("Ho")]
    own = adapter.to_items(assistant(thought(), "So."))
    assert [item.get("type") for item in own] == ["reasoning", None]
    assert plain.from_items(own) == [items.assistant("So.")]


def test_redacted_message_has_nothing_left():
    """A redaction of the visible text leaves none of it in hidden data."""
    message = assistant("Pin 4711.", {"hologram": "4711"}, call(input={"pin": "4711"}))
    message |= {"tracking_id": "t", "metadata": {"custom": {"raw": "4711"}}}
    agent = with_session(lambda messages: message, adapter=adapter, middleware=[Redact("4711")])
    session = InMemorySession("s")
    agent("Hi", session=session)
    found = asyncio.run(session.get_items())
    assert "4711" not in json.dumps(found)
    (back,) = adapter.from_items(found[1:])
    assert "4711" not in repr(back)
    assert back["tracking_id"] == "t"


PARTS = [
    {"type": "input_text", "text": "Look."},
    {"type": "input_image", "image_url": URL, "detail": "auto"},
    {"type": "input_image", "image_url": "https://x.de/a.jpg", "detail": "auto"},
    {"type": "input_image", "file_id": "file_1"},
    {
        "type": "input_file",
        "filename": "t.pdf",
        "file_data": "data:application/pdf;base64,JVBERi0=",
    },
    {"type": "input_file", "filename": "t.bin", "file_data": "data:a/b;base64,QQ=="},
    {"type": "input_file", "filename": "t.csv", "file_url": "https://x.de/t"},
    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    {"type": "input_image", "image_url": "data:image/png;base64,?", "detail": "auto"},
]
SHOWN = [
    {"text": "Look."},
    image(),
    {"text": "[image: https://x.de/a.jpg]"},
    {"text": "[image: file_1]"},
    {"document": {"format": "pdf", "name": "t.pdf", "source": {"bytes": b"%PDF-"}}},
    {"text": "[file: t.bin]"},
    {"text": "[file: t.csv]"},
    {"audio": {"format": "wav", "source": {"bytes": b"RIFF"}}},
    {"text": "[image]"},
]


def test_media_of_items():
    """Media in data URLs are bytes, also in outputs; others, which Strands takes not, are named."""
    output = {"type": "function_call_output", "call_id": "c", "output": PARTS}
    spoken, told = adapter.from_items([{"role": "user", "content": PARTS}, output])
    assert spoken["content"] == SHOWN
    assert told["content"][0]["toolResult"]["content"] == SHOWN


def test_ids_of_others_fit():
    """Calls that others made get ids that every provider takes; Strands' keep theirs."""
    long = "call " + "x" * 80
    given = [
        items.user("Hi"),
        {"type": "function_call", "call_id": long, "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": long, "output": "1"},
        *adapter.to_items([assistant(call(long))]),
    ]
    _, made, told, own = adapter.from_items(given)
    made_id = made["content"][0]["toolUse"]["toolUseId"]
    assert told["content"][0]["toolResult"]["toolUseId"] == made_id
    assert len(made_id) <= 40
    assert own["content"][0]["toolUse"]["toolUseId"] == long


@pytest.mark.parametrize(
    ("arguments", "input"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ("[1]", {"input": "[1]"}),
        ("{broken", {"input": "{broken"}),
    ],
)
def test_arguments_of_others(arguments, input):
    """Arguments are an object, as models take nothing else, whatever another model gave."""
    given = {"type": "function_call", "call_id": "c", "name": "f", "arguments": arguments}
    (made,) = adapter.from_items([given])
    assert made["content"][0]["toolUse"]["input"] == input


def test_custom_calls_and_hosted_tools():
    """A custom tool's call is a call with its input; hosted tools' items are left out."""
    given = [
        items.user("Hi"),
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "y"},
        items.assistant(""),
    ]
    _, made, told = adapter.from_items(given)
    assert made["content"][0]["toolUse"]["input"] == {"input": "x"}
    assert told["content"][0]["toolResult"]["content"] == [{"text": "y"}]


@pytest.mark.parametrize("other", [chat, langchain], ids=["chat", "langchain"])
def test_calls_of_others_stay_together(other):
    """Parallel calls of another dialect are one message, and their outputs another."""
    found = adapter.from_items(stored(other.CORPUS.adapter.to_items(other.CORPUS.tools)))
    assert [(message["role"], len(message["content"])) for message in found] == [
        *(("user", 1), ("assistant", 2), ("user", 2), ("assistant", 1))
    ]


def test_blocks_are_one_message():
    """Blocks in a list are one message of the speaker, beside messages, text and items."""
    found = adapter.to_items([{"text": "a"}, image(), user("b"), "c", items.user("d")])
    assert [items.text_of(item) for item in found] == ["a", "b", "c", "d"]
    assert len(found[0]["content"]) == 2


def test_fitting_conversations():
    """What providers take begins with a user, and its speakers alternate."""
    messages = [assistant("Hi."), system("Be kind."), user("a"), user("b"), assistant("c")]
    found = fitting(messages)
    assert [message["role"] for message in found] == ["user", "assistant", "user", "assistant"]
    assert found[2]["content"] == [{"text": "Be kind."}, {"text": "a"}, {"text": "b"}]
    assert fitting(CONVERSATIONS["turns"]) == CONVERSATIONS["turns"]


# What a stream tells


def test_events_of_a_stream_cut_short(unchanged):
    """A stream without its result is the messages that it told of, and the text under way."""
    events = [
        {"init_event_loop": True},
        {"data": "I ", "delta": {"text": "I "}},
        {"event": {"messageStop": {"stopReason": "tool_use"}}},
        {"message": assistant("I look.", call())},
        {"message": user(result())},
        {"data": "Six"},
        {"data": " it"},
    ]
    found = unchanged(adapter.to_items, events, role="assistant")
    assert [item.get("type") or item["role"] for item in found] == [
        *("assistant", "function_call", "function_call_output", "assistant")
    ]
    assert found[-1]["content"] == "Six it"
