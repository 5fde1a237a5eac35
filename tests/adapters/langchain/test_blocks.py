"""The blocks of messages and the items they are, line by line of the adapter's table."""

import pytest
from corpus.exactness import seen
from corpus.langchain_blocks import ANNOTATIONS, DOT64, DOT_URL, SAID, WEB
from corpus.langchain_hosted import DOT_URL as SCREEN
from corpus.langchain_hosted import HOSTED
from corpus.langchain_items import ITEMS
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from memwrap.adapters.langchain import from_items, to_items

ASK = {"type": "text", "text": "Go on."}
ASKED = [{"type": "input_text", "text": "Go on."}]


def items_of(message):
    return seen(to_items([message]))


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("kind", "message", "role"),
    [
        ("mcp_approval_response", HumanMessage, "user"),
        ("tool_search_output", HumanMessage, "user"),
        ("apply_patch_call_output", HumanMessage, "user"),
        ("additional_tools", SystemMessage, "system"),
        ("configuration_update", SystemMessage, "system"),
    ],
)
def test_items_beside_a_text(kind, message, role, wrapped):
    """What the caller gives beside a text is an item of its own before it."""
    block = {"type": "non_standard", "value": HOSTED[kind]} if wrapped else HOSTED[kind]
    assert items_of(message([ASK, block])) == [HOSTED[kind], {"role": role, "content": ASKED}]
    assert items_of(message([block])) == [HOSTED[kind]]


def test_blocks_that_are_no_items():
    """Another provider's block, or half an item, beside a text is no item."""
    for block in (
        {"type": "non_standard", "value": {"type": "cachePoint"}},
        {"type": "mcp_approval_response", "approve": True},
        HOSTED["additional_tools"],
    ):
        assert items_of(HumanMessage([ASK, block])) == [{"role": "user", "content": ASKED}]
    said = {"role": "assistant", "content": "Go on."}
    for block in (
        {"type": "web_search_call", "id": "ws_1"},
        {"type": "reasoning", "id": "rs_1"},
        {"type": "reasoning", "id": "rs_1", "summary": ["text"]},
        {"type": "non_standard", "value": "text"},
    ):
        assert items_of(AIMessage([block, ASK])) == [said]


@pytest.mark.parametrize(
    ("kind", "nulls"),
    [
        ("code_interpreter_call", {"code": None, "outputs": None}),
        ("image_generation_call", {"result": None}),
    ],
)
def test_nulls_that_langchain_leaves_out(kind, nulls):
    """What is null and must be there all the same is there in the item of a hosted tool."""
    block = {key: value for key, value in HOSTED[kind].items() if key not in nulls}
    assert items_of(AIMessage([block])) == [block | nulls]


def test_indexes_are_left_out():
    """LangChain's indexes, in a block or a summary, are not in its item."""
    part = {"type": "summary_text", "text": "Moon."}
    block = {"type": "reasoning", "id": "rs_1", "index": 0, "summary": [part | {"index": 0}]}
    item = {"type": "reasoning", "id": "rs_1", "summary": [part]}
    assert items_of(AIMessage([block, ASK]))[0] == item


@pytest.mark.parametrize("name", ["url", "file", "file renamed", "container", "path"])
def test_annotations_the_api_knows(name):
    """The API's annotations are in the item, an index under its own name; and back."""
    (item,) = items_of(AIMessage([SAID | {"annotations": [ANNOTATIONS[name]]}]))
    expected = ANNOTATIONS["file" if name == "file renamed" else name]
    assert item["content"][0]["annotations"] == [expected]
    renamed = ANNOTATIONS["file renamed" if name == "file" else name]
    assert from_items([item])[0].content[0]["annotations"] == [renamed]


@pytest.mark.parametrize("name", ["v1 citation", "v1 other", "extra key"])
def test_annotations_the_api_does_not_know(name):
    """Annotations that the API would refuse are not in the item."""
    (item,) = items_of(AIMessage([SAID | {"annotations": [ANNOTATIONS[name]]}]))
    assert item["content"][0]["annotations"] == []


def test_phases():
    """The phase of a text is its item's, with an id or without, and back."""
    for block in (SAID, ASK):
        message = AIMessage([block | {"phase": "commentary"}])
        (item,) = items_of(message)
        assert item["phase"] == "commentary"
        assert from_items([item])[0].content[0]["phase"] == "commentary"
    assert "phase" not in items_of(AIMessage([SAID | {"phase": "moon"}]))[0]


def test_refusals():
    """A refusal with an item's id is that item; without one it is what the assistant said."""
    refusal = {"type": "refusal", "refusal": "No."}
    (item,) = items_of(AIMessage([refusal | {"id": "msg_1"}]))
    assert item["content"] == [refusal]
    assert items_of(AIMessage([refusal])) == [{"role": "assistant", "content": "No."}]


def test_ids_of_calls_without_one():
    """Calls without an id get one that no call beside them has."""
    calls = [{"name": "f", "args": {}, "id": call_id} for call_id in (None, "call_0", None)]
    made = items_of(AIMessage("", tool_calls=calls))
    assert [item["call_id"] for item in made] == ["call_0_", "call_0", "call_2"]


def test_custom_calls():
    """A custom tool's call keeps its kind, and says what the message's call says."""
    block = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "n", "input": "a"}
    call = {"name": "n", "args": {"__arg1": "b"}, "id": "c", "type": "tool_call"}
    assert items_of(AIMessage([block | {"index": 0}], tool_calls=[call])) == [
        block | {"input": "b"}
    ]
    (message,) = from_items([block])
    assert message.content == [block]
    assert message.tool_calls == [call | {"args": {"__arg1": "a"}}]


@pytest.mark.parametrize(
    "message",
    [
        ToolMessage("up", tool_call_id="c", additional_kwargs={"type": "custom_tool_call_output"}),
        ToolMessage([{"type": "custom_tool_call_output", "output": "up"}], tool_call_id="c"),
    ],
)
def test_outputs_of_custom_tools(message):
    """A tool message that is marked as a custom tool's is its output."""
    item = {"type": "custom_tool_call_output", "call_id": "c", "output": "up"}
    assert items_of(message) == [item]


@pytest.mark.parametrize("content", [SCREEN, [{"type": "input_image", "image_url": SCREEN}]])
def test_outputs_of_computers(content):
    """A tool message that is marked as a computer's is its screen, with the checks passed."""
    checks = [{"id": "sc_1", "code": "odd", "message": None}]
    marker = {"type": "computer_call_output", "acknowledged_safety_checks": checks}
    message = ToolMessage(content, tool_call_id="c", additional_kwargs=marker)
    screen = {"type": "computer_screenshot", "image_url": SCREEN}
    item = {"type": "computer_call_output", "call_id": "c", "output": screen}
    assert items_of(message) == [item | {"acknowledged_safety_checks": checks}]


@pytest.mark.parametrize("kind", ["computer_call_output", "custom_tool_call_output"])
def test_outputs_that_langchain_has_no_message_for(kind):
    """Outputs of computers and custom tools are tool messages, as LangChain's models take them."""
    item = HOSTED[kind]
    wrapped = {"type": "non_standard", "value": item}
    assert from_items([item])[0].content == [wrapped]
    assert from_items([item])[0].tool_call_id == item["call_id"]
    (portable,) = from_items([item], style="portable")
    dot = {"type": "image", "base64": SCREEN.partition(",")[2], "mime_type": "image/png"}
    assert portable.content == ("hoisted" if kind.startswith("custom") else [dot])


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"image_url": DOT_URL, "detail": "auto"}, {"base64": DOT64, "mime_type": "image/png"}),
        ({"image_url": WEB}, {"url": WEB}),
        ({"image_url": "data:x", "detail": "auto"}, {"url": "data:x"}),
    ],
)
def test_images_in_items(part, block):
    """An image is a block that all providers' models take: of data, or of a URL."""
    part = {"type": "input_image"} | part
    (message,) = from_items([{"role": "user", "content": [part]}])
    assert message.content == [{"type": "image"} | block]


def test_images_that_only_openai_has():
    """A detail, and the id of a file, are left to OpenAI: in its own blocks, or named in text."""
    low = {"type": "input_image", "image_url": WEB, "detail": "low"}
    uploaded = {"type": "input_image", "file_id": "file-1", "detail": "auto"}
    items = [{"role": "user", "content": [low, uploaded]}]
    url = {"type": "image_url", "image_url": {"url": WEB, "detail": "low"}}
    (message,) = from_items(items)
    assert message.content == [url, {"type": "non_standard", "value": uploaded}]
    (portable,) = from_items(items, style="portable")
    assert portable.content == [url, {"type": "text", "text": "[image: file-1]"}]


def test_fake_ids_are_not_shown():
    """An id that the Agents SDK made up is not shown to a model, nor reasoning that has one."""
    items = [ITEMS["thought fake"], ITEMS["call fake"], ITEMS["fake id"]]
    assert "__fake_id__" not in str([message.content for message in from_items(items)])
    assert to_items(from_items(items)) == items


def test_reasoning_stays_before_its_call():
    """Text behind a call is a message of its own where reasoning would be parted from the call."""
    thought, call = ITEMS["thought"], ITEMS["call compact"]
    messages = from_items([thought, call, thought, call, ITEMS["said"]])
    assert [len(message.tool_calls) for message in messages] == [1, 1, 0]
    assert [len(message.content) for message in messages] == [1, 1, 1]
    (portable,) = from_items([thought, call, thought, call, ITEMS["said"]], style="portable")
    assert (portable.content, len(portable.tool_calls)) == ("Six.", 2)
    assert len(from_items([call, ITEMS["said"]])) == 1


def test_tools_searched_by_the_api():
    """What the API found itself belongs to its answer; what the caller found is given to it."""
    call, found = HOSTED["tool_search_call"], HOSTED["tool_search_output"]
    (message,) = from_items([call, found, ITEMS["said"]])
    assert message.content[:2] == [call, found]
    given = from_items([call, found | {"execution": "client"}, ITEMS["said"]])
    assert [message.type for message in given] == ["ai", "human", "ai"]


def test_instructions_are_system_messages():
    """Items that change tools or settings are system messages, where LangChain looks for them."""
    for kind in ("additional_tools", "configuration_update"):
        (message,) = from_items([HOSTED[kind]])
        assert (type(message), message.content[0]["value"]) == (SystemMessage, HOSTED[kind])


def test_portable_messages_are_text_and_calls():
    """What no other provider takes leaves no message behind, and comes back all the same."""
    items = [ITEMS["plain user"], *(HOSTED[kind] for kind in HOSTED if "_output" not in kind)]
    items += [ITEMS["reference"], ITEMS["unknown"], ITEMS["said"], ITEMS["plain user"]]
    messages = from_items(items, style="portable")
    assert [message.content for message in messages] == ["Ahoy.", "Six.", "Ahoy."]
    assert to_items(messages) == items
