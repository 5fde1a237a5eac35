"""A function around Anthropic's API remembers what it appends to its list."""

import asyncio

from tiny_model import answer

from memwrap import InMemoryStore, with_session
from memwrap.adapters import anthropic


async def create(messages):  # await AsyncAnthropic().messages.create(messages=messages, ...)
    said = [message["content"] for message in messages if message["role"] == "user"]
    return [{"type": "text", "text": answer(said)}]


@with_session(store=InMemoryStore(), adapter=anthropic)
async def agent(messages):
    content = await create(messages)
    messages.append({"role": "assistant", "content": content})
    return content[0]["text"]


async def main():
    print(await agent("My name is Ada.", session="user_123"))
    print(await agent("What is my name?", session="user_123"))


asyncio.run(main())
