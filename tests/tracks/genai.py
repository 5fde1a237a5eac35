"""A function around Gemini's client, which appends to its list."""

from corpus.gemini_client import answer
from corpus.wire import refused_by_gemini
from google.genai import types
from tracks.said import Call, Output, Script, Text, run_tool

from memwrap import with_session
from memwrap.adapters import genai

ROLES = {"user": "user", "model": "assistant"}


def make(session):
    """Return the agent and its script."""
    script = Script()

    @with_session(session=session, adapter=genai)
    async def agent(contents):
        while True:
            dumped = [_as_sent(content) for content in contents]
            assert refused_by_gemini(dumped) == []
            step = script.next(seen_in(contents))
            body = answer(*[part.model_dump(exclude_none=True) for part in parts_of(step)])
            response = types.GenerateContentResponse.model_validate(body)
            if not step.calls:
                return response
            contents.append(response.candidates[0].content)
            contents.append(types.Content(role="user", parts=[_told(one) for one in step.calls]))

    return agent, script


def parts_of(step):
    """Return the parts of an answer."""
    parts = [types.Part(text=step.thought, thought=True)] if step.thought else []
    parts += [types.Part(text=step.text)] if step.text else []
    for call in step.calls:
        made = types.FunctionCall(id=call.id, name=call.name, args=call.arguments)
        parts.append(types.Part(function_call=made, thought_signature=b"s"))
    return parts


def seen_in(contents):
    """Return what contents show."""
    seen = []
    for content in contents:
        for part in content.parts:
            if part.function_call:
                call = part.function_call
                seen.append(Call(call.id, call.name, call.args))
            elif part.function_response:
                told = part.function_response
                seen.append(Output(told.id, told.response["result"]))
            elif not part.thought:
                seen.append(Text(ROLES[content.role], part.text))
    return seen


def _told(call):
    response = {"result": run_tool(call)}
    told = types.FunctionResponse(id=call.id, name=call.name, response=response)
    return types.Part(function_response=told)


def _as_sent(content):
    return content.model_dump(mode="json", by_alias=True, exclude_none=True)
