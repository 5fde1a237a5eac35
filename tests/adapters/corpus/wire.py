"""What four APIs refuse in the requests that a conversation makes, as strict as they are."""

import re
import typing
from functools import cache

from corpus.response_schema import fault_of, problems
from openai.types.chat.chat_completion_message_param import ChatCompletionMessageParam

_IDS = {
    "gemini": r".{1,64}",
    "chat": r".{1,40}",
    "responses": r".{1,64}",
    "anthropic": r"[A-Za-z0-9_-]{1,64}",
}
_CONTENTS = {"message", "function_call_output", "custom_tool_call_output"}
_CHAT_PARTS = {
    "user": {"text", "image_url", "input_audio", "file"},
    "assistant": {"text", "refusal"},
    **dict.fromkeys(("system", "developer", "tool"), {"text"}),
}
_VENDOR = {"extra_content", "cache_control", "reasoning_content"}
_MODEL_SAYS = re.compile(
    r"(?!.*_output$)(message|reasoning|compaction|mcp_approval_request|mcp_list_tools|.*_call)$"
)


def refused_by_responses(items):
    """Return what the Responses API refuses in a list of items."""
    wrong = [f"{place}: {why}" for place, item in enumerate(items) for why in _of_item(item)]
    steps = []
    seen = set()
    for place, item in enumerate(items):
        kind = item.get("type", "message")
        if (name := item.get("id")) is not None:
            wrong += [f"{place}: a second {name}"] if name in seen else []
            seen.add(name)
        if kind == "reasoning":
            later = (i for i in items[place + 1 :] if i.get("type") != "reasoning")
            after = next(later, {"role": "nobody"})
            is_model = _MODEL_SAYS.match(after.get("type", "message"))
            if not is_model or after.get("role", "assistant") != "assistant":
                wrong.append(f"{place}: reasoning without its follower")
        if kind == "local_shell_call_output":
            steps.append(("output", item["id"]))
        elif isinstance(item.get("call_id"), str):
            steps.append(("output" if kind.endswith("_output") else "call", item["call_id"]))
        elif item.get("role"):
            steps.append((item["role"], None))
    return wrong + _unpaired(steps, "responses")


def _of_item(item):
    if item.get("type", "message") == "message" and _is_output(item):
        # The API takes what the assistant said without what the types want beside it.
        item = {"type": "message", "id": "msg", "status": "completed"} | item
    for key in ("content", "output"):
        if isinstance(item.get(key), list) and item.get("type", "message") in _CONTENTS:
            item = item | {key: [{"detail": "auto"} | p if _is_image(p) else p for p in item[key]]}
    return [*problems(item), *_nulls(item)]


def _is_image(part):
    return part.get("type") == "input_image"  # whose detail the types want, and the API does not


def _is_output(item):
    return item.get("role") == "assistant" and isinstance(item.get("content"), list)


def _nulls(item):
    kept = {("code_interpreter_call", "code"), ("code_interpreter_call", "outputs")}
    kept |= {("image_generation_call", "result")}
    found = []
    kept |= {("double_click", "keys")}
    for key, value in item.items():
        if value is None and (item.get("type"), key) not in kept:
            found.append(f"{key} is null")
        if key == "input_schema":
            continue
        for part in value if isinstance(value, list) else [value]:
            found += _nulls(part) if isinstance(part, dict) else []
    return found


def refused_by_chat(messages, *, tools_show=()):
    """Return what Chat Completions refuses in a list of messages.

    Args:
        messages: The messages.
        tools_show: Parts that tools may show all the same: other servers take them.
    """
    shows = _CHAT_PARTS | {"tool": {"text", *tools_show}}
    wrong = [f"{n}: {why}" for n, m in enumerate(messages) for why in _of_message(m, shows)]
    steps = []
    for message in messages:
        if message["role"] == "tool":
            steps.append(("output", message["tool_call_id"]))
            continue
        steps.append((message["role"], None))
        steps += [("call", call["id"]) for call in message.get("tool_calls") or ()]
    return wrong + _unpaired(steps, "chat", together=True)


@cache
def _chat_kinds():
    kinds = typing.get_args(ChatCompletionMessageParam)
    roles = [typing.get_args(typing.get_type_hints(kind)["role"])[0] for kind in kinds]
    return dict(zip(roles, kinds, strict=True))


def _of_message(message, shows):
    role, content = message["role"], message.get("content")
    bare = {key: value for key, value in message.items() if key not in _VENDOR}
    bare["tool_calls"] = [
        {key: value for key, value in call.items() if key not in _VENDOR}
        for call in message.get("tool_calls") or ()
    ]
    if not bare["tool_calls"]:
        del bare["tool_calls"]
    if isinstance(content, list):
        if not content:
            yield "an empty list of parts"
        bare["content"] = [
            {key: value for key, value in part.items() if key not in _VENDOR} for part in content
        ]
        if role == "tool":
            bare["content"] = [part for part in bare["content"] if part["type"] == "text"]
        kinds = {part["type"] for part in content} - shows.get(role, set())
        if kinds:
            yield f"{role} cannot show {kinds}"
    if why := fault_of(bare, _chat_kinds()[role], role):
        yield why
    says = message.keys() & {"tool_calls", "refusal", "audio"}
    if content is None and not (role == "assistant" and says):
        yield "there is no content"
    for key, value in message.items():
        if value is None and key != "content":
            yield f"{key} is null"


def refused_by_anthropic(payload):
    """Return what Anthropic refuses in the body of a request."""
    wrong = []
    system = payload.get("system") or []
    for block in [{"type": "text", "text": system}] if isinstance(system, str) else system:
        wrong += [] if block["type"] == "text" and block["text"].strip() else ["blank system"]
    messages = payload["messages"]
    wrong += [] if messages and messages[0]["role"] == "user" else ["the user is not first"]
    steps = []
    last = None
    for place, message in enumerate(messages):
        role, content = message["role"], message["content"]
        if role not in ("user", "assistant"):
            wrong.append(f"{place}: role {role}")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks:
            wrong.append(f"{place}: no content")
        for block in blocks:
            kind = block["type"]
            if kind == "tool_use":
                steps.append(("call", block["id"]))
                wrong += [] if isinstance(block["input"], dict) else [f"{place}: no object"]
            elif kind == "tool_result":
                steps.append(("output", block["tool_use_id"]))
                wrong += _blank(block.get("content"), place, may_be_empty=True)
            elif kind in ("text", "image", "document"):
                if last != ("said", role):
                    steps.append((role, None))
                wrong += _blank([block], place)
            elif kind in ("thinking", "redacted_thinking"):
                key = "signature" if kind == "thinking" else "data"
                wrong += [] if block.get(key) else [f"{place}: {kind} without its {key}"]
            else:
                wrong.append(f"{place}: a block {kind}")
            last = ("said", role) if kind == "text" else None
    return wrong + _unpaired(steps, "anthropic", together=True)


def refused_by_gemini(contents):
    """Return what Gemini refuses in the contents of a request."""
    wrong = [] if contents and contents[0].get("role") == "user" else ["the user is not first"]
    wrong += [] if contents and contents[-1].get("role") == "user" else ["the user is not last"]
    waiting, known = [], set()
    for place, content in enumerate(contents):
        role, parts = content.get("role"), content.get("parts") or []
        wrong += [] if role in ("user", "model") else [f"{place}: role {role}"]
        wrong += [] if parts else [f"{place}: no parts"]
        wrong += [f"{place}: {why}" for part in parts for why in _of_part(part, role)]
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        told = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if told or waiting:
            answered = [(one.get("id"), one.get("name")) for one in told]
            if sorted(answered, key=str) != sorted(waiting, key=str):
                wrong.append(f"{place}: {answered} in place of {waiting}")
        waiting = [(call.get("id"), call.get("name")) for call in calls]
        for call in calls:
            if (call_id := call.get("id")) is not None:
                wrong += [f"a second call {call_id!r}"] if call_id in known else []
                wrong += [] if re.fullmatch(_IDS["gemini"], call_id) else [f"id {call_id!r}"]
                known.add(call_id)
    return wrong + ([f"unanswered {waiting}"] if waiting else [])


_GEMINI_DATA = {"text", "inlineData", "fileData", "functionCall", "functionResponse"}
_GEMINI_DATA |= {"executableCode", "codeExecutionResult", "toolCall", "toolResponse"}
_GEMINI_BESIDE = {"thought", "thoughtSignature", "partMetadata", "videoMetadata", "mediaResolution"}


def _of_part(part, role):
    data = part.keys() & _GEMINI_DATA
    if len(data) != 1 or part.keys() - data - _GEMINI_BESIDE:
        yield f"a part of {sorted(part)}"
    if "text" in part and not part["text"].strip() and "thoughtSignature" not in part:
        yield "blank text"
    for key, speaker in (("functionCall", "model"), ("functionResponse", "user")):
        if key in part:
            yield from [] if role == speaker else [f"{key} of {role}"]
            yield from [] if part[key].get("name") else [f"{key} without a name"]
            value = part[key].get("args", part[key].get("response", {}))
            yield from [] if isinstance(value, dict) else [f"{key} of {type(value).__name__}"]
    for key, wanted in (("inlineData", "data"), ("fileData", "file_uri")):
        if key in part:
            kind = part[key].get("mime_type") or part[key].get("mimeType")
            yield from [] if kind and part[key].get(wanted) else [f"{key} without {wanted}"]


def _blank(content, place, *, may_be_empty=False):
    if isinstance(content, str) or content is None:
        return [] if may_be_empty or (content or "").strip() else [f"{place}: blank text"]
    blank = [b for b in content if b["type"] == "text" and not b["text"].strip()]
    return [f"{place}: blank text"] if blank else []


def _unpaired(steps, api, *, together=False):
    """Return what is wrong with calls and outputs: each call is answered once, before others speak.

    Args:
        steps: Pairs of ``"call"``, ``"output"`` or a role, and the id.
        api: Whose ids they are.
        together: Outputs stand right behind their calls.
    """
    wrong, waiting, known = [], [], set()
    for kind, call_id in steps:
        if kind == "call":
            wrong += [] if re.fullmatch(_IDS[api], call_id, re.DOTALL) else [f"id {call_id!r}"]
            wrong += [f"a second call {call_id!r}"] if call_id in known else []
            known.add(call_id)
            waiting.append(call_id)
        elif kind == "output":
            if call_id in waiting:
                waiting.remove(call_id)
            else:
                wrong.append(f"an orphan output {call_id!r}")
        elif waiting and (together or kind != "assistant"):
            wrong.append(f"{kind} speaks while {waiting} wait")
    return wrong + ([f"unanswered {waiting}"] if waiting else [])
