"""Contents of Gemini's, there and back."""

import json

import pytest
from corpus.exactness import hidden, seen, stored, strings
from corpus.genai import CONTENTS, CONVERSATIONS, PICTURE, call, model, response, thought, user
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st

from memwrap import SQLiteSession
from memwrap.adapters import chat, genai, openai_agents, plain
from memwrap.hidden.sidecar import settled
from memwrap.items import assistant
from memwrap.shapes import is_known_shape

Content, Part = types.Content, types.Part
LONG = 5  # characters from which on a text is told from a name


def there_and_back(contents):
    return genai.from_items(stored(genai.to_items(contents)))


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_each_content_comes_back(content):
    """A content comes back field by field, and its class, whatever is in it."""
    assert there_and_back([content]) == [content]
    assert there_and_back(content) == [content]


@pytest.mark.parametrize("contents", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_conversations_come_back(contents):
    """The contents of a conversation come back in their order, each on its own."""
    assert there_and_back(contents) == contents


@pytest.mark.parametrize("contents", CONVERSATIONS.values(), ids=CONVERSATIONS)
async def test_conversations_come_back_from_a_file(contents, tmp_path):
    """They do so from SQLite, in another session object."""
    await SQLiteSession("s", tmp_path / "a.db").add_items(genai.to_items(contents))
    items = await SQLiteSession("s", tmp_path / "a.db").get_items()
    assert genai.from_items(items) == contents


@pytest.mark.parametrize("contents", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_any_whole_contents_come_back(contents):
    """From items that were cut between contents, the contents that are left come back."""
    items = stored(genai.to_items(contents))
    for begin in range(len(contents)):
        rest = genai.from_items(items[len(genai.to_items(contents[:begin])) :])
        expected = contents[begin:]
        assert rest[-len(expected) :] == expected
        assert all(type(one).__name__ == "Opening" for one in rest[: -len(expected)])


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_nothing_is_stored_twice(content):
    """What items show of a content is not in their hidden data once more."""
    items = genai.to_items(content)
    secret = set(strings(hidden(items)))
    shown = {text for text in strings(seen(items)) if not is_known_shape(text)}
    assert {text for text in shown & secret if len(text) >= LONG} == set()


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_dicts_are_read_as_the_sdk_reads_them(content):
    """A content as a dict, in Python's names or the API's, with bytes or base64, is the content."""
    if type(content) is not Content:
        content = Content(role=content.role, parts=content.parts)
    for options in ({}, {"mode": "json"}, {"mode": "json", "by_alias": True}):
        dumped = content.model_dump(exclude_none=True, **options)
        if "parts" in dumped and "tools of the server" != content:
            assert seen(genai.to_items(dumped)) == seen(genai.to_items(content))


texts = st.text(max_size=6) | st.sampled_from(["hi", "genai_1", "{}", '{"a": 1}', "$", "call_1"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**60) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
objects = st.none() | st.dictionaries(texts, values, max_size=2)
ids = st.none() | texts


def maybe(**fields):
    return st.fixed_dictionaries({}, optional=fields)


media = st.sampled_from(["image/png", "audio/wav", "application/pdf", ""])
parts = maybe(
    text=texts,
    thought=st.booleans(),
    thought_signature=st.binary(max_size=3),
    function_call=maybe(id=ids, name=texts, args=objects),
    function_response=maybe(
        id=st.just("of no call"), name=texts, response=objects | maybe(result=texts)
    ),
    inline_data=maybe(data=st.binary(max_size=3), mime_type=media, display_name=texts),
    file_data=maybe(
        file_uri=st.sampled_from(["https://a/b.png", "gs://b/c", "", "//[", "x"]), mime_type=media
    ),
    executable_code=maybe(code=texts, language=st.sampled_from(["PYTHON"])),
    part_metadata=objects,
).map(Part.model_validate)
usual = st.one_of(
    texts.map(lambda text: Part(text=text)),
    texts.map(lambda text: thought(text)),
    st.builds(
        lambda name, args: call("f", name, **args), ids, st.dictionaries(st.just("a"), values)
    ),
    st.builds(lambda name, found: response("g", name and f"g {name}", found), ids, objects),
)
contents = st.builds(
    Content,
    role=st.sampled_from(["user", "model", "user", "model", None, "system", "odd"]),
    parts=st.none() | st.lists(usual | parts, max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(contents, max_size=4))
def test_any_conversation_comes_back(conversation):
    """Whatever contents hold, they come back as they were behind a user, before a model's word."""
    conversation = [user("Hi"), *conversation, model("The end.")]
    assert there_and_back(conversation) == conversation


@settings(max_examples=200, deadline=None)
@given(contents)
def test_any_content_comes_back(content):
    """Whatever a content holds, it comes back alone."""
    assert there_and_back([content]) == [content]


def edited(items):
    """Return items with other texts, arguments and outputs in place of their own."""
    changed = []
    for item in items:
        item = dict(item)
        for key in ("content", "output"):
            if item.get(key):
                item[key] = "edited"
        if "arguments" in item:
            item["arguments"] = '{"edited": true}'
        if "summary" in item:
            item["summary"] = [{"type": "summary_text", "text": "edited"}]
        changed.append(item)
    return changed


def says(items):
    """Return what items say, without the ids that stand for none."""
    return [
        {key: item[key] for key in item if key not in ("type", "call_id", "provider_data")}
        for item in items
        if item.get("content") != ""
    ]


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_edit_wins(content):
    """After an edit of the items the content says what they say, and no hidden data is left."""
    items = edited(stored(genai.to_items(content)))
    assert says(genai.to_items(genai.from_items(items))) == says(items)
    if any(item.get(key) for item in items for key in ("content", "output", "arguments")):
        assert all("data" not in data["genai"] for data in hidden(settled(items)))


def test_responses_stand_behind_their_calls():
    """What a user said between a call and its response is said behind it."""
    asked = [user("?"), model(call()), user("Well?"), user(response()), model("Six.")]
    assert there_and_back(asked) == [asked[0], asked[1], asked[3], asked[2], asked[4]]


def test_signature_goes_back_to_its_part():
    """A signature stays with the call or text that it came with."""
    signed = CONTENTS["signed call"]
    back = there_and_back([user("?"), signed, user(response(), response())])
    assert [part.thought_signature for part in back[1].parts] == [b"\x00" * 40, None]


# Calls without ids


def test_calls_without_ids_get_ids_in_the_items():
    """Calls of one name are paired with their responses by order, and have ids of their own."""
    asked = [user("?"), model(call(a=1), call(a=1), call("wind"))]
    told = [user(*(response(name, response={"n": n}) for n, name in enumerate(["tide", "tide"])))]
    items = genai.to_items([*asked, *told, model("Six.")])
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert len(set(calls)) == 3
    assert outputs == calls[:2]
    assert all(calls)


def test_calls_are_paired_over_conversions():
    """A response that comes by another conversion than its call finds it by name and order."""
    items = genai.to_items([user("?"), model(call(a=1), call("wind"), call(a=2))])
    items += genai.to_items(
        user(response("wind"), response(response={"n": 1}), response(response={"n": 2}))
    )
    ids = {item["call_id"]: item["arguments"] for item in items if "arguments" in item}
    told = [(ids[item["call_id"]], item["output"]) for item in items if "output" in item]
    assert told == [("{}", ""), ('{"a": 1}', '{"n": 1}'), ('{"a": 2}', '{"n": 2}')]
    assert genai.from_items(items)[2].parts[1].function_response.id is None


def test_ids_stay_away_after_an_edit():
    """A call whose arguments were edited still has no id for Gemini, and keeps its response."""
    items = genai.to_items([user("?"), model(call(a=1)), user(response(response={"n": 1}))])
    items[1]["arguments"] = '{"a": 2}'
    back = genai.from_items(stored(items))
    assert back[1].parts == [call(a=2)]
    assert back[2].parts[0].function_response.id is None
    assert back[2].parts[0].function_response.name == "tide"


# Responses of functions


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ({"result": "06:12"}, "06:12"),
        ({"result": ""}, ""),
        ({"result": 5}, '{"result": 5}'),
        ({"at": "06:12", "é": None}, '{"at": "06:12", "é": null}'),
        ({"result": '{"at": 1}'}, '{"result": "{\\"at\\": 1}"}'),
        ({"result": '{"at":1}'}, '{"at":1}'),
        ({}, "{}"),
        (None, ""),
    ],
)
def test_responses_are_outputs(given, output):
    """A text stays a text, and any other object is its JSON."""
    assert genai.to_items(user(response(response=given)))[0]["output"] == output


@given(st.text(max_size=5) | values.map(json.dumps))
def test_outputs_are_responses(output):
    """An output of any other dialect comes back to the letter."""
    items = [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": output},
    ]
    assert seen(genai.to_items(genai.from_items(items))) == items


# What other dialects are shown


@pytest.mark.parametrize("adapter", [chat, plain, openai_agents])
def test_thoughts_are_gemini_s_alone(adapter):
    """Readers of other dialects see no thoughts."""
    items = stored(genai.to_items([user("?"), model(thought("Deep secret."), "Six.")]))
    assert "Deep secret" not in json.dumps(adapter.from_items(items))
    assert [one.get("type") for one in items] == [None, "reasoning", None]


@pytest.mark.parametrize("adapter", [chat, plain])
def test_pictures_by_the_model_are_named(adapter):
    """A picture that the model made is named in text, as an assistant can show none elsewhere."""
    items = genai.to_items([user("Draw."), CONTENTS["picture by the model"]])
    (_, said) = adapter.from_items(items)
    assert "[image]" in json.dumps(said)
    assert "input_image" not in json.dumps(said)
    assert "input_text" not in json.dumps(said)


# What items of other dialects become


def test_foreign_reasoning_is_left_out():
    """Reasoning of other models is not shown, as text neither."""
    items = [
        {"role": "user", "content": "?"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Deep secret."}],
        },
        {"role": "assistant", "content": "Six."},
    ]
    assert "Deep secret" not in repr(genai.from_items(items))


@pytest.mark.parametrize(
    ("item", "args"),
    [
        ({"type": "function_call", "arguments": "not JSON"}, {"arguments": "not JSON"}),
        ({"type": "function_call", "arguments": "[1]"}, {"arguments": "[1]"}),
        ({"type": "function_call", "arguments": ""}, {}),
        ({"type": "custom_tool_call", "input": "x = 1"}, {"input": "x = 1"}),
    ],
)
def test_arguments_are_an_object(item, args):
    """Arguments that are no object are put into one."""
    (content,) = genai.from_items([item | {"call_id": "c", "name": "f"}])
    assert content.parts[0].function_call.args == args


def test_media_of_other_dialects():
    """Pictures, sounds and files become media; what Gemini could not find is named in text."""
    data = "data:image/png;base64,AA=="
    content = [
        {"type": "input_image", "image_url": data, "detail": "high"},
        {"type": "input_image", "image_url": "https://a.example/b.webp?x=1"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AA==", "filename": "a"},
        {"type": "input_file", "file_url": "https://a.example/b"},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "input_text", "text": " "},
    ]
    (said,) = genai.from_items([{"role": "user", "content": content}])
    found = [part.inline_data or part.file_data or part.text for part in said.parts]
    assert found == [
        types.Blob(data=b"\0", mime_type="image/png"),
        types.FileData(file_uri="https://a.example/b.webp?x=1", mime_type="image/webp"),
        "[image: file_1]",
        types.Blob(data=b"\0", mime_type="application/pdf"),
        types.FileData(file_uri="https://a.example/b", mime_type="application/octet-stream"),
        types.Blob(data=b"\0", mime_type="audio/wav"),
    ]


def test_pictures_in_outputs():
    """A picture that a tool gave is a part of its response, or named if its data is elsewhere."""
    output = [
        {"type": "input_text", "text": "A chart"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
        {"type": "input_image", "image_url": "https://a.example/b.png"},
    ]
    called = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items = [called, {"type": "function_call_output", "call_id": "c", "output": output}]
    told = genai.from_items(items)[-1].parts[0].function_response
    assert told.response == {"result": "A chart[image: https://a.example/b.png]"}
    assert [part.inline_data.data for part in told.parts] == [b"\0"]


def test_instructions_are_shown_and_known():
    """Instructions are in the user's role, tell themselves by their class, and come back."""
    items = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "?"},
        {"role": "developer", "content": [{"type": "input_text", "text": "In French."}]},
        {"role": "user", "content": "!"},
    ]
    back = genai.from_items(items)
    assert [content.role for content in back] == ["user"] * 4
    told = [content.parts[0].text for content in back if isinstance(content, genai.SystemContent)]
    assert told == ["Be kind.", "In French."]
    assert [item["role"] for item in genai.to_items(back)] == ["system", "user", "system", "user"]


def test_a_request_begins_with_a_user():
    """What was cut off in front of the model's words is stood for; that is not stored."""
    items = [assistant("Six."), {"role": "user", "content": "?"}]
    back = genai.from_items(items)
    assert [content.role for content in back] == ["user", "model", "user"]
    assert seen(genai.to_items(back)) == items


def test_nothing_blank_is_sent():
    """A request has no blank text and no content without parts, whoever wrote it."""
    native = [user("?"), model(" ", "Six."), model(""), CONTENTS["no parts"], user("!")]
    items = [*stored(genai.to_items(native)), assistant("\n"), {"role": "user", "content": "?"}]
    back = genai.from_items(items)
    assert back == [user("?"), model("Six."), user("!"), user("?")]
    signed = CONTENTS["signature alone"]
    assert there_and_back([user("?"), signed, user("!")])[1] == signed


def test_ids_are_of_one_call_in_a_request():
    """Ids that a model began anew are unique in a request, and shared by call and response."""
    contents = [*CONVERSATIONS["ids begin anew"], user("?")]
    back = there_and_back(contents)
    calls = [part.function_call.id for one in back for part in one.parts if part.function_call]
    told = [part.function_response for one in back for part in one.parts if part.function_response]
    assert len(set(calls)) == 4
    assert [one.id for one in told] == calls
    assert calls[:2] == ["id_0_0", "id_0_1"]


def test_picture_is_in_the_items():
    """A picture is visible as a data URL, once."""
    items = genai.to_items(CONTENTS["picture"])
    assert items[0]["content"][1]["image_url"].startswith("data:image/png;base64,")
    assert hidden(items) == []
    assert genai.from_items(items)[0].parts[1].inline_data.data == PICTURE
