"""A function around litellm remembers, its stream too: litellm speaks Chat Completions."""

import asyncio
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or litellm asks the network for prices

import litellm

from memwrap import InMemoryStore, with_session
from memwrap.adapters import chat

store = InMemoryStore()


def offline(messages):
    """Stand for a model, which litellm would call without `mock_response`."""
    return f"I have read {len(messages)} message(s)."


@with_session(store=store, adapter=chat)
async def ask(messages):
    said = offline(messages)
    return await litellm.acompletion(model="gpt-5", messages=messages, mock_response=said)


@with_session(store=store, adapter=chat)
async def stream(messages):
    said = offline(messages)
    options = {"mock_response": said, "stream": True}
    async for chunk in await litellm.acompletion(model="gpt-5", messages=messages, **options):
        yield chunk


async def main():
    print((await ask("My name is Ada.", session="s")).choices[0].message.content)
    async for chunk in stream("What is my name?", session="s"):
        print(chunk.choices[0].delta.content or "", end="")
    print()
    print([item["content"] for item in await store.session("s").get_items()])


asyncio.run(main())
