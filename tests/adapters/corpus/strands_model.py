"""A model of Strands that follows a script, and says what it was shown."""

import asyncio
import copy
import json

from strands import Agent, tool
from strands.models import Model

__all__ = ["ScriptedModel", "agent_of", "asking", "shown", "weather"]


class ScriptedModel(Model):
    """Answers with the blocks of a script; an exception in it is raised.

    Attributes:
        seen: The messages of each call.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen = []

    def update_config(self, **config):
        pass

    def get_config(self):
        return {}

    async def structured_output(self, output_model, prompt, system_prompt=None, **kwargs):
        raise NotImplementedError  # the base class wants the method; no test asks for it
        yield

    async def stream(self, messages, tool_specs=None, system_prompt=None, **kwargs):
        self.seen.append(copy.deepcopy(messages))
        answer = self.answers.pop(0)
        blocks = answer if isinstance(answer, list) else [answer]
        yield {"messageStart": {"role": "assistant"}}
        for block in blocks:
            await asyncio.sleep(0)
            if isinstance(block, BaseException):
                raise block
            for event in _events(block):
                yield event
        called = any("toolUse" in block for block in blocks if isinstance(block, dict))
        yield {"messageStop": {"stopReason": "tool_use" if called else "end_turn"}}


def _events(block):
    start = {}
    if isinstance(block, str):
        deltas = [{"text": f"{word} "} for word in block.split()]
    elif "toolUse" in block:
        call = dict(block["toolUse"])
        deltas = [{"toolUse": {"input": json.dumps(call.pop("input"))}}]
        start = {"toolUse": call}
    elif "reasoningContent" in block:
        told = block["reasoningContent"]["reasoningText"]
        deltas = [{"reasoningContent": {key: told[key]}} for key in told]
    else:
        yield block
        return
    yield {"contentBlockStart": {"start": start}}
    for delta in deltas:
        yield {"contentBlockDelta": {"delta": delta}}
    yield {"contentBlockStop": {}}


@tool
def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


def asking(*cities):
    """Return the blocks by which a model asks for the weather in these cities at once."""
    return [
        {"toolUse": {"toolUseId": f"call_{city}", "name": "weather", "input": {"city": city}}}
        for city in cities
    ]


def agent_of(*answers, **options):
    """Return an agent whose model follows a script."""
    options.setdefault("tools", [weather])
    options.setdefault("callback_handler", None)
    return Agent(ScriptedModel(*answers), system_prompt="Be kind.", name="Weather", **options)


def shown(agent, call=-1):
    """Return what the model was shown in a call: roles, and texts, calls and outputs in short."""
    return [
        (message["role"], *(_short(block) for block in message["content"]))
        for message in agent.model.seen[call]
    ]


def _short(block):
    if "toolUse" in block:
        return block["toolUse"]["input"]
    if "toolResult" in block:
        return block["toolResult"]["content"][0]["text"]
    if "reasoningContent" in block:
        return block["reasoningContent"]["reasoningText"]["text"]
    return block.get("text", "").strip()
