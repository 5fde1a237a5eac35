"""Items as the messages of the Vercel AI SDK, and back."""

import pytest
from corpus.contract import TEXT, TOOLS
from corpus.langchain_items import ITEM_CONVERSATIONS
from support import CALL, OUTPUT, REASONING

from memwrap import ConversionError
from memwrap.formats import from_ui, to_ui
from memwrap.hidden.data import marked
from memwrap.items import assistant, system, user

STATES = {"input-available": {"input"}, "output-available": {"input", "output"}}


def check_part(part):
    """Check a part as the SDK does, as far as such parts are made."""
    kind, keys = part["type"], set(part) - {"type"}
    if kind == "text":
        assert keys == {"text"} and isinstance(part["text"], str)
    elif kind == "reasoning":
        assert keys == {"text", "state"} and part["state"] == "done"
    elif kind == "file":
        assert keys - {"filename"} == {"mediaType", "url"}
        assert all(isinstance(part[key], str) for key in keys)
    elif kind == "source-url":
        assert keys - {"title"} == {"sourceId", "url"}
        assert all(isinstance(part[key], str) for key in keys)
    elif kind == "data-item":
        assert keys == {"data"} and isinstance(part["data"], dict)
    elif kind != "step-start":
        assert kind.startswith("tool-") and kind != "tool-"
        assert keys - {"toolCallId", "state"} == STATES[part["state"]]
        assert isinstance(part["toolCallId"], str)


@pytest.mark.parametrize("items", [TEXT, TOOLS, *ITEM_CONVERSATIONS.values()])
def test_messages_are_valid(items, unchanged):
    """Whatever a session holds is shown as messages that the front end takes."""
    messages = unchanged(to_ui, items)
    for message in messages:
        assert message.keys() == {"id", "role", "parts"}
        assert isinstance(message["id"], str) and message["id"]
        assert message["role"] in ("system", "user", "assistant")
        assert message["parts"]
        for part in message["parts"]:
            check_part(part)


@pytest.mark.parametrize("items", [TEXT, TOOLS])
def test_conversations_come_back(items):
    """Text, calls and outputs come back as they were, in order."""
    assert from_ui(to_ui(items)) == items


def test_one_run_is_one_message():
    """All that the assistant did between two inputs is one message, with a step for each call."""
    second = {**CALL, "call_id": "d", "arguments": '{"n": [1]}'}
    found = {**OUTPUT, "call_id": "d", "output": '{"t": 3}'}
    items = [user("q"), assistant("I look."), CALL, OUTPUT, second, found, assistant("Done.")]
    question, answer = to_ui(items)
    assert question == {"id": "item-0", "role": "user", "parts": [{"type": "text", "text": "q"}]}
    step = {"type": "step-start"}
    called = {"type": "tool-f", "state": "output-available"}
    assert answer == {
        "id": "item-1",
        "role": "assistant",
        "parts": [
            step,
            {"type": "text", "text": "I look."},
            called | {"toolCallId": "c", "input": {}, "output": "done"},
            step,
            called | {"toolCallId": "d", "input": {"n": [1]}, "output": {"t": 3}},
            step,
            {"type": "text", "text": "Done."},
        ],
    }
    assert from_ui(answer) == items[1:]


def test_calls_at_once_are_one_step():
    """Calls whose outputs come behind both are one step, and stay so on the way back."""
    items = [CALL, {**CALL, "call_id": "d"}, OUTPUT, {**OUTPUT, "call_id": "d"}, assistant("x")]
    (message,) = to_ui(items)
    kinds = [part["type"] for part in message["parts"]]
    assert kinds == ["step-start", "tool-f", "tool-f", "step-start", "text"]
    assert from_ui(message) == items


def test_a_call_without_output():
    """A call that waits for its output is shown with its input, and comes back as the call."""
    (message,) = to_ui([CALL])
    assert message["parts"][1]["state"] == "input-available"
    assert from_ui(message) == [CALL]


def test_reasoning_is_shown_and_not_taken():
    """Reasoning is shown if it tells something, and nothing of it is believed on the way back."""
    thought = {**REASONING, "summary": [{"type": "summary_text", "text": "hm"}]}
    shown = to_ui([thought, REASONING, assistant("x")])[0]
    texts = [part["text"] for part in shown["parts"] if part["type"] == "reasoning"]
    assert (shown["id"], texts) == ("r", ["hm"])
    assert from_ui(shown) == [assistant("x")]


def test_media_come_back():
    """Pictures and files go forth and back; what has no place is named in text."""
    parts = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_url": "https://x/a.pdf"},
    ]
    item = {"role": "user", "content": parts}
    assert from_ui(to_ui([item])) == [item]
    lost = {"role": "user", "content": [{"type": "input_image", "file_id": "f", "detail": "auto"}]}
    assert to_ui([lost])[0]["parts"] == [{"type": "text", "text": "[image: f]"}]


def test_cited_pages_are_sources():
    """Pages that a text cites are sources behind it; they belong to the page alone."""
    cited = {"type": "url_citation", "url": "https://x/", "title": "T"}
    text = {"type": "output_text", "text": "It is.", "annotations": [cited]}
    message = to_ui([{"type": "message", "role": "assistant", "content": [text]}])[0]
    assert message["parts"][2] == {
        "type": "source-url",
        "sourceId": "0",
        "url": "https://x/",
        "title": "T",
    }
    assert from_ui(message) == [assistant("It is.")]


def test_nothing_hidden_is_shown():
    """No note and no hidden data reaches the page."""
    hosted = {"type": "web_search_call", "id": "ws", "provider_data": {"x": {"secret": 1}}}
    shown = to_ui([marked(user("q"), turn="t"), hosted])
    assert "provider_data" not in str(shown)
    assert "secret" not in str(shown)


def test_ids_tell_the_place_in_the_conversation():
    """A part of a conversation has the ids that it has in the whole."""
    items = [user("a"), assistant("b"), user("c"), {**assistant("d"), "id": "msg_1"}]
    whole = to_ui(items)
    assert [message["id"] for message in whole] == ["item-0", "item-1", "item-2", "msg_1"]
    assert to_ui(items[2:], first=2) == whole[2:]


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({"state": "output-available", "output": "sunny"}, "sunny"),
        ({"state": "output-available", "output": {"t": [3]}}, '{"t": [3]}'),
        ({"state": "output-available", "output": None}, "null"),
        ({"state": "output-error", "errorText": "no such city"}, "no such city"),
        ({"state": "output-denied", "approval": {"id": "a", "approved": False}}, "the call was"),
        (
            {"state": "output-denied", "approval": {"id": "a", "approved": False, "reason": "no"}},
            "no",
        ),
        ({"state": "input-available"}, None),
        ({"state": "approval-requested", "approval": {"id": "a"}}, None),
        ({"state": "approval-responded", "approval": {"id": "a", "approved": True}}, None),
    ],
)
@pytest.mark.parametrize(
    "kind", [{"type": "tool-weather"}, {"type": "dynamic-tool", "toolName": "weather"}]
)
def test_states_of_tools(kind, fields, output):
    """Each state of a tool's part is its call, and the output that there is by then."""
    part = {**kind, "toolCallId": "c1", "input": {"city": "Rome"}, **fields}
    call, *outputs = from_ui({"id": "m", "role": "assistant", "parts": [part]})
    assert call == {
        "type": "function_call",
        "call_id": "c1",
        "name": "weather",
        "arguments": '{"city": "Rome"}',
    }
    if output is None:
        assert outputs == []
    else:
        assert outputs[0]["call_id"] == "c1"
        assert outputs[0]["output"].startswith(output)


def test_what_belongs_to_the_page_is_not_taken():
    """Metadata, data, sources and hidden data that a page sends become nothing."""
    parts = [
        {"type": "data-x", "data": {"role": "system"}},
        {"type": "source-document", "sourceId": "1", "mediaType": "x", "title": "T"},
        {"type": "text", "text": "Hi", "providerMetadata": {"memwrap": 1}},
    ]
    message = {"id": "m", "role": "user", "parts": parts, "metadata": {"provider_data": 1}}
    assert from_ui(message) == [user("Hi")]
    assert from_ui([message, message]) == [user("Hi"), user("Hi")]
    assert from_ui({"id": "s", "role": "system", "parts": parts}) == [system("Hi")]


@pytest.mark.parametrize(
    "message",
    [
        *({}, {"role": "user"}, {"role": "user", "parts": "hush"}, {"role": "tool", "parts": []}),
        *(None, 5, ["hush"], {"role": "user", "content": "hush"}),
        {"role": "assistant", "parts": [{"type": "tool-x", "state": "input-available"}]},
    ],
)
def test_what_is_no_message_is_refused(message):
    """What is no message of the SDK is an error that tells nothing of the content."""
    with pytest.raises(ConversionError) as caught:
        from_ui(message)
    assert "hush" not in str(caught.value)
