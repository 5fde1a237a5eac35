"""An agent of Google's ADK remembers: wrap it, or give its runner a store; without a network."""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import Runner
from google.genai import types
from tiny_model import answer

from memwrap import InMemoryStore, with_session
from memwrap.adapters.adk import MemwrapSessionService


class Model(BaseLlm):  # any model fits here
    async def generate_content_async(self, llm_request, stream=False):  # noqa: ARG002
        said = [one for one in llm_request.contents if one.role == "user"]
        parts = [part for content in said for part in content.parts]
        part = types.Part(text=answer(part.text for part in parts if part.text))
        if "time" in (parts[-1].text or ""):
            part = types.Part.from_function_call(name="clock", args={})
        usage = types.GenerateContentResponseUsageMetadata(prompt_token_count=1)
        content = types.Content(role="model", parts=[part])
        yield LlmResponse(content=content, usage_metadata=usage)


def clock() -> str:
    """Tell the time."""
    return "12:00"


store = InMemoryStore()
inner = LlmAgent(name="guide", model=Model(model="offline"), tools=[clock])
agent = with_session(inner, store=store)


async def main():
    async for _ in agent.run_async("My name is Ada. What time is it?", session="app/ada/1"):
        pass
    async for event in agent.run_async("What is my name?", session="app/ada/1"):
        print(event.content.parts[0].text)
    runner = Runner(app_name="app", agent=inner, session_service=MemwrapSessionService(store))
    new = types.UserContent("My city is Turin.")
    async for event in runner.run_async(user_id="ada", session_id="1", new_message=new):
        print(event.content.parts[0].text)
    print([item.get("type") for item in await store.session("app/ada/1").get_items()])


asyncio.run(main())
