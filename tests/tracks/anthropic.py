"""A function around Anthropic's API, which appends to its list."""

from anthropic.types import Message
from corpus.wire import refused_by_anthropic
from tracks.said import Call, Output, Script, Text, run_tool

from memwrap import with_session
from memwrap.adapters import anthropic


def make(session):
    """Return the agent and its script."""
    script = Script()

    @with_session(session=session, adapter=anthropic)
    async def agent(messages):
        while True:
            answer = _response(script.next(_seen(messages)))
            messages.append({"role": "assistant", "content": answer.content})
            calls = [one for one in answer.content if one.type == "tool_use"]
            if not calls:
                return answer
            messages.append({"role": "user", "content": [_result(call) for call in calls]})

    return agent, script


def _result(call):
    said = run_tool(Call(call.id, call.name, call.input))
    return {"type": "tool_result", "tool_use_id": call.id, "content": said}


def _seen(messages):
    bare = [
        {"role": one["role"], "content": [_as_dict(b) for b in one["content"]]}
        if isinstance(one["content"], list)
        else one
        for one in messages
    ]
    assert refused_by_anthropic({"messages": bare}) == []
    seen = []
    for message in bare:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            if block["type"] == "text":
                seen.append(Text(message["role"], block["text"]))
            elif block["type"] == "tool_use":
                seen.append(Call(block["id"], block["name"], block["input"]))
            elif block["type"] == "tool_result":
                seen.append(Output(block["tool_use_id"], block["content"]))
    return seen


def _as_dict(block):
    return block if isinstance(block, dict) else block.model_dump(exclude_none=True)


def _response(step):
    blocks = []
    if step.thought:
        blocks.append({"type": "thinking", "thinking": step.thought, "signature": "c2ln"})
    blocks += [{"type": "text", "text": step.text}] if step.text else []
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        for call in step.calls
    ]
    return Message.model_validate(
        {
            "id": "msg",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": blocks,
            "stop_reason": "tool_use" if step.calls else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )
