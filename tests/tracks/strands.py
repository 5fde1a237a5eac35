"""An agent of Strands."""

from corpus.strands_model import ScriptedModel
from strands import Agent, tool
from tracks.said import Call, Output, Script, Text, clock, weather

from memwrap import with_session


class _Model(ScriptedModel):
    """Answers by the steps of a script."""

    def __init__(self, script):
        super().__init__()
        self._script = script

    async def stream(self, messages, tool_specs=None, system_prompt=None, **kwargs):
        step = self._script.next(_seen(messages))
        blocks = []
        if step.thought:
            told = {"text": step.thought, "signature": "c2ln"}
            blocks.append({"reasoningContent": {"reasoningText": told}})
        blocks += [step.text] if step.text else []
        blocks += [
            {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}}
            for call in step.calls
        ]
        self.answers.append(blocks)
        async for event in super().stream(messages, tool_specs, system_prompt, **kwargs):
            yield event


def make(session):
    """Return the agent and its script."""
    script = Script()
    tools = [tool(weather), tool(clock)]
    agent = Agent(_Model(script), tools=tools, callback_handler=None)
    return with_session(agent, session=session).invoke_async, script


def _seen(messages):
    seen = []
    for message in messages:
        for block in message["content"]:
            if "toolUse" in block:
                told = block["toolUse"]
                seen.append(Call(told["toolUseId"], told["name"], told["input"]))
            elif "toolResult" in block:
                told = block["toolResult"]
                seen.append(Output(told["toolUseId"], told["content"][0]["text"]))
            elif "text" in block:
                seen.append(Text(message["role"], block["text"].strip()))
    return seen
