"""LangGraph: an agent of ``create_agent``."""

from langchain.agents import create_agent
from tracks.langchain import ScriptedModel
from tracks.said import Script, clock, weather

from memwrap import with_session


def make(session):
    """Return the agent and its script."""
    script = Script()
    agent = with_session(
        create_agent(ScriptedModel(script=script), [weather, clock]), session=session
    )

    async def say(text):
        return await agent.ainvoke({"messages": [{"role": "user", "content": text}]})

    return say, script
