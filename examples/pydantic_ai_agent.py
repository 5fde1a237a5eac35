"""An agent of Pydantic AI remembers: wrapped, or by a capability of the framework's own kind."""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models.function import FunctionModel
from tiny_model import answer

from memwrap import SQLiteStore, with_session
from memwrap.adapters.pydantic_ai import MemwrapMemory


def reply(messages, _info):
    parts = [part for message in messages for part in message.parts]
    said = [part.content for part in parts if isinstance(part, UserPromptPart)]
    return ModelResponse([TextPart(answer(said))])


async def stream(messages, info):
    yield reply(messages, info).text


model = FunctionModel(reply, stream_function=stream)  # any model of the framework fits here
store = SQLiteStore("chats.db")


async def main():
    agent = with_session(Agent(model), store=store)
    await agent.run("My name is Ada.", session="user_123")
    async with agent.run_stream("My city is Turin.", session="user_123") as result:
        print(await result.get_output())

    # The same conversation, by an agent that names it as the framework does.
    plugged = Agent(model, capabilities=[MemwrapMemory(store)])
    result = await plugged.run("What is my city?", conversation_id="user_123")
    print(result.output)


asyncio.run(main())
