"""A function around the Chat Completions API, which appends to its list."""

import json

from openai.types.chat import ChatCompletion
from tracks.said import Call, Output, Script, Text, arguments_of, run_tool

from memwrap import with_session
from memwrap.adapters import chat


def make(session):
    """Return the agent and its script."""
    script = Script()

    @with_session(session=session, adapter=chat)
    async def agent(messages):
        while True:
            completion = _completion(script.next(_seen(messages)))
            message = completion.choices[0].message
            if not message.tool_calls:
                return completion
            messages.append(message)
            for call in message.tool_calls:
                said = Call(call.id, call.function.name, arguments_of(call.function.arguments))
                content = run_tool(said)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": content})

    return agent, script


def _seen(messages):
    seen = []
    for message in messages:
        message = message if isinstance(message, dict) else message.model_dump(exclude_unset=True)
        if message["role"] == "tool":
            seen.append(Output(message["tool_call_id"], message["content"]))
            continue
        if message.get("content"):
            seen.append(Text(message["role"], message["content"]))
        for call in message.get("tool_calls") or ():
            function = call["function"]
            arguments = arguments_of(function["arguments"])
            seen.append(Call(call["id"], function["name"], arguments))
    return seen


def _completion(step):
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for call in step.calls
    ]
    message = {"role": "assistant", "content": step.text or None}
    message |= {"tool_calls": calls} if calls else {}
    message |= {"reasoning_content": step.thought} if step.thought else {}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return ChatCompletion.model_validate(
        {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    )
