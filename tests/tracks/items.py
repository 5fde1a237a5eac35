"""What a model was shown as items of the Responses API, and its answers as such items."""

from openai.types.responses import Response
from tracks.said import Call, Output, Text, arguments_of

from memwrap.items import text_of


def seen_of(items):
    """Return what items say; reasoning is a matter of each model."""
    seen = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "message":
            seen.append(Text(item["role"], text_of(item)))
        elif kind == "function_call":
            seen.append(Call(item["call_id"], item["name"], arguments_of(item["arguments"])))
        elif kind == "function_call_output":
            seen.append(Output(item["call_id"], item["output"]))
        else:
            assert kind == "reasoning", kind
    return seen


def output_of(step, number):
    """Return the output items of a step."""
    items = []
    if step.thought:
        summary = [{"type": "summary_text", "text": step.thought}]
        items.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary})
    if step.text:
        part = {"type": "output_text", "text": step.text, "annotations": []}
        message = {"type": "message", "role": "assistant", "status": "completed"}
        items.append(message | {"id": f"msg_{number}", "content": [part]})
    for place, call in enumerate(step.calls):
        said = {"call_id": call.id, "name": call.name, "arguments": json_of(call)}
        items.append({"type": "function_call", "id": f"fc_{number}_{place}", **said})
    return items


def response_of(step, number):
    """Return a step as a response of the API."""
    return Response.model_validate(
        {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 0,
            "model": "m",
            "output": output_of(step, number),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }
    )


def json_of(call):
    """Return the arguments of a call as JSON."""
    import json

    return json.dumps(call.arguments)
