"""A chat client of Agent Framework that follows a script, and says what it was shown."""

import json

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    tool,
)

__all__ = ["ScriptedClient", "agent_of", "asking", "shown", "weather"]


class ScriptedClient(FunctionInvocationLayer, ChatMiddlewareLayer, BaseChatClient):
    """Answers with the contents of a script; an exception in it is raised.

    Attributes:
        seen: The messages of each call.
    """

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)
        self.seen = []

    def _inner_get_response(self, *, messages, stream, options, **kwargs):
        self.seen.append(list(messages))
        answer = self.answers.pop(0)
        return self._build_response_stream(self._stream(answer)) if stream else self._call(answer)

    async def _call(self, answer):
        contents = list(self._said(answer))
        return ChatResponse(messages=[Message("assistant", contents)])

    async def _stream(self, answer):
        for content in self._said(answer):
            pieces = content.split() if isinstance(content, str) else [content]
            for piece in pieces:
                said = Content.from_text(f"{piece} ") if isinstance(piece, str) else piece
                yield ChatResponseUpdate(contents=[said], role="assistant", message_id="m")

    def _said(self, answer):
        for content in answer if isinstance(answer, list) else [answer]:
            if isinstance(content, BaseException):
                raise content
            yield content


@tool(approval_mode="never_require")
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def asking(*cities):
    """Return the contents by which a model asks for the weather in these cities at once."""
    return [
        Content.from_function_call(f"call_{city}", "weather", arguments=json.dumps({"city": city}))
        for city in cities
    ]


def agent_of(*answers, **options):
    """Return an agent whose model follows a script."""
    options.setdefault("tools", [weather])
    return Agent(ScriptedClient(*answers), "Be kind.", name="Weather", **options)


def shown(agent, call=-1):
    """Return what the model was shown in a call: roles, and texts, calls and outputs in short."""
    return [
        (message.role, *(_short(content) for content in message.contents))
        for message in agent.client.seen[call]
    ]


def _short(content):
    return content.text or content.arguments or content.result
