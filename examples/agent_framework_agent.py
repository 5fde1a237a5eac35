"""An agent of Microsoft's Agent Framework remembers, in either of two ways."""

import asyncio

from agent_framework import (
    Agent,
    AgentSession,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
)
from tiny_model import answer

from memwrap import InMemoryStore, with_session
from memwrap.adapters.agent_framework import MemwrapHistoryProvider


class TinyClient(FunctionInvocationLayer, BaseChatClient):  # any chat client fits here
    def _inner_get_response(self, *, messages, stream, **_options):
        text = answer(message.text for message in messages if message.role == "user")
        return self._build_response_stream(self._stream(text)) if stream else self._call(text)

    async def _call(self, text):
        return ChatResponse(messages=[Message("assistant", [text])])

    async def _stream(self, text):
        for word in text.split():
            yield ChatResponseUpdate(contents=[Content.from_text(f"{word} ")], role="assistant")


async def main():
    store = InMemoryStore()

    agent = with_session(Agent(TinyClient()), store=store)  # stores the whole turn at its end
    print(await agent.run("My name is Ada.", session="user_123"))
    async for update in agent.run("My city is Turin.", stream=True, session="user_123"):
        print(update.text, end="")
    print()

    # The framework loads and stores by its own rules.
    agent = Agent(TinyClient(), context_providers=[MemwrapHistoryProvider(store)])
    print(await agent.run("What is my name?", session=AgentSession(session_id="user_123")))


asyncio.run(main())
