"""An agent of Google's ADK."""

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.genai import types
from tracks.genai import parts_of, seen_in
from tracks.said import Script, clock, weather

from memwrap import with_session


class _Model(BaseLlm):
    """Answers by the steps of a script."""

    script: Script
    model_config = {"arbitrary_types_allowed": True}

    async def generate_content_async(self, llm_request, stream=False):
        parts = parts_of(self.script.next(seen_in(llm_request.contents)))
        yield LlmResponse(content=types.Content(role="model", parts=parts))


def make(session):
    """Return the agent and its script."""
    script = Script()
    inner = LlmAgent(name="a", model=_Model(model="m", script=script), tools=[weather, clock])
    agent = with_session(inner, session=session)

    async def ask(text):
        return [event async for event in agent.run_async(text)]

    return ask, script
