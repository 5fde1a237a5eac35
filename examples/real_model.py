"""A real model, if OPENAI_API_KEY is set; OPENAI_BASE_URL may name any compatible server.

OPENAI_MODEL chooses the model. Needs `pip install "memwrap[openai]"`.
"""

import asyncio
import os
import sys

from memwrap import SQLiteSession, with_session
from memwrap.adapters import chat

if "OPENAI_API_KEY" not in os.environ:
    print("Set OPENAI_API_KEY (and OPENAI_BASE_URL for another server) to talk to a model.")
    sys.exit()

from openai import AsyncOpenAI

client = AsyncOpenAI()
model = os.environ.get("OPENAI_MODEL", "gpt-5-mini")


@with_session(adapter=chat)
async def agent(messages):
    stream = await client.chat.completions.create(model=model, messages=messages, stream=True)
    async for chunk in stream:
        yield chunk


async def main():
    session = SQLiteSession("real_model")
    for text in ("My name is Ada. Say hello.", "What is my name?"):
        print(f"> {text}")
        async for chunk in agent(text, session=session):
            for choice in chunk.choices:
                print(choice.delta.content or "", end="", flush=True)
        print()


asyncio.run(main())
