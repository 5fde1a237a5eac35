"""What one dialect wrote, every other sends in a form that its API takes."""

import random

import pytest
from agents import set_tracing_disabled
from corpus.genai import CONTENTS, CONVERSATIONS
from corpus.readers import MESSAGE, PART, agents_chat_reader, claude, each_reader
from corpus.wire import (
    refused_by_anthropic,
    refused_by_chat,
    refused_by_gemini,
    refused_by_responses,
)
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
)
from support import CALL, OUTPUT, REASONING

from memwrap import InMemoryStore, with_session
from memwrap.adapters import chat, genai, pydantic_ai
from memwrap.adapters.langchain import portable
from memwrap.middleware import Trim

set_tracing_disabled(True)

PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"}


# Who wrote the history


def chat_call(call_id, **extra):
    function = {"name": "f", "arguments": "{}"}
    return {"id": call_id, "type": "function", "function": function} | extra


CHAT = [
    {"role": "assistant", "content": "Hm", "tool_calls": [chat_call("a"), chat_call("b" * 50)]},
    {"role": "tool", "tool_call_id": "b" * 50, "content": "2"},
    {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "1"}]},
    {"role": "assistant", "content": None, "refusal": "No."},
]
PLAIN = [
    REASONING | {"id": "rs_1"},
    CALL,
    {"type": "custom_tool_call", "call_id": "functions.g:0", "name": "g", "input": "x"},
    {"role": "assistant", "content": "Looking."},
    {"type": "custom_tool_call_output", "call_id": "functions.g:0", "output": [PICTURE]},
    OUTPUT,
    {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    | {"action": {"type": "search", "query": "q"}},
    MESSAGE | {"id": "msg_0", "content": [PART | {"logprobs": None}]},
    REASONING | {"id": "rs_2"},
]
LANGCHAIN = [
    AIMessage(
        [
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
            {"type": "text", "text": "Looking."},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
        ],
        tool_calls=[{"name": "f", "args": {}, "id": "toolu_1"}],
    ),
    ToolMessage([{"type": "image", "url": "https://a/b"}], tool_call_id="toolu_1"),
    AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "functions.f:0"}]),
    ToolMessage("x", tool_call_id="functions.f:0"),
    AIMessage(" "),
]
AGENTS = [
    REASONING | {"id": "__fake_id__", "provider_data": {"model": "deepseek"}},
    CALL | {"id": "__fake_id__", "call_id": ""},
    OUTPUT | {"call_id": ""},
    MESSAGE | {"id": "__fake_id__"},
]
PROMPTED = [
    ModelResponse(
        [
            ThinkingPart("Hm", signature="s", provider_name="anthropic"),
            ThinkingPart("Hm", id="rs_7", signature="s", provider_name="openai"),
            TextPart(""),
            ToolCallPart("f", '{"x": ', "functions.f:0"),
            ToolCallPart("f", None, "functions.f:0"),
        ]
    ),
    ModelRequest(
        [
            ToolReturnPart("f", {"a": None}, "functions.f:0"),
            ToolReturnPart("f", "No.", "functions.f:0", outcome="failed"),
        ]
    ),
    ModelResponse([ToolCallPart("final_result", {"city": "Kiel"}, "c9")]),
    ModelRequest([ToolReturnPart("final_result", "Final result processed.", "c9")]),
]
HOSTED = [
    {"type": "computer_call", "id": "cu_1", "call_id": "cu", "status": "completed"}
    | {"pending_safety_checks": [], "action": {"type": "screenshot"}},
    {"type": "computer_call_output", "call_id": "cu"}
    | {"output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA=="}},
    {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "c"},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
]


GEMINI = [
    CONTENTS["thoughts, call"],
    CONTENTS["response object"],
    CONTENTS["signature alone"],
    CONTENTS["picture by the model"],
    CONTENTS["code"],
    CONTENTS["empty"],
    CONTENTS["no parts"],
    *CONVERSATIONS["ids begin anew"][1:],
    CONTENTS["parallel calls"],
]


def writers(store):
    @with_session(store=store, adapter=chat)
    async def of_chat(messages):
        return CHAT

    @with_session(store=store)
    async def of_plain(items):
        return PLAIN

    @with_session(store=store)
    async def of_agents(items):
        return AGENTS

    @with_session(store=store)
    async def of_hosted(items):
        return HOSTED

    @with_session(store=store, adapter=genai)
    async def of_gemini(contents):
        return GEMINI

    of_langchain = with_session(RunnableLambda(lambda messages: LANGCHAIN), store=store)

    @with_session(store=store, adapter=pydantic_ai)
    async def of_prompted(messages):
        return PROMPTED

    own = [of_chat, of_plain, of_langchain.ainvoke, of_agents]
    return [*own, of_hosted, of_prompted, of_gemini]


QUESTIONS = [
    [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "?"}],
    [{"role": "user", "content": "?"}],
    [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [PICTURE]}],
]


@each_reader
@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_refused(reader, seed, api):
    """Turns of all dialects, in any order and cut anywhere, go on with each client."""
    chance = random.Random(seed)
    store = InMemoryStore()
    layers = [[], [Trim(max_items=chance.randrange(9))], [Trim(max_turns=2)]][seed % 3]
    agent, refused = reader(api, store=store, middleware=layers)
    for write in chance.choices(writers(store), k=9):
        await write(chance.choice(QUESTIONS), session="s")
        if chance.random() < 0.2:
            added = {"role": "system", "content": "From now on in French."}
            await store.session("s").add_items([added])
        await agent([{"role": "user", "content": "Next?"}], session="s")
        assert refused() == []


INSTRUCTED = {
    "changing": [["A1"], ["A2"], ["A3"]],
    "several": [["A1", "B1"], ["A2", "B2"]],
    "begun without": [[], ["A"], []],
    "added": [["A"], "added", ["A"], ["B"]],
    "only added": [[], "added", [], []],
    "added before": ["added", ["A"], ["B"]],
}


@pytest.mark.parametrize("limit", [None, Trim(max_turns=1), Trim(max_items=4)])
@pytest.mark.parametrize("steps", INSTRUCTED.values(), ids=INSTRUCTED)
@pytest.mark.parametrize("adapter", [None, portable])
async def test_instructions_reach_anthropic(steps, adapter, limit):
    """The newest instructions, and those that were added, are the system's text in each request."""
    store = InMemoryStore()
    payloads = []
    model = claude()
    answer = lambda messages: (
        payloads.append(model._get_request_payload(messages)) or AIMessage("x")
    )
    layers = [limit] if limit else []
    agent = with_session(RunnableLambda(answer), adapter=adapter, store=store, middleware=layers)
    expected, added, kept = [], [], 0
    for step in steps:
        if step == "added":
            added = ["Added."]
            await store.session("s").add_items([{"role": "system", "content": "Added."}])
            kept += 1
            continue
        expected = step or expected
        kept += len(step)
        messages = [{"role": "system", "content": text} for text in step]
        await agent.ainvoke([*messages, {"role": "user", "content": "?"}], session="s")
        assert refused_by_anthropic(payloads[-1]) == []
        system = payloads[-1].get("system") or []
        texts = [system] if isinstance(system, str) else [block["text"] for block in system]
        assert sorted(texts) == sorted([*expected, *added])
    items = await store.session("s").get_items()
    assert sum(item["role"] == "system" for item in items) == kept


@each_reader
async def test_outputs_come_with_the_next_input(reader, api):
    """Calls that are answered by the next input, in another order, are sent with their outputs."""
    store = InMemoryStore()
    agent, refused = reader(api, store=store)
    calls = [CALL | {"call_id": name} for name in ("a", "b", "a")]
    await store.session("s").add_items([{"role": "user", "content": "?"}, *calls])
    await agent([OUTPUT | {"call_id": name} for name in ("b", "a", "a")], session="s")
    assert refused() == []


async def test_the_sdk_sends_what_chat_completions_takes(api):
    """The Agents SDK's other model gets items that it makes valid messages of."""
    store = InMemoryStore()
    agent, refused = agents_chat_reader(api, store=store)
    await store.session("s").add_items([{"role": "user", "content": "?"}, CALL, OUTPUT])
    await writers(store)[0](QUESTIONS[0], session="s")
    await agent("Next?", session="s")
    assert refused() == []


GEMINI_ASKED = {"role": "user", "parts": [{"text": "x"}]}
GEMINI_SAID = {"role": "model", "parts": [{"text": "x"}]}
GEMINI_CALLED = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
GEMINI_TOLD = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}


@pytest.mark.parametrize(
    ("refused", "request_body"),
    [
        (refused_by_chat, [{"role": "tool", "tool_call_id": "a", "content": "x"}]),
        (refused_by_chat, [{"role": "assistant", "content": None, "tool_calls": [chat_call("a")]}]),
        (refused_by_chat, [{"role": "user", "content": "x", "odd": 1}]),
        (refused_by_chat, [{"role": "user", "content": []}]),
        (refused_by_responses, [OUTPUT]),
        (refused_by_responses, [REASONING]),
        (refused_by_responses, [CALL | {"status": None}, OUTPUT]),
        (refused_by_responses, [CALL | {"provider_data": {}}, OUTPUT]),
        (refused_by_anthropic, {"messages": [{"role": "assistant", "content": "x"}]}),
        (refused_by_anthropic, {"messages": [{"role": "user", "content": " "}]}),
        (refused_by_anthropic, {"system": "", "messages": []}),
        (refused_by_gemini, []),
        (refused_by_gemini, [GEMINI_SAID]),
        (refused_by_gemini, [GEMINI_ASKED, GEMINI_SAID]),
        (refused_by_gemini, [GEMINI_ASKED | {"parts": []}]),
        (refused_by_gemini, [GEMINI_ASKED | {"parts": [{"text": " "}]}]),
        (refused_by_gemini, [GEMINI_ASKED | {"parts": [{"odd": "x"}]}]),
        (refused_by_gemini, [GEMINI_ASKED | {"role": "system"}]),
        (refused_by_gemini, [GEMINI_ASKED, GEMINI_CALLED, GEMINI_ASKED]),
        (refused_by_gemini, [GEMINI_ASKED, GEMINI_TOLD]),
    ],
)
def test_the_checks_are_strict(refused, request_body):
    """What an API refuses, the checks here refuse too."""
    assert refused(request_body)


def test_messages_of_the_checks():
    """What all take, the checks here take."""
    model = claude()
    asked = [SystemMessage("s"), HumanMessage("q"), *LANGCHAIN[:2], AIMessage("a")]
    payload = model._get_request_payload(portable.from_items(portable.to_items(asked)))
    assert refused_by_anthropic(payload) == []
    contents = [GEMINI_ASKED, GEMINI_CALLED, GEMINI_TOLD]
    assert refused_by_gemini(contents) == []
