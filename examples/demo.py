"""The main job: three kinds of agents, one conversation, one file. Run it twice.

The agents are three ordinary ones: a function, a LangChain runnable, an Agents SDK agent. Their
model is a stand-in that knows only what it is shown, so every answer from memory is memwrap's.
"""

import asyncio
import sys

from agents import Agent, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from tiny_model import answer

from memwrap import SQLiteStore, with_session

set_tracing_disabled(True)


# Three agents, as people have them


async def function(items):
    return answer(item["content"] for item in items if item["role"] == "user")


runnable = RunnableLambda(
    lambda messages: AIMessage(answer(m.text for m in messages if m.type == "human"))
)


def reply(call):
    return [assistant_message(answer(i["content"] for i in call.input if i["role"] == "user"))]


sdk_agent = Agent(name="Assistant", model=ScriptedModel([ModelStep.respond(reply)] * 10))


# The same, with memory


async def main(path):
    async with SQLiteStore(path) as store:
        session = store.session("demo")
        plain, chain, sdk = (
            with_session(agent, session=session) for agent in (function, runnable, sdk_agent)
        )

        async def ask(who, text):
            print(f"  you  {text}")
            if who == "LangChain runnable":
                reply = (await chain.ainvoke(text)).text
            elif who == "Agents SDK agent":
                reply = (await sdk.run(text)).final_output
            else:
                reply = await plain(text)
            print(f"       {reply}  ({who})\n")

        known = len(await session.get_items())
        if known:
            print(f"{path} holds {known} items of an earlier run. Do they remember?\n")
            await ask("LangChain runnable", "What is my name?")
            await ask("Agents SDK agent", "What is my city?")
            await ask("plain function", "What is my pet?")
            print(f"They do. Now {len(await session.get_items())} items; delete {path} to forget.")
        else:
            print(f"A new conversation in {path}.\n")
            await ask("plain function", "Hello, my name is Ada.")
            await ask("LangChain runnable", "My city is Turin.")
            await ask("Agents SDK agent", "My pet is Minou. What is my name?")
            await ask("plain function", "What is my city?")
            print(f"{len(await session.get_items())} items stored. Run it again: they remember.")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "demo.db"))
