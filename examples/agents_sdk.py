"""An agent of the OpenAI Agents SDK remembers, in either of two ways."""

import asyncio

from agents import Agent, Runner, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message
from tiny_model import answer

from memwrap import SQLiteSession, with_session

set_tracing_disabled(True)


def reply(call):
    return [assistant_message(answer(i["content"] for i in call.input if i["role"] == "user"))]


model = ScriptedModel([ModelStep.respond(reply)] * 5)  # a real model needs no script
agent = Agent(name="Assistant", model=model)


async def main():
    session = SQLiteSession("conversation_123")

    # The whole turn is stored when it has ended well.
    assistant = with_session(agent, session=session)
    print((await assistant.run("My name is Ada.")).final_output)

    streamed = assistant.run_streamed("My city is Turin.")
    async for _event in streamed.stream_events():
        pass
    print(streamed.final_output)

    # The SDK loads and stores by its own rules.
    result = await Runner.run(agent, "What is my name?", session=session)
    print(result.final_output)


asyncio.run(main())
