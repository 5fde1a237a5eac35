"""A function around Gemini's client, which appends to its list."""

from corpus.wire import refused_by_gemini
from google.genai import types
from tracks.said import Call, Output, Script, Text, run_tool

from memwrap import with_session
from memwrap.adapters import genai


def make(session):
    """Return the agent and its script."""
    script = Script()

    @with_session(session=session, adapter=genai)
    async def agent(contents):
        while True:
            answer = _content(script.next(_seen(contents)))
            contents.append(answer)
            calls = [part.function_call for part in answer.parts if part.function_call]
            if not calls:
                return answer
            contents.append(types.Content(role="user", parts=[_result(call) for call in calls]))

    return agent, script


def _result(call):
    said = {"result": run_tool(Call(call.id, call.name, call.args))}
    response = types.FunctionResponse(id=call.id, name=call.name, response=said)
    return types.Part(function_response=response)


def _seen(contents):
    sent = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in contents]
    assert refused_by_gemini(sent) == []
    seen = []
    for content in contents:
        role = {"model": "assistant"}.get(content.role, content.role)
        for part in content.parts:
            if part.function_call:
                call = part.function_call
                seen.append(Call(call.id, call.name, call.args))
            elif part.function_response:
                told = part.function_response
                seen.append(Output(told.id, told.response["result"]))
            elif part.text and not part.thought:
                seen.append(Text(role, part.text))
    return seen


def _content(step):
    parts = [types.Part(text=step.thought, thought=True)] if step.thought else []
    parts += [types.Part(text=step.text)] if step.text else []
    parts += [
        types.Part(
            function_call=types.FunctionCall(id=call.id, name=call.name, args=call.arguments)
        )
        for call in step.calls
    ]
    return types.Content(role="model", parts=parts)
