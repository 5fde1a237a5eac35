"""An agent of Pydantic AI."""

from pydantic_ai import Agent, ModelResponse, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from tracks.said import Call, Output, Script, Text, clock, weather

from memwrap import with_session


def make(session):
    """Return the agent and its script."""
    script = Script()

    def answer(messages, info):
        step = script.next(_seen(messages))
        parts = [ThinkingPart(step.thought)] if step.thought else []
        parts += [TextPart(step.text)] if step.text else []
        parts += [ToolCallPart(call.name, call.arguments, call.id) for call in step.calls]
        return ModelResponse(parts)

    agent = with_session(Agent(FunctionModel(answer), tools=[weather, clock]), session=session)
    return agent.run, script


def _seen(messages):
    seen = []
    for message in messages:
        for part in message.parts:
            if part.part_kind == "user-prompt":
                content = part.content
                text = content if isinstance(content, str) else "".join(map(str, content))
                seen.append(Text("user", text))
            elif part.part_kind == "text":
                seen.append(Text("assistant", part.content))
            elif part.part_kind == "tool-call":
                seen.append(Call(part.tool_call_id, part.tool_name, part.args_as_dict()))
            elif part.part_kind == "tool-return":
                seen.append(Output(part.tool_call_id, part.content))
    return seen
