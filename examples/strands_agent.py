"""An agent of Strands remembers, in either of two ways."""

import asyncio

from strands import Agent
from strands.models import Model
from tiny_model import answer

from memwrap import InMemoryStore, with_session
from memwrap.adapters.strands import MemwrapSessionManager


class TinyModel(Model):  # any model of Strands fits here
    def get_config(self):
        return {}

    def update_config(self, **config):
        pass

    async def structured_output(self, *_args, **_options):
        raise NotImplementedError  # every model declares it; this one speaks text alone
        yield

    async def stream(self, messages, *_args, **_options):
        said = [message["content"][0]["text"] for message in messages if message["role"] == "user"]
        yield {"messageStart": {"role": "assistant"}}
        for word in answer(said).split(" "):
            yield {"contentBlockDelta": {"delta": {"text": f"{word} "}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


async def main():
    store = InMemoryStore()

    # One agent serves all sessions; the whole turn is stored when it has ended well.
    agent = with_session(Agent(TinyModel(), callback_handler=None), store=store)
    print(await agent.invoke_async("My name is Ada.", session="user_123"), end="")
    async for event in agent.stream_async("My city is Turin.", session="user_123"):
        print(event.get("data", ""), end="")
    print()

    # An agent for one session: each message is stored as it is added.
    manager = MemwrapSessionManager("user_123", store)
    agent = Agent(TinyModel(), session_manager=manager, callback_handler=None)
    print(await agent.invoke_async("What is my name?"))


asyncio.run(main())
