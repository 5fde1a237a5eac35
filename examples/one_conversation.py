"""A function, a LangChain runnable and an Agents SDK agent share one conversation in one file."""

import asyncio
import tempfile
from pathlib import Path

from agents import Agent, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message
from langchain_core.runnables import RunnableLambda
from tiny_model import answer

from memwrap import SQLiteStore, with_session

set_tracing_disabled(True)


async def function(items):
    return answer(item["content"] for item in items if item["role"] == "user")


runnable = RunnableLambda(lambda messages: answer(m.text for m in messages if m.type == "human"))


def reply(call):
    return [assistant_message(answer(i["content"] for i in call.input if i["role"] == "user"))]


agent = Agent(name="Assistant", model=ScriptedModel([ModelStep.respond(reply)]))


async def main(path):
    async with SQLiteStore(path) as store:
        plain, chain, sdk = (with_session(a, store=store) for a in (function, runnable, agent))
        print(await plain("My name is Ada.", session="user_123"))
        print(await chain.ainvoke("My city is Turin.", session="user_123"))
        print((await sdk.run("What is my name?", session="user_123")).final_output)
        print(await plain("What is my city?", session="user_123"))
        for item in await store.session("user_123").get_items():
            print(" ", item["role"], item["content"])


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder) / "chat.db"))
