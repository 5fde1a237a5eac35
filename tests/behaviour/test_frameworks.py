"""Conversations that begin in one framework and go on in another, by real agents of each."""

import itertools
import json

import pytest
from agents import Agent as SdkAgent
from agents import function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call
from corpus import agent_framework_model, strands_model
from corpus.agent_framework import thought as framework_thought
from corpus.strands import thought as strands_thought
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableLambda

from memwrap import InMemoryStore, with_session
from memwrap.adapters import chat

set_tracing_disabled(True)

CITIES = ("Rome", "Oslo")
CALLS = [(f"call_{city}", "weather", {"city": city}) for city in CITIES]
OUTPUTS = [(f"call_{city}", f"sunny in {city}") for city in CITIES]


class AgentFramework:
    def __init__(self, store, turns):
        asked = framework_thought(protected_data="SIG"), *agent_framework_model.asking(*CITIES)
        answers = [one for _ in range(turns) for one in (list(asked), ["Both."])]
        self.agent = agent_framework_model.agent_of(*answers)
        self.remembering = with_session(self.agent, store=store)

    async def run(self, text):
        await self.remembering.run(text, session="s")

    def shown(self, call):
        for message in self.agent.client.seen[call]:
            for content in message.contents:
                if content.type == "function_call":
                    yield content.call_id, content.name, content.parse_arguments()
                elif content.type == "function_result":
                    yield content.call_id, content.result
                elif content.type == "text":
                    yield message.role, content.text.strip()


class Strands:
    def __init__(self, store, turns):
        asked = strands_thought(signature="SIG"), *strands_model.asking(*CITIES)
        answers = [one for _ in range(turns) for one in (list(asked), "Both.")]
        self.agent = strands_model.agent_of(*answers)
        self.remembering = with_session(self.agent, store=store)

    async def run(self, text):
        await self.remembering.invoke_async(text, session="s")

    def shown(self, call):
        for message in self.agent.model.seen[call]:
            for block in message["content"]:
                if "toolUse" in block:
                    told = block["toolUse"]
                    yield told["toolUseId"], told["name"], told["input"]
                elif "toolResult" in block:
                    told = block["toolResult"]
                    yield told["toolUseId"], told["content"][0]["text"]
                elif "text" in block:
                    yield message["role"], block["text"].strip()


@function_tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


class AgentsSdk:
    def __init__(self, store, turns):
        asked = [function_call(name, arguments, call_id=one) for one, name, arguments in CALLS]
        steps = [step for _ in range(turns) for step in (asked, [assistant_message("Both.")])]
        self.model = ScriptedModel(steps)
        agent = SdkAgent(name="Weather", model=self.model, tools=[weather])
        self.remembering = with_session(agent, store=store)

    async def run(self, text):
        await self.remembering.run(text, session="s")

    def shown(self, call):
        given = self.model.calls[call].input
        for item in given if isinstance(given, list) else [{"role": "user", "content": given}]:
            if item.get("type") == "function_call":
                yield item["call_id"], item["name"], json.loads(item["arguments"])
            elif item.get("type") == "function_call_output":
                yield item["call_id"], item["output"]
            elif "role" in item:
                content = item["content"]
                text = content if isinstance(content, str) else content[0]["text"]
                yield item["role"], text.strip()


class LangChain:
    def __init__(self, store, turns):
        self.seen = []
        self.remembering = with_session(RunnableLambda(self.answer), store=store)

    def answer(self, messages):
        self.seen.append(list(messages))
        calls = [{"id": one, "name": name, "args": args} for one, name, args in CALLS]
        told = [ToolMessage(output, tool_call_id=one) for one, output in OUTPUTS]
        new = [AIMessage("", tool_calls=calls), *told]
        self.seen.append([*messages, *new])
        return [*new, AIMessage("Both.")]

    async def run(self, text):
        await self.remembering.ainvoke(text, session="s")

    def shown(self, call):
        for message in self.seen[call]:
            role = {"human": "user", "ai": "assistant"}.get(message.type)
            if role is not None and message.text:
                yield role, message.text.strip()
            for one in getattr(message, "tool_calls", ()):
                yield one["id"], one["name"], one["args"]
            if message.type == "tool":
                yield message.tool_call_id, message.text


class Chat:
    def __init__(self, store, turns):
        self.seen = []
        self.remembering = with_session(self.answer, store=store, adapter=chat)

    async def answer(self, messages):
        self.seen.append(list(messages))
        calls = [
            {"id": one, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for one, n, a in CALLS
        ]
        told = [{"role": "tool", "tool_call_id": one, "content": out} for one, out in OUTPUTS]
        new = [{"role": "assistant", "content": None, "tool_calls": calls}, *told]
        self.seen.append([*messages, *new])
        return [*new, {"role": "assistant", "content": "Both."}]

    async def run(self, text):
        await self.remembering(text, session="s")

    def shown(self, call):
        for message in self.seen[call]:
            if message["role"] == "tool":
                yield message["tool_call_id"], message["content"]
                continue
            if message["content"]:
                yield message["role"], message["content"].strip()
            for one in message.get("tool_calls", ()):
                told = one["function"]
                yield one["id"], told["name"], json.loads(told["arguments"])


KINDS = [AgentFramework, Strands, AgentsSdk, LangChain, Chat]


def turn(text):
    return [("user", text), *CALLS, *OUTPUTS, ("assistant", "Both.")]


def with_own_ids(shown):
    """Return what was shown with call ids that each stand for one call, numbered in order."""
    numbers = {}
    return [
        (numbers.setdefault(one[0], len(numbers)), *one[1:])
        if one[0] not in ("user", "assistant")
        else one
        for one in shown
    ]


@pytest.mark.parametrize(("one", "other"), [*itertools.product(KINDS, KINDS)])
async def test_conversation_goes_on(one, other):
    """Texts, calls and outputs of one framework are shown to another's model, in their order."""
    store = InMemoryStore()
    await one(store, 1).run("Weather?")
    going_on = other(store, 1)
    await going_on.run("And now?")
    assert list(going_on.shown(0)) == [*turn("Weather?"), ("user", "And now?")]


async def test_one_conversation_through_all():
    """One conversation goes through all frameworks, forth and back, and nothing is lost."""
    store = InMemoryStore()
    through = [kind(store, 2) for kind in KINDS]
    asked = [f"Question {number}?" for number in range(2 * len(KINDS))]
    for number, (agent, text) in enumerate(zip([*through, *reversed(through)], asked)):
        await agent.run(text)
        said = list(agent.shown(0 if number < len(KINDS) else 2))
        assert [text for role, text, *_ in said if role == "user"] == asked[: number + 1]
        ids = [one[0] for one in said if len(one) == 3]
        assert len(set(ids)) == len(ids) or isinstance(agent, LangChain)  # keeps them as they are
        told = [one[1] for one in with_own_ids(said) if one[0] == "assistant"]
        assert told == ["Both."] * number
