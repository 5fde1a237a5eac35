"""Every message of Pydantic AI's corpus converts exactly and visibly; edits win."""

import json
import warnings

import pytest
from corpus.exactness import hidden, seen, stored, strings
from corpus.pydantic_ai import (
    CALL,
    CONVERSATIONS,
    MESSAGES,
    NOBODY_KNOWS,
    PNG,
    answered,
    asked,
    output,
    returned,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import (
    ImageUrl,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from memwrap import ConversionError, SQLiteStore
from memwrap.adapters import chat, langchain, langgraph, openai_agents, plain
from memwrap.adapters.langchain import portable
from memwrap.adapters.pydantic_ai import from_items, to_items
from memwrap.hidden.sidecar import settled
from memwrap.items import assistant, user

each_message = pytest.mark.parametrize("name", MESSAGES)
each_conversation = pytest.mark.parametrize("name", CONVERSATIONS)


def written(messages):
    """Return messages as the framework's own JSON, through which it says that they stay equal."""
    return ModelMessagesTypeAdapter.dump_json(messages).decode()


def reread(messages):
    return ModelMessagesTypeAdapter.validate_json(written(messages))


def check(messages):
    before = written(messages)
    items = to_items(messages)
    assert written(messages) == before
    back = from_items(stored(items))
    assert written(back) == written(reread(messages))
    assert back == reread(messages)
    assert to_items(back) == items


# There and back


@each_message
def test_message_comes_back(name):
    """A message comes back from the JSON of its items as from the framework's own JSON."""
    check([MESSAGES[name]])


@each_conversation
def test_conversation_comes_back(name):
    """A conversation comes back from the JSON of its items, message by message."""
    check(CONVERSATIONS[name])


async def test_conversation_comes_back_from_a_database(path):
    """A conversation in a file is the same after the file was closed and opened again."""
    messages = CONVERSATIONS["all"]
    async with SQLiteStore(path) as store:
        await store.session("s").add_items(to_items(messages))
    async with SQLiteStore(path) as store:
        assert from_items(await store.session("s").get_items()) == reread(messages)


@each_conversation
def test_message_comes_back_one_by_one(name):
    """Messages that were converted one by one come back too, between others."""
    items, expected = [], []
    for message in CONVERSATIONS[name]:
        items += [user("next"), *to_items(message)]
        prompt = UserPromptPart("next", timestamp=NOBODY_KNOWS)
        expected += [ModelRequest([prompt]), *reread([message])]
    assert from_items(stored(items)) == expected


@each_conversation
def test_slices_come_back(name):
    """A history that is cut between two messages has the others as they were."""
    messages = CONVERSATIONS[name]
    for begin in range(len(messages)):
        for end in {begin + 1, begin + 2, len(messages)}:
            part = messages[begin:end]
            items = to_items(messages)
            first, last = (len(to_items(messages[:place])) for place in (begin, end))
            assert from_items(items[first:last]) == reread(part)


def test_cut_message_is_shown_as_far_as_it_goes():
    """A history that is cut within a message shows what is left of it."""
    items = to_items(MESSAGES["calls and texts"])
    assert from_items(items[2:]) == [
        ModelResponse(
            [TextPart("And"), ToolCallPart("tide", '{"port":"Kiel","day":3}', "call_1")],
            timestamp=NOBODY_KNOWS,
        )
    ]


def test_message_of_an_unknown_time():
    """A message of the framework's own comes back also if it has no time, and odd ids."""
    check([ModelResponse([ToolCallPart("tide", "{}", "a b")], timestamp=NOBODY_KNOWS)])


def test_parts_that_the_framework_gave_up():
    """A retry prompt is what the framework makes of it when it reads its own JSON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [RetryPromptPart("No.", tool_name="t", tool_call_id="c"), RetryPromptPart("No!")]
    check([ModelRequest(parts)])
    assert [item.get("role") or item["output"] for item in to_items(ModelRequest(parts))] == [
        "No.",
        "user",
    ]


texts = st.text(max_size=6) | st.sampled_from(["hi", "call_1", "$", '{"a": 1}', "é😀\0", "b" * 70])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**62) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
metadata = st.none() | st.dictionaries(texts, values, max_size=2)
times = st.datetimes(timezones=st.just(NOBODY_KNOWS.tzinfo)) | st.just(NOBODY_KNOWS)
contents = st.just(PNG) | st.builds(ImageUrl, st.sampled_from(["https://a.example/b.png", "x"]))
prompts = st.builds(UserPromptPart, texts | st.lists(texts | contents, max_size=3), timestamp=times)
requests = st.builds(
    ModelRequest,
    st.lists(
        prompts
        | st.builds(SystemPromptPart, texts, timestamp=times, metadata=metadata)
        | st.builds(
            ToolReturnPart,
            texts,
            values | st.lists(values | st.just(PNG), max_size=2),
            texts,
            metadata=values,
            timestamp=times,
            outcome=st.sampled_from(["success", "failed", "denied", "interrupted", "retried"]),
        ),
        max_size=3,
    ),
    timestamp=st.none() | times,
    instructions=st.none() | texts,
    metadata=metadata,
    run_id=st.none() | texts,
)
names = st.sampled_from([None, "openai", "anthropic"])
responses = st.builds(
    ModelResponse,
    st.lists(
        st.builds(TextPart, texts, id=st.none() | texts, provider_name=names)
        | st.builds(
            ThinkingPart,
            texts,
            id=st.none() | texts,
            signature=st.none() | texts,
            provider_name=names,
        )
        | st.builds(ToolCallPart, texts, st.none() | texts | st.dictionaries(texts, values), texts),
        max_size=4,
    ),
    timestamp=times.filter(lambda time: time != NOBODY_KNOWS),
    model_name=st.none() | texts,
    provider_name=names,
    metadata=metadata,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(requests | responses, max_size=5))
def test_anything_comes_back(messages):
    """Whatever messages hold comes back, for any conversation of them."""
    kept = [one for one in messages if one.parts or isinstance(one, ModelRequest)]
    check(kept)


# What is seen, and what is not


@each_message
def test_nothing_visible_is_hidden_too(name):
    """What is hidden in the items of a message repeats no text that can be seen in them."""
    items = to_items(MESSAGES[name])
    said = [item for item in seen(items) if item.pop("role", None) or item.pop("type")]
    words = {"input_text", "input_image", "summary_text", "input_audio", "input_file", "image/png"}
    shown = {text for text in strings(said) if len(text) > 6} - words
    shown |= {text.partition(";base64,")[2] for text in shown} - {""}
    shown |= {text.replace("+", "-").replace("/", "_") for text in shown}  # as the framework has it
    kept = [text for one in hidden(items) for text in strings(one)]
    assert not [text for text in shown if any(text in one for one in kept)]


def test_output_is_what_the_model_saw():
    """The output of a tool is the text that the framework shows to models, whatever it returned."""
    for name in ("output", "output of an object", "output of a list", "output of nothing"):
        message = MESSAGES[name]
        shown = [part.model_response_str(wrap_if_error=False) for part in message.parts]
        assert [item["output"] for item in to_items(message)] == shown


def test_files_of_an_output_are_its_parts():
    """The files that a tool returned stand among its texts."""
    parts = to_items(MESSAGES["output of a file"])[1]["output"]
    kinds = ["input_text", "input_audio", "input_text", "input_image"]
    assert [part["type"] for part in parts] == kinds


def test_thoughts_of_others_carry_a_name():
    """Thoughts of other providers than OpenAI are marked; those of OpenAI are its own items."""
    (one, *_), (other, more, *_) = (
        to_items(MESSAGES[name]) for name in ("thought of Anthropic", "thought of OpenAI")
    )
    assert one["provider_data"] == {"pydantic_ai": {"provider": "anthropic"}}
    assert other == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [
            {"type": "summary_text", "text": text} for text in ("The moon pulls.", "More.")
        ],
        "encrypted_content": "enc",
    }
    assert (more["id"], more["summary"]) == ("rs_2", [])


@pytest.mark.parametrize("adapter", [plain, openai_agents, chat, portable])
def test_others_are_shown_no_thoughts_of_other_providers(adapter):
    """No other dialect shows the thoughts of a provider of the framework's, not as text either."""
    items = to_items([asked("Hi."), MESSAGES["thought of Anthropic"]])
    assert "The moon pulls." not in str(adapter.from_items(stored(items)))


THOUGHT = {
    "type": "reasoning",
    "id": "rs_9",
    "summary": [{"type": "summary_text", "text": "Hm."}],
    "encrypted_content": "enc",
}


def test_langchain_is_shown_no_thoughts_of_other_providers():
    """LangChain's messages say nothing of such thoughts, and still remember their items."""
    items = to_items([asked("Hi."), MESSAGES["thought of Anthropic"]])
    for messages in (langchain.from_items(items), langgraph.from_items(items)["messages"]):
        assert [message.content for message in messages] == ["Hi.", "Six."]
        assert langchain.to_items(messages) == items


def test_reasoning_of_the_responses_api():
    """Reasoning of OpenAI's API is a thought of OpenAI, by which the framework sends it back."""
    (message,) = from_items([THOUGHT, assistant("Six.")])
    thought = ThinkingPart("Hm.", id="rs_9", signature="enc", provider_name="openai")
    assert message.parts == [thought, TextPart("Six.")]


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"id": ""}, {"provider_data": {"anthropic": {"signature": "s"}}}]
)
def test_foreign_reasoning_is_left_out(changes):
    """Reasoning that nobody can send back, or that is of another dialect, is not shown."""
    (message,) = from_items([THOUGHT | changes, assistant("Six.")])
    assert message.parts == [TextPart("Six.")]


# What others wrote


def test_pictures_are_bytes():
    """A picture in a data URL is binary content, which all of the framework's models take."""
    items = to_items([asked(PNG)])
    (message,) = from_items(seen(items))
    (picture,) = message.parts[0].content
    assert (picture.data, picture.media_type) == (PNG.data, "image/png")


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ({"type": "input_image", "image_url": "https://a.example/b.png"}, "ImageUrl"),
        ({"type": "input_image", "file_id": "file-1"}, "[image: file-1]"),
        ({"type": "input_image", "image_url": "data:image/png;base64,?"}, "[image]"),
        ({"type": "input_file", "file_url": "https://a.example/b.pdf"}, "DocumentUrl"),
        ({"type": "input_file", "file_url": "https://a.example/b.mp3"}, "AudioUrl"),
        ({"type": "input_file", "filename": "a.pdf", "file_data": "JVBERg=="}, "BinaryContent"),
        ({"type": "input_file", "file_id": "file-1"}, "[file: file-1]"),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
            "BinaryContent",
        ),
        ({"type": "input_audio", "input_audio": "odd"}, "[audio]"),
        ({"type": "of_the_future"}, "[part]"),
    ],
)
def test_parts_of_items(part, shown):
    """A part is a file of the framework's, or is named in text."""
    (message,) = from_items([{"role": "user", "content": [part]}])
    (content,) = message.parts[0].content
    assert shown in (content, type(content).__name__)


def test_odd_calls_are_shown():
    """Calls of other kinds, and without arguments, are calls that the framework can send."""
    items = [
        {"type": "custom_tool_call", "call_id": "a", "name": "run", "input": "ls"},
        {"type": "function_call", "call_id": "b", "name": "now", "arguments": ""},
        {"type": "custom_tool_call_output", "call_id": "a", "output": [{"text": "x"}, {}]},
        {"type": "function_call_output", "call_id": "b", "output": "noon"},
        {"type": "function_call_output", "call_id": "c", "output": "orphan"},
    ]
    calls, outputs = from_items(items)
    assert [call.args for call in calls.parts] == ['{"input": "ls"}', "{}"]
    assert [one.tool_name for one in outputs.parts] == ["run", "now", ""]
    assert [one.content for one in outputs.parts] == ["x[part]", "noon", "orphan"]


def test_foreign_ids_fit_any_provider():
    """Calls of others have ids that any provider takes, the same for a call and its output."""
    long = "functions.tide:0 " * 9
    items = [
        {"type": "function_call", "call_id": long, "name": "t", "arguments": "{}"},
        {"type": "function_call_output", "call_id": long, "output": "x"},
    ]
    call, answer = (message.parts[0].tool_call_id for message in from_items(items))
    assert call == answer
    assert len(call) <= 40
    assert call.replace("_", "").replace("-", "").isalnum()


def test_foreign_ids_beside_own_ones():
    """A call of another's with an odd id changes none of the framework's own."""
    own = MESSAGES["call with fields"]
    odd = {"type": "function_call", "call_id": "a b", "name": "t", "arguments": "{}"}
    first, second = from_items([*to_items(own), user("And?"), odd])[::2]
    assert first == own
    assert second.parts[0].tool_call_id != "a b"


def test_what_says_nothing_is_left_out():
    """Empty messages of the assistant, and items that have no form here, are not shown."""
    items = [user("Hi"), assistant(""), {"type": "web_search_call", "id": "ws"}, user("Ho")]
    assert [message.parts[0].content for message in from_items(items)] == ["Hi", "Ho"]


def test_users_who_speak_twice():
    """Two messages of a user stay two: a reader may want one of them in another place."""
    assert len(from_items([user("a"), user("b")])) == 2


def test_dumps_are_not_taken():
    """Dumped messages, which may come from a stranger, are no input: they may do harm."""
    dumps = ModelMessagesTypeAdapter.dump_python([MESSAGES["image elsewhere"]], mode="json")
    with pytest.raises(ConversionError):
        to_items(dumps)


def test_parts_are_messages():
    """Single parts and contents are taken for the messages that they make."""
    assert seen(to_items([output("x"), "And?", PNG, ImageUrl("https://a.example/b.png")])) == [
        {"type": "function_call_output", "call_id": "call_1", "output": "x"},
        user("And?"),
        {
            "role": "user",
            "content": [
                {"type": "input_image", "image_url": PNG.data_uri},
                {"type": "input_image", "image_url": "https://a.example/b.png"},
            ],
        },
    ]


def test_what_json_cannot_say():
    """A message with an object that has no JSON is an error that does not tell what it is."""
    secret = type("Secret", (), {"__repr__": lambda self: "4711"})()
    with pytest.raises(ConversionError) as caught:
        to_items(asked("Hi.", metadata={"a": secret}))
    assert "4711" not in str(caught.value)


# Edits


def texts_of(items):
    for item in seen(items):
        for key in ("content", "output", "arguments"):
            for text in strings(item.get(key)):
                if len(text) >= 4 and text[0] not in "{[" and text not in WORDS:
                    yield text


WORDS = {"input_text", "input_image", "input_audio", "input_file", "file.pdf", "file.mp4"}


@each_message
def test_edited_text_is_all_that_is_said(name):
    """A text replaced in the items is replaced in the message, and nowhere hidden in it."""
    items = to_items(MESSAGES[name])
    for text in set(texts_of(items)):
        inner = json.dumps(text)[1:-1]
        edited = [
            {
                key: value
                if key in ("provider_data", "type", "role", "call_id", "name", "id")
                else json.loads(
                    json.dumps(value)
                    .replace(json.dumps(inner)[1:-1], "[gone]")
                    .replace(inner, "[gone]")
                )
                for key, value in item.items()
            }
            for item in stored(items)
        ]
        if edited == stored(items):
            continue
        for changed in (edited, settled(edited)):
            back = from_items(changed)
            assert text not in written(back)
            again = to_items(back)
            assert inner not in json.dumps(again)
        assert inner not in json.dumps(settled(edited))


def test_edited_message_is_the_same_one():
    """After an edit of what it says a message has its time, its model, its run and its usage."""
    items = stored(to_items(MESSAGES["answer with all fields"]))
    items[0]["content"] = "At seven."
    (message,) = from_items(items)
    before = MESSAGES["answer with all fields"]
    assert message.parts == [TextPart("At seven.")]
    for name in ("timestamp", "model_name", "usage", "run_id", "conversation_id", "finish_reason"):
        assert getattr(message, name) == getattr(before, name)
    assert (message.metadata, message.history_digest) == (None, None)


def test_edited_output_keeps_its_tool():
    """After an edit of what a tool returned, the tool is still known by its call."""
    items = stored(to_items([answered(CALL), returned(output("06:12"))]))
    items[-1]["output"] = "[gone]"
    _, message = from_items(items)
    assert (message.parts[0].tool_name, message.parts[0].content) == ("tide", "[gone]")
