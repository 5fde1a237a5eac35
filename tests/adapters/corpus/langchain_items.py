"""Items of all kinds, made by code: `ITEMS` and `ITEM_CONVERSATIONS`, by name."""

from corpus.langchain_hosted import DOT_URL, HOSTED


def message(content, role="assistant", **more):
    return {"type": "message", "role": role, "content": content} | more


def output(text, **more):
    return {"type": "output_text", "text": text, "annotations": []} | more


def call(arguments, **more):
    found = {"type": "function_call", "call_id": "call_1", "name": "tide", "arguments": arguments}
    return found | more


def said(*parts, **more):
    return message([*parts], id="msg_1", status="completed") | more


CITED = [
    {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1},
    {"type": "file_citation", "file_id": "f", "filename": "n", "index": 2},
    {"type": "container_file_citation", "container_id": "c", "file_id": "f", "filename": "n"}
    | {"start_index": 0, "end_index": 1},
    {"type": "file_path", "file_id": "f", "index": 0},
]
LOGPROB = {"token": "S", "bytes": [83], "logprob": -0.0, "top_logprobs": []}


def _messages():
    for role in ("user", "assistant", "system", "developer"):
        yield f"plain {role}", {"role": role, "content": "Ahoy."}
        yield f"typed {role}", message("Ahoy.", role)
        yield f"turned {role}", {"content": "Ahoy.", "role": role}
    for role in ("user", "system", "developer"):
        yield f"parts {role}", message([{"type": "input_text", "text": "Ahoy."}], role)
    yield "empty", {"role": "assistant", "content": ""}
    yield "no parts", {"role": "user", "content": []}
    yield "null content", {"role": "user", "content": None}
    yield "odd role", {"role": "tool", "content": "x"}
    yield "foreign keys", {"role": "user", "content": "x", "provider_data": {"mine": 1}, "at": 1.0}
    yield "user with id", message("x", "user", id="msg_u", status="completed")
    parts = {
        "data": {"type": "input_image", "image_url": DOT_URL, "detail": "auto"},
        "data first": {"type": "input_image", "detail": "auto", "image_url": DOT_URL},
        "low": {"type": "input_image", "image_url": DOT_URL, "detail": "low"},
        "no detail": {"type": "input_image", "image_url": "https://harbour.test/a.png"},
        "null": {"type": "input_image", "image_url": None, "file_id": "file-1", "detail": "auto"},
        "odd url": {"type": "input_image", "image_url": "data:image/png,raw", "detail": "auto"},
        "file": {"type": "input_file", "file_data": "data:a/b;base64,QQ==", "filename": "a"},
        "file id": {"type": "input_file", "file_id": "file-1"},
        "file url": {"type": "input_file", "file_url": "https://harbour.test/a"},
        "file name": {"type": "input_file", "filename": "a"},
        "audio": {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
        "cached": {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {}},
        "unknown": {"type": "input_smell", "smell": "tar"},
        "untyped": {"text": "x"},
    }
    for name, part in parts.items():
        yield f"part {name}", message([part], "user")
    yield "said", said(output("Six."))
    yield "said twice", said(output("Six. "), output("Or seven."))
    yield "said nothing", said()
    yield "said without id", message([output("Six.")])
    yield "cut short", said(output("Si")) | {"status": "incomplete"}
    yield "fake id", said(output("Six."), id="__fake_id__")
    yield "phase", said(output("Six."), phase="commentary")
    yield "easy phase", {"role": "assistant", "content": "Hm.", "phase": "final_answer"}
    yield "logprobs", said(output("S", logprobs=[LOGPROB]))
    yield "null annotations", said(output("S", annotations=None))
    for cited in CITED:
        yield cited["type"], said(output("Six.", annotations=[cited]))
    yield "refused", said({"type": "refusal", "refusal": "No."})
    yield "half refused", said(output("Well. "), {"type": "refusal", "refusal": "No."})
    yield "nul", {"role": "user", "content": "a\0b"}
    yield "surrogate", {"role": "user", "content": "\ud83d"}


def _calls():
    spellings = {
        "compact": '{"a":1}',
        "spaced": '{ "a" :  1 }',
        "default": '{"a": 1}',
        "escaped": '{"a": "\\u00e9"}',
        "unicode": '{"a": "é"}',
        "big": '{"a": 123456789012345678901234567890}',
        "float": '{"a": 1.0}',
        "exponent": '{"a": 1e2}',
        "twice": '{"a": 1, "a": 2}',
        "invalid": '{"a": ',
        "empty": "",
        "list": "[1]",
        "null": "null",
        "not a number": '{"a": NaN}',
    }
    for name, arguments in spellings.items():
        yield f"call {name}", call(arguments, id="fc_1", status="completed")
    yield "call bare", call("{}")
    yield "call fake", call("{}", id="__fake_id__")
    yield "call unnamed", {"type": "function_call", "call_id": "c", "arguments": "{}"}
    yield "call without id", {"type": "function_call", "name": "tide", "arguments": "{}"}
    yield "call namespace", call("{}", namespace="sea", caller={"type": "direct"})
    custom = {"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "two\nlines"}
    yield "custom", custom | {"id": "ctc_1"}
    yield "custom bare", custom
    answer = HOSTED["function_call_output"]
    yield "output parts", answer | {"output": [{"type": "input_text", "text": "calm"}]}
    yield "output status", answer | {"status": "incomplete"}
    yield "output null", answer | {"output": None}
    yield "output dict", answer | {"output": {"rows": [1, 1.0, True]}}
    yield "output of nobody", {"type": "function_call_output", "output": "calm", "call_id": None}
    yield (
        "output custom parts",
        HOSTED["custom_tool_call_output"]
        | {"output": [{"type": "input_image", "image_url": DOT_URL, "detail": "high"}]},
    )
    checks = [{"id": "sc_1", "code": None, "message": None}]
    screen = HOSTED["computer_call_output"]
    yield "computer checked", screen | {"acknowledged_safety_checks": checks}
    yield "computer file", screen | {"output": {"type": "computer_screenshot", "file_id": "f"}}
    shell = {"type": "shell_call_output", "call_id": "call_s", "output": []}
    yield "shell output", shell | {"max_output_length": None}
    yield "local shell output", {"type": "local_shell_call_output", "id": "call_l", "output": "{}"}


def _others():
    yield from ((name, HOSTED[name]) for name in HOSTED)
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    yield "thought", thought
    yield "thought null", thought | {"encrypted_content": None, "content": None, "status": None}
    yield "thought secret", thought | {"encrypted_content": "gAAA" * 30}
    yield "thought aloud", thought | {"summary": [{"type": "summary_text", "text": "Moon."}]}
    yield "thought fake", thought | {"id": "__fake_id__"}
    yield "reference", {"type": "item_reference", "id": "msg_1"}
    yield "reference bare", {"id": "msg_1"}
    yield "reference null", {"id": "msg_1", "type": None}
    yield "trigger", {"type": "compaction_trigger"}
    yield "unknown", {"type": "tide_table", "rows": [[6.2, "high"]], "text": "x"}
    yield "unknown call", {"type": "bell_call", "id": "b_1", "call_id": "call_b", "times": 2}
    yield "unknown output", {"type": "bell_call_output", "call_id": "call_b", "output": "ding"}
    yield "unknown keys", HOSTED["web_search_call"] | {"new": {"deep": [None]}, "index": 4}
    yield "half a call", {"type": "web_search_call", "id": "ws_1"}
    yield "local search", HOSTED["tool_search_output"] | {"execution": "client", "call_id": "c"}
    yield "odd type", {"type": 4, "x": 1}
    yield "nothing", {}


ITEMS = {name: item for make in (_messages, _calls, _others) for name, item in make()}

ASKED = {"role": "user", "content": "When is high water?"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA"}
ANSWERED = HOSTED["function_call_output"]
HOISTED = HOSTED["custom_tool_call_output"]
FINAL = said(output("At six."))


def _conversations():
    searched = HOSTED["web_search_call"]
    loop = [THOUGHT, call('{"port":"Kiel"}', id="fc_1", status="completed"), ANSWERED]
    second = [call("{}", call_id="call_2"), ANSWERED | {"call_id": "call_2"}]
    yield "all", [*ITEMS.values()]
    yield "all backwards", [*ITEMS.values()][::-1]
    yield "all twice", [item for item in ITEMS.values() for _ in range(2)]
    yield "nothing", []
    yield "plain", [ASKED, {"role": "assistant", "content": "Six."}] * 3
    yield "plain answers", [{"role": "assistant", "content": text} for text in ("a", "", "b")]
    yield "loop", [ASKED, *loop, FINAL]
    yield "loops", [ASKED, *loop, *loop, FINAL, ASKED, *loop, FINAL]
    yield "parallel", [ASKED, loop[1], second[0], ANSWERED, second[1], FINAL]
    yield "thought by thought", [ASKED, *loop[:2], THOUGHT, second[0], ANSWERED, second[1]]
    yield "call before text", [ASKED, THOUGHT, loop[1], FINAL, ANSWERED]
    yield "search", [ASKED, THOUGHT, searched, THOUGHT, searched, FINAL]
    yield "commentary", [ASKED, FINAL | {"phase": "commentary"}, *loop, FINAL | {"id": "msg_2"}]
    yield "patch", [ASKED, HOSTED["apply_patch_call"], HOSTED["apply_patch_call_output"], FINAL]
    yield "approval", [ASKED, HOSTED["mcp_approval_request"], HOSTED["mcp_approval_response"]]
    yield "screen", [ASKED, HOSTED["computer_call"], HOSTED["computer_call_output"], FINAL]
    yield "shell", [ASKED, HOSTED["shell_call"], ITEMS["shell output"], FINAL]
    yield "program", [ASKED, HOSTED["program"], loop[1], ANSWERED, HOSTED["program_output"], FINAL]
    yield "tools found", [ASKED, HOSTED["tool_search_call"], HOSTED["tool_search_output"], *loop]
    yield "tools added", [HOSTED["additional_tools"], ASKED, HOSTED["configuration_update"], FINAL]
    yield "custom", [ASKED, ITEMS["custom"] | {"call_id": "call_1"}, HOISTED, FINAL]
    yield "compacted", [HOSTED["compaction"], ASKED, FINAL]
    yield "fake ids", [ASKED, ITEMS["thought fake"], ITEMS["call fake"], ANSWERED, ITEMS["fake id"]]
    yield "same ids", [ASKED, FINAL, ASKED, FINAL]


ITEM_CONVERSATIONS = dict(_conversations())
