"""LangChain messages of all kinds, made by code: `MESSAGES`, by name."""

import datetime as dt
import decimal
import uuid

from corpus.langchain_blocks import (
    ANNOTATIONS,
    DOT_URL,
    FILES,
    PICTURES,
    SAID,
    SERVER_TOOLS,
    TEXTS,
    THOUGHTS,
    UNSEEN,
    USAGE,
    WEB,
)
from corpus.langchain_hosted import HOSTED
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
)


def call(call_id="call_1", name="tide", **args):
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


def bad(call_id="call_1", name="tide", args='{"port": ', error="no JSON"):
    found = {"name": name, "args": args, "id": call_id, "error": error}
    return found | {"type": "invalid_tool_call"}


def raw(call_id, arguments, name="tide"):
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def fc(call_id, arguments, **more):
    found = {"type": "function_call", "call_id": call_id, "name": "tide", "arguments": arguments}
    return found | more


def given():
    yield from ((f"human {name}", HumanMessage(text)) for name, text in TEXTS.items())
    yield from ((f"system {name}", SystemMessage(text)) for name, text in TEXTS.items())
    for kind, blocks in (("picture", PICTURES), ("file", FILES), ("unseen", UNSEEN)):
        for name, block in blocks.items():
            yield f"{kind} {name}", HumanMessage([{"type": "text", "text": "Which?"}, block])
    every = [*PICTURES.values(), "A bare string.", *FILES.values(), *UNSEEN.values()]
    yield "all generations", HumanMessage(every, id="h-1")
    for name, block in (("bytes", PICTURES["bedrock bytes"]), ("odd", UNSEEN["cache point"])):
        yield f"only {name}", HumanMessage([block])
    yield "no blocks", HumanMessage([])
    yield "strings", HumanMessage(["One", "two"])
    yield "summary", HumanMessage("So far.", additional_kwargs={"lc_source": "summarization"})
    yield "named", HumanMessage("Hi", name="Ida", id="h-2", mood={"calm": 1.0})
    yield "numbered", HumanMessage("Hi", id=7)
    yield "approval", HumanMessage([HOSTED["mcp_approval_response"]])
    for kind in ("mcp_approval_response", "tool_search_output", "apply_patch_call_output"):
        content = [{"type": "text", "text": "Go on."}, HOSTED[kind]]
        yield f"human {kind}", HumanMessage(content)
        wrapped = {"type": "non_standard", "value": HOSTED[kind]}
        yield f"human wrapped {kind}", HumanMessage([wrapped])
    yield "developer", SystemMessage("Brief.", additional_kwargs={"__openai_role__": "developer"})
    yield "system blocks", SystemMessage([SAID, "Kind."], name="rules")
    cached = {"type": "text", "text": "Kind.", "cache_control": {"type": "ephemeral"}}
    yield "system cached", SystemMessage([cached])
    for kind in ("additional_tools", "configuration_update"):
        yield f"system {kind}", SystemMessage([HOSTED[kind]])
        yield (
            f"system text {kind}",
            SystemMessage([{"type": "text", "text": "More."}, HOSTED[kind]]),
        )


def spoken():
    yield from ((f"ai {name}", AIMessage(text)) for name, text in TEXTS.items())
    yield "ai no blocks", AIMessage([])
    yield "ai strings", AIMessage(["High ", "water."])
    yield "ai one block", AIMessage([{"type": "text", "text": "High."}])
    yield "ai item", AIMessage([SAID])
    yield "ai two parts", AIMessage([SAID, SAID | {"text": "Low at noon."}])
    yield "ai two items", AIMessage([SAID, SAID | {"id": "msg_2"}])
    yield "ai far parts", AIMessage([SAID, SAID | {"id": "msg_2"}, SAID | {"text": "Again."}])
    yield "ai phase", AIMessage([SAID | {"phase": "commentary"}])
    yield (
        "ai phase without id",
        AIMessage([{"type": "text", "text": "Hm.", "phase": "final_answer"}]),
    )
    for name, annotation in ANNOTATIONS.items():
        yield f"annotation {name}", AIMessage([SAID | {"annotations": [annotation]}])
    yield "all annotations", AIMessage([SAID | {"annotations": [*ANNOTATIONS.values()]}])
    yield (
        "anthropic citation",
        AIMessage(
            [
                {
                    "type": "text",
                    "text": "Six.",
                    "citations": [{"type": "char_location", "cited_text": "6"}],
                }
            ]
        ),
    )
    refusal = {"type": "refusal", "refusal": "Not in a storm."}
    yield "refusal", AIMessage([refusal])
    yield "refusal item", AIMessage([refusal | {"id": "msg_9"}])
    yield "refusal hidden", AIMessage("", additional_kwargs={"refusal": "Not in a storm."})
    for name, block in THOUGHTS.items():
        yield f"thought {name}", AIMessage([block, SAID])
    yield "only thoughts", AIMessage([*THOUGHTS.values()])
    yield "only one thought", AIMessage([THOUGHTS["responses"]], id="resp_1")
    for name, block in SERVER_TOOLS.items():
        yield f"server {name}", AIMessage([block, SAID])
    for name, item in HOSTED.items():
        if name in ("additional_tools", "configuration_update", "mcp_approval_response"):
            continue
        yield f"hosted {name}", AIMessage([item | {"index": 2}, SAID], id="resp_2")
    bare = {key: value for key, value in HOSTED["code_interpreter_call"].items() if value}
    yield "hosted without nulls", AIMessage([bare])
    yield (
        "about",
        AIMessage(
            "Six.",
            id="run--1",
            name="pilot",
            usage_metadata=USAGE,
            response_metadata={"model_name": "m", "logprobs": None, "finish_reason": "stop"},
            additional_kwargs={"audio": {"id": "a", "data": "UklG"}, "reasoning_content": "Moon."},
        ),
    )
    yield "told apart", AIMessage("x", additional_kwargs={"a": 1, "b": 1.0, "c": True, "d": None})
    yield (
        "extra fields",
        AIMessage("x", extra=None, other=[0, 0.0, False, ""], deep={"a": {"b": {}}}),
    )
    yield (
        "legacy call",
        AIMessage("", additional_kwargs={"function_call": raw(None, "{}")["function"]}),
    )


def calling():
    yield "one call", AIMessage("", tool_calls=[call(port="Kiel")])
    yield "call behind text", AIMessage("I look.", tool_calls=[call(port="Kiel")], id="resp_3")
    yield "parallel", AIMessage("", tool_calls=[call("a", port="Kiel"), call("b", port="Ærø")])
    yield "same id twice", AIMessage("", tool_calls=[call(port="Kiel"), call(port="Ærø")])
    yield "no id", AIMessage("", tool_calls=[call(None, port="Kiel"), call("call_0"), call(None)])
    yield "empty id", AIMessage("", tool_calls=[call("", port="Kiel")])
    yield "no arguments", AIMessage("", tool_calls=[call()])
    odd = {"i": 1, "f": 1.0, "b": True, "n": None, "big": 2**70, "nested": {"x": [1, 1.5, {}]}}
    yield "odd arguments", AIMessage("", tool_calls=[call(**odd)])
    yield "dollar arguments", AIMessage("", tool_calls=[call(**{"$": [0], "$args": 1})])
    yield "long name", AIMessage("", tool_calls=[call(name="n" * 90)])
    yield "bad call", AIMessage("", invalid_tool_calls=[bad()])
    yield "bad call without all", AIMessage("", invalid_tool_calls=[bad(None, None, None, None)])
    yield "good and bad", AIMessage("", tool_calls=[call("a")], invalid_tool_calls=[bad("b")])
    texts = ['{"port":"Kiel"}', '{ "port" : "Kiel" }', '{"port": "\\u004biel"}', '{"port": 1}']
    for number, text in enumerate(texts):
        kwargs = {"tool_calls": [raw("call_1", text)]}
        yield (
            f"raw {number}",
            AIMessage("", additional_kwargs=kwargs, tool_calls=[call(port="Kiel")]),
        )
    filled = AIMessage("", additional_kwargs={"tool_calls": [raw("call_1", '{"port":"Kiel"}')]})
    yield "filled from raw", filled
    yield "emptied", AIMessage.model_construct(**(vars(filled) | {"tool_calls": []}))
    block = fc("call_1", '{"port":"Kiel"}', id="fc_1", status="completed")
    yield "block", AIMessage([block], tool_calls=[call(port="Kiel")])
    yield "block before text", AIMessage([block, SAID], tool_calls=[call(port="Kiel")])
    yield "block edited", AIMessage([block], tool_calls=[call(port="Ærø")])
    yield "block alone", AIMessage([block, SAID])
    thought = THOUGHTS["responses"]
    second = block | {"call_id": "call_2"}
    yield (
        "thoughts between calls",
        AIMessage(
            [thought, block, thought | {"id": "rs_9"}, second, SAID],
            tool_calls=[call(port="Kiel"), call("call_2", port="Kiel")],
            id="resp_4",
        ),
    )
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "signal"}
    custom |= {"input": "three flags", "index": 0}
    yield "custom", AIMessage([custom], tool_calls=[call(name="signal", __arg1="three flags")])
    yield "custom edited", AIMessage([custom], tool_calls=[call(name="signal", __arg1="two")])
    use = {"type": "tool_use", "id": "toolu_1", "name": "tide", "input": {"port": "Kiel"}}
    yield (
        "anthropic",
        AIMessage(
            [THOUGHTS["anthropic"], {"type": "text", "text": "I look."}, use],
            tool_calls=[call("toolu_1", port="Kiel")],
            id="lc_run--3",
            usage_metadata=USAGE,
            response_metadata={"model_provider": "anthropic", "stop_reason": "tool_use"},
        ),
    )
    v1 = {"type": "tool_call", "id": "call_1", "name": "tide", "args": {"port": "Kiel"}}
    v1 |= {"extras": {"item_id": "fc_1"}}
    yield (
        "v1 call",
        AIMessage(
            [v1, SAID], tool_calls=[call(port="Kiel")], response_metadata={"output_version": "v1"}
        ),
    )
    v0 = {"reasoning": THOUGHTS["responses"], "tool_outputs": [HOSTED["web_search_call"]]}
    v0 |= {"__openai_function_call_ids__": {"call_1": "fc_1"}}
    yield "v0 call", AIMessage([SAID], additional_kwargs=v0, tool_calls=[call(port="Kiel")])


def answered():
    for name, text in TEXTS.items():
        yield f"tool {name}", ToolMessage(text, tool_call_id="call_1")
    for name, block in [*PICTURES.items(), ("file", FILES["v1 data"])]:
        content = [{"type": "text", "text": "The quay:"}, block]
        yield f"tool picture {name}", ToolMessage(content, tool_call_id="call_1")
    yield "tool unseen", ToolMessage([*UNSEEN.values()], tool_call_id="call_1")
    yield "tool no blocks", ToolMessage([], tool_call_id="call_1")
    yield (
        "tool error",
        ToolMessage("No such port.", tool_call_id="call_1", status="error", name="tide"),
    )
    artifacts = {
        "dict": {"rows": [1, 2.0, None]},
        "bytes": b"\x00\xff",
        "tuple": (1, ("a",)),
        "set": {1, 2},
        "date": dt.date(2026, 3, 1),
        "time": dt.datetime(2026, 3, 1, 6, 12, tzinfo=dt.UTC),
        "uuid": uuid.UUID(int=7),
        "decimal": decimal.Decimal("1.50"),
        "infinity": float("inf"),
        "int keys": {1: "a", (2, 3): "b"},
    }
    for name, artifact in artifacts.items():
        yield f"artifact {name}", ToolMessage("ok", tool_call_id="c", artifact=artifact, id="t-1")
    yield "tool no id", ToolMessage("calm", tool_call_id="")
    computer = {"tool_call_id": "call_1", "additional_kwargs": {"type": "computer_call_output"}}
    yield "computer url", ToolMessage(DOT_URL, **computer)
    yield "computer block", ToolMessage([PICTURES["responses data"]], **computer)
    checked = {"type": "computer_call_output", "acknowledged_safety_checks": [{"id": "sc_1"}]}
    yield "computer checked", ToolMessage(WEB, tool_call_id="c", additional_kwargs=checked)
    yield "computer without picture", ToolMessage(["none"], **computer)
    custom = {"type": "custom_tool_call_output", "output": "hoisted"}
    yield "custom output", ToolMessage([custom], tool_call_id="call_1")
    marker = {"type": "custom_tool_call_output"}
    yield "custom marker", ToolMessage("hoisted", tool_call_id="c", additional_kwargs=marker)
    for kind in ("computer_call_output", "custom_tool_call_output", "function_call_output"):
        wrapped = {"type": "non_standard", "value": HOSTED[kind]}
        yield f"tool wrapped {kind}", ToolMessage([wrapped], tool_call_id="call_1")


def others():
    yield "function", FunctionMessage("calm", name="tide")
    yield "function blocks", FunctionMessage([SAID], name="tide", id="f-1")
    for role in ("user", "assistant", "system", "developer", "narrator", ""):
        yield f"chat {role}", ChatMessage("The bell rings.", role=role)
    yield "chat blocks", ChatMessage([SAID, PICTURES["v1 url"]], role="narrator")
    yield "chat assistant blocks", ChatMessage([SAID], role="assistant", id="c-1")
    yield "remove", RemoveMessage(id="ai-1")
    yield "remove all", RemoveMessage(id="__remove_all__")
    chunk = {"name": "tide", "args": '{"po', "id": "call_1", "index": 0, "type": "tool_call_chunk"}
    yield "ai chunk", AIMessageChunk("Hi", id="run-1")
    yield "ai last chunk", AIMessageChunk("Hi", chunk_position="last", usage_metadata=USAGE)
    yield "ai call chunk", AIMessageChunk("", tool_call_chunks=[chunk])
    whole = chunk | {"args": '{"port": "Kiel"}'}
    yield "ai whole chunk", AIMessageChunk([SAID], tool_call_chunks=[whole])
    yield "human chunk", HumanMessageChunk("Hi")
    yield "system chunk", SystemMessageChunk("Kind.")
    yield "tool chunk", ToolMessageChunk("calm", tool_call_id="call_1", status="error")
    yield "function chunk", FunctionMessageChunk("calm", name="tide")
    yield "chat chunk", ChatMessageChunk("Hi", role="assistant")


MESSAGES = {
    name: message for make in (given, spoken, calling, answered, others) for name, message in make()
}
