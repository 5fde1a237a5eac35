"""Request bodies of three APIs as what they have in common, and what all of them must keep to."""

import json

from corpus.exactness import strings


def of_responses(body):
    """Yield what a body for the Responses API holds: roles, calls and outputs, with ids."""
    for item in body["input"]:
        kind = item.get("type", "message")
        if kind.endswith("_output"):
            yield "output", item["call_id"]
        elif item.get("call_id"):
            yield "call", item["call_id"]
        else:
            yield (kind if kind == "reasoning" else item.get("role", "hosted")), None


def of_chat(body):
    """Yield what a body for Chat Completions holds: roles, calls and outputs, with ids."""
    for message in body["messages"]:
        if message["role"] == "tool":
            yield "output", message["tool_call_id"]
            continue
        if message.get("content") or "tool_calls" not in message:
            yield message["role"], None
        yield from (("call", call["id"]) for call in message.get("tool_calls") or ())


def of_anthropic(body):
    """Yield what a body for Anthropic holds: roles, calls and outputs, with ids."""
    for message in body["messages"]:
        blocks = message["content"]
        for block in [{"type": "text"}] if isinstance(blocks, str) else blocks:
            if block["type"] == "tool_result":
                yield "output", block["tool_use_id"]
            elif block["type"] == "tool_use":
                yield "call", block["id"]
            else:
                assert block["type"] in ("text", "image", "document", "thinking")
                yield message["role"], None


def check(body, steps, said):
    """See that a provider takes a body, and that it holds what was to be said, once."""
    steps = list(steps)
    open_calls = []
    for place, (kind, call_id) in enumerate(steps):
        if kind == "call":
            open_calls.append(call_id)
        elif kind == "output":
            open_calls.remove(call_id)
        elif kind == "reasoning":
            assert steps[place + 1][0] in ("assistant", "call", "hosted")
        elif kind in ("user", "system", "developer"):
            assert open_calls == []
    assert open_calls == []
    text = json.dumps(body, ensure_ascii=False)
    assert "memwrap" not in text
    assert "provider_data" not in text
    found = [one for one in strings(body) if one in said]
    assert sorted(found) == sorted(said)
