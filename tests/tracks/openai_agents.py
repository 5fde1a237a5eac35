"""An agent of the OpenAI Agents SDK."""

from agents import Agent, Model, ModelResponse, Usage, function_tool, set_tracing_disabled
from tracks.items import response_of, seen_of
from tracks.said import Script, clock, weather

from memwrap import with_session

set_tracing_disabled(True)


def make(session):
    """Return the agent and its script."""
    script = Script()
    tools = [function_tool(weather), function_tool(clock)]
    agent = Agent(name="a", model=_Model(script), tools=tools)
    return with_session(agent, session=session), script


class _Model(Model):
    def __init__(self, script):
        self._script = script
        self._count = 0

    async def get_response(self, system_instructions, input, *args, **options):
        self._count += 1
        items = [{"role": "user", "content": input}] if isinstance(input, str) else input
        response = response_of(self._script.next(seen_of(items)), f"sdk{self._count}")
        return ModelResponse(output=response.output, usage=Usage(), response_id=None)

    def stream_response(self, *args, **options):
        raise AssertionError("the matrix runs calls")
