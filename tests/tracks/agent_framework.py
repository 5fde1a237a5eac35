"""An agent of Microsoft Agent Framework."""

import json

from agent_framework import Agent, Content, tool
from corpus.agent_framework_model import ScriptedClient
from tracks.said import Call, Output, Script, Text, clock, weather

from memwrap import with_session


class _Client(ScriptedClient):
    """Answers by the steps of a script."""

    def __init__(self, script):
        super().__init__()
        self._script = script

    def _inner_get_response(self, *, messages, stream, options, **kwargs):
        step = self._script.next(_seen(messages))
        said = [Content.from_text_reasoning(text=step.thought)] if step.thought else []
        said += [Content.from_text(step.text)] if step.text else []
        said += [
            Content.from_function_call(call.id, call.name, arguments=json.dumps(call.arguments))
            for call in step.calls
        ]
        self.answers.append(said)
        return super()._inner_get_response(
            messages=messages, stream=stream, options=options, **kwargs
        )


def make(session):
    """Return the agent and its script."""
    script = Script()
    tools = [tool(approval_mode="never_require")(one) for one in (weather, clock)]
    return with_session(Agent(_Client(script), tools=tools), session=session).run, script


def _seen(messages):
    seen = []
    for message in messages:
        for content in message.contents:
            if content.type == "function_call":
                arguments = content.parse_arguments()
                seen.append(Call(content.call_id, content.name, arguments))
            elif content.type == "function_result":
                seen.append(Output(content.call_id, content.result))
            elif content.type == "text":
                seen.append(Text(str(message.role), content.text))
    return seen
