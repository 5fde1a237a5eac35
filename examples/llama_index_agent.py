"""An agent of LlamaIndex remembers, in either of two ways: no network, no key."""

import asyncio

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, MockFunctionCallingLLM
from tiny_model import answer

from memwrap import SQLiteSession, with_session
from memwrap.adapters.llama_index import MemwrapMemory


def reply(messages, **_options):
    texts = [message.content for message in messages if message.role == "user"]
    return ChatMessage(answer(texts), role="assistant")


model = MockFunctionCallingLLM(response_generator=reply, is_chat_model=True)
agent = FunctionAgent(llm=model)  # with a real model, and tools


async def main():
    session = SQLiteSession("conversation_123")

    # The whole turn is stored when it has ended well.
    assistant = with_session(agent, session=session)
    print(await assistant.run("My name is Ada."))

    handler = assistant.run("My city is Turin.")
    async for event in handler.stream_events():
        print(type(event).__name__, end=" ")
    print(await handler)

    # LlamaIndex loads and stores by its own rules.
    print(await agent.run("What is my name?", memory=MemwrapMemory(session)))


asyncio.run(main())
