"""Each step of the projection, for every reader that it is there for."""

import time
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import CALL, OUTPUT, REASONING

from memwrap.adapters import chat, langchain, openai_agents, plain
from memwrap.adapters.langchain import portable
from memwrap.adapters.langgraph import portable as graph_portable
from memwrap.adapters.projection import projected
from memwrap.adapters.targets import AGENTS, CHAT, PORTABLE, RESPONSES

USER = {"role": "user", "content": "u"}
SAID = {"role": "assistant", "content": "a"}
EACH = {"chat": CHAT, "plain": RESPONSES, "agents": AGENTS}
each_target = pytest.mark.parametrize("target", EACH.values(), ids=EACH)


def call(call_id, kind="function_call"):
    return CALL | {"type": kind, "call_id": call_id}


def output(call_id, kind="function_call_output"):
    return OUTPUT | {"type": kind, "call_id": call_id}


def steps_of_chat(messages):
    """Return calls and outputs of chat messages by their ids, others by their role."""
    for message in messages:
        if message["role"] == "tool":
            yield "output", message["tool_call_id"]
        else:
            yield from [(message["role"], None)] if message.get("content") else []
            yield from (("call", one["id"]) for one in message.get("tool_calls", ()))


def steps_of_items(items):
    for item in items:
        kind = item.get("type", "message")
        if "call_id" in item:
            yield "output" if kind.endswith("_output") else "call", item["call_id"]
        elif kind == "message":
            yield item["role"], None


def steps_of_langchain(messages):
    for message in messages:
        if message.type == "tool":
            yield "output", message.tool_call_id
        else:
            role = {"human": "user", "ai": "assistant"}[message.type]
            yield from [(role, None)] if message.content else []
            yield from (("call", one["id"]) for one in getattr(message, "tool_calls", ()))


READERS = {
    "chat": lambda items: steps_of_chat(chat.from_items(items)),
    "plain": lambda items: steps_of_items(plain.from_items(items)),
    "agents": lambda items: steps_of_items(openai_agents.from_items(items)),
    "langchain": lambda items: steps_of_langchain(portable.from_items(items)),
    "langgraph": lambda items: steps_of_langchain(graph_portable.from_items(items)["messages"]),
}
each_reader = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)


# Order


@each_target
@pytest.mark.parametrize(
    ("items", "ordered"),
    [
        # the assistant's text goes in front, the user's behind, whatever the id
        *(
            ([USER, call(c), SAID, USER, output(c)], [USER, SAID, call(c), output(c), USER])
            for c in ("a", "")
        ),
        # parallel calls, answered in another order and in parts
        (
            [call("a"), call("b"), output("b"), USER, output("a")],
            [call("a"), call("b"), output("b"), output("a"), USER],
        ),
        # custom calls, and a call that is answered twice under one id
        (
            [call("a", "custom_tool_call"), USER, output("a", "custom_tool_call_output")],
            [call("a", "custom_tool_call"), output("a", "custom_tool_call_output"), USER],
        ),
    ],
)
def test_outputs_stand_behind_their_calls(target, items, ordered):
    """Nothing comes between calls and their outputs, and nothing is lost."""
    shown = projected(items, target)
    bare = [{key: item[key] for key in item if key != "call_id"} for item in shown]
    assert bare == [{key: item[key] for key in item if key != "call_id"} for item in ordered]


@pytest.mark.parametrize("target", [RESPONSES, AGENTS])
def test_shell_outputs_have_the_id_elsewhere(target):
    """The output of a local shell names its call by its own id, as the API's types say."""
    shell = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c", "status": "completed"}
    shell |= {"action": {"type": "exec", "command": ["ls"], "env": {}}}
    done = {"type": "local_shell_call_output", "id": "c", "output": "x"}
    items = [USER, shell, USER, done]
    assert projected(items, target) == [USER, shell, done, USER]
    renamed = projected([call("c"), output("c"), *items], target)
    assert renamed[3]["call_id"] == renamed[4]["id"] != "c"


# Foreign items


FAKE = REASONING | {"id": "__fake_id__"}
OF_SDK = {"provider_data": {"model": "m"}}


@pytest.mark.parametrize(
    ("thought", "by_plain", "by_agents"),
    [
        (REASONING, True, True),
        (FAKE, False, True),
        (FAKE | OF_SDK, False, True),
        (REASONING | OF_SDK, False, True),
        (REASONING | {"provider_data": {"langchain": {}}}, False, False),
        (REASONING | {"provider_data": {"memwrap": {"turn": 1}}}, True, True),
        ({"type": "reasoning", "summary": []}, False, False),
        (REASONING | {"id": ""}, False, True),
    ],
)
def test_reasoning_of_others_is_left_out(thought, by_plain, by_agents):
    """The API gets its own reasoning only; the SDK sees to that of its other models itself."""
    items = [USER, thought, SAID]
    assert (len(projected(items, RESPONSES)) == 3) is by_plain
    assert (len(projected(items, AGENTS)) == 3) is by_agents
    assert projected(items, CHAT) == [USER, SAID]


def test_ids_that_no_api_gave():
    """An id that the Agents SDK made up is not sent to the API by others."""
    items = [USER, CALL | {"id": "__fake_id__"}, OUTPUT]
    assert projected(items, RESPONSES) == [USER, CALL, OUTPUT]


def test_each_id_of_the_api_is_sent_once():
    """The API refuses an item with an id that it has seen in the same request."""
    message = {"type": "message", "id": "msg_1"} | SAID
    screen = {"type": "computer_call", "id": "cu_1", "call_id": "x", "status": "completed"}
    shown = {"type": "computer_call_output", "call_id": "x", "output": {}}
    once = [message, screen, shown, CALL | {"id": "fc_1"}, OUTPUT]
    bare = {"type": "message"} | SAID
    sent = projected([*once, *once], RESPONSES)
    assert sent[:6] == [*once, bare]
    assert [item["type"] for item in sent[6:]] == ["function_call", "function_call_output"]
    assert "id" not in sent[6]


@pytest.mark.parametrize("kind", ["output_text", "refusal"])
def test_the_sdk_reads_what_the_assistant_said(kind):
    """The Agents SDK takes parts of an assistant only in a message with an id."""
    key = "text" if kind == "output_text" else kind
    item = {"role": "assistant", "content": [{"type": kind, key: "x"}]}
    (sent,) = projected([item], AGENTS)
    assert (sent["id"], sent["content"]) == ("__fake_id__", item["content"])
    assert projected([item], RESPONSES) == [item]


# Media


@each_target
def test_content_without_parts(target):
    """Chat Completions refuses an empty list of parts, so that it becomes an empty text."""
    (shown,) = projected([{"role": "user", "content": []}], target)
    assert shown["content"] == ("" if target is CHAT else [])


PART = {"type": "input_file", "filename": "a.pdf", "file_id": "file_1"}


def test_portable_content_is_named():
    """What another provider cannot be shown is named in text, and comes back as it was."""
    parts = [PART, {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]
    items = [{"role": "user", "content": parts}]
    (message,) = langchain.from_items(items, style="portable")
    texts = ["[file: a.pdf]", "[audio]"]
    assert message.content == [{"type": "text", "text": text} for text in texts]
    assert langchain.to_items([message]) == items


def test_portable_readers_get_what_all_take():
    """Instructions come first, a user begins, and what says nothing is left out."""
    late = {"role": "system", "content": "late"}
    screen = {"type": "computer_call", "id": "cu_1", "call_id": "x", "status": "completed"}
    shown = {"type": "computer_call_output", "call_id": "x", "output": {}}
    blank = [{"role": "user", "content": " "}, {"role": "assistant", "content": ""}]
    messages = portable.from_items([SAID, screen, shown, *blank, late, USER])
    assert [m.type for m in messages] == ["system", "human", "ai", "human"]
    assert messages[1].content.strip()
    assert graph_portable.from_items([late, USER, SAID])["messages"][0].type == "system"


# Dumps


@pytest.mark.parametrize(
    ("item", "taken"),
    [
        ({"type": "reasoning", "id": "r", "status": None}, {"type": "reasoning", "id": "r"}),
        (CALL | {"async_": True, "caller": None}, CALL | {"async": True}),
        # deep inside, but for what is somebody's own
        (
            {"type": "web_search_call", "action": {"type": "search", "query": "q", "url": None}},
            {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
        ),
        (
            {"type": "mcp_list_tools", "tools": [{"a": None, "input_schema": {"default": None}}]},
            {"type": "mcp_list_tools", "tools": [{"input_schema": {"default": None}}]},
        ),
        (
            SAID | {"content": [{"type": "output_text", "text": "x", "parsed": {}, "b": None}]},
            SAID | {"content": [{"type": "output_text", "text": "x"}]},
        ),
        # what the API wants although it is null, also if the dump has it not
        (
            {"type": "code_interpreter_call"},
            {"type": "code_interpreter_call", "code": None, "outputs": None},
        ),
        ({"type": "image_generation_call", "result": None},) * 2,
        (
            {"type": "computer_call", "action": {"type": "double_click", "keys": None, "b": None}},
            {"type": "computer_call", "action": {"type": "double_click", "keys": None}},
        ),
        # what only answers have
        (
            {"type": "shell_call", "created_by": "u"},
            {"type": "shell_call"},
        ),
        (
            {"type": "custom_tool_call_output", "call_id": "c", "output": "x", "status": "done"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
        ),
        # items of somebody's own
        ({"type": "my_event", "key_": None},) * 2,
    ],
)
def test_dumps_become_what_the_api_takes(item, taken):
    """A dump loses what the API never said, and keeps the rest in its order."""
    before = deepcopy(item)
    (shown,) = projected([item], RESPONSES)
    assert (shown, list(shown)) == (taken, list(taken))
    assert item == before


# Ids


IDS = ["a", "", "bad id!", "bad:id:", "ä", "x" * 40, "x" * 41, "x" * 65, "functions.f:0"]


@each_reader
@given(data=st.data())
def test_ids_fit_and_are_unique(reader, data):
    """Each call has an id of its own that the reader takes, and its output has the same."""
    turns = data.draw(st.lists(st.lists(st.sampled_from(IDS), min_size=1, max_size=3), max_size=4))
    items = [USER]
    for ids in turns:
        items += [*map(call, ids), *map(output, data.draw(st.permutations(ids)))]
    steps = list(reader(items))
    calls = [call_id for kind, call_id in steps if kind == "call"]
    assert sorted(calls) == sorted(call_id for kind, call_id in steps if kind == "output")
    assert len(set(calls)) == len(calls) == sum(map(len, turns))
    length = 64 if reader is READERS["plain"] else 40
    assert all(one and one.isascii() and len(one) <= length for one in calls)
    assert all(one.replace("-", "_").replace("_", "a").isalnum() for one in calls)
    # a later turn changes no id of those before
    assert list(reader([*items, call("a"), output("a")]))[: len(steps)] == steps


@given(st.lists(st.sampled_from(IDS), max_size=6))
def test_portable_messages_remember_the_ids(ids):
    """Messages with other ids become the items that they were made of, with none of the notes."""
    items = [one for call_id in ids for one in (call(call_id), output(call_id))]
    messages = langchain.from_items(items, style="portable")
    assert langchain.to_items(messages) == items
    for number, message in enumerate(messages):
        message.id = f"run-{number}"  # as a graph does
    again = langchain.to_items(messages)
    assert [{key: one[key] for key in one if key != "provider_data"} for one in again] == items
    assert all("memwrap" not in one.get("provider_data", {}) for one in again)


def test_notes_of_strangers_rename_no_call():
    """Only the projection says under which id a call is shown."""
    note = {"provider_data": {"memwrap": {"shown_as": "other"}}}
    ai, tool = langchain.from_items([CALL | note, OUTPUT | note], style="portable")
    assert ai.tool_calls[0]["id"] == tool.tool_call_id == "c"


@pytest.mark.parametrize("target", [CHAT, RESPONSES, PORTABLE])
def test_equal_ids_take_linear_time(target):
    """Ten thousand calls with one id and the same arguments are renamed in a moment."""
    items = [one for _ in range(10_000) for one in (call("c"), output("c"))]
    begun = time.perf_counter()
    shown = projected(items, target)
    assert time.perf_counter() - begun < 5
    assert len({item["call_id"] for item in shown}) == 10_000


@pytest.mark.parametrize("target", [CHAT, RESPONSES])
@pytest.mark.parametrize("call_id", ["", "call_1"])
def test_calls_of_one_id_keep_their_outputs(target, call_id):
    """Calls to which a server gave one id are shown with ids and outputs of their own."""
    calls = [
        {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"}
        for name in ("first", "second")
    ]
    outputs = [
        {"type": "function_call_output", "call_id": call_id, "output": text}
        for text in ("of first", "of second")
    ]
    shown = projected([*calls, *outputs], target)
    by_id = {item["call_id"]: item["name"] for item in shown[:2]}
    assert len(by_id) == 2
    assert [(by_id[item["call_id"]], item["output"]) for item in shown[2:]] == [
        ("first", "of first"),
        ("second", "of second"),
    ]
