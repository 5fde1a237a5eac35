"""Readers of a conversation: agents whose requests official clients make, checked as APIs do."""

import json

import httpx2
import pytest
from agents import Agent, OpenAIChatCompletionsModel
from agents import OpenAIResponsesModel as AgentsResponsesModel
from anthropic import AsyncAnthropic
from corpus.gemini_client import Gemini
from corpus.server_sent import server_sent
from corpus.wire import (
    refused_by_anthropic,
    refused_by_chat,
    refused_by_gemini,
    refused_by_responses,
)
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from memwrap import with_session
from memwrap.adapters import anthropic, chat, genai
from memwrap.adapters.langchain import portable
from memwrap.adapters.langgraph import portable as graph_portable

SAID = {"role": "assistant", "content": "Done."}
CHOICE = {"index": 0, "finish_reason": "stop", "message": SAID}
COMPLETION = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
COMPLETION |= {"choices": [CHOICE]}
PART = {"type": "output_text", "text": "Done.", "annotations": []}
MESSAGE = {"type": "message", "role": "assistant", "status": "completed", "content": [PART]}
RESPONSE = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}
RESPONSE |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
STARTED = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
STARTED |= {"stop_reason": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
CLAUDE = [
    {"type": "message_start", "message": STARTED},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Done."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
]


def chat_reader(api, **options):
    client, bodies = api

    @with_session(adapter=chat, **options)
    async def agent(messages):
        return await client.chat.completions.create(model="m", messages=messages)

    return agent, lambda: refused_by_chat(bodies[-1]["messages"])


def plain_reader(api, **options):
    client, bodies = api

    @with_session(**options)
    async def agent(items):
        return await client.responses.create(model="m", input=items)

    return agent, lambda: refused_by_responses(bodies[-1]["input"])


def gemini_reader(api, **options):
    gemini = Gemini()

    @with_session(adapter=genai, **options)
    async def agent(contents):
        return await gemini.generate(contents)

    return agent, lambda: refused_by_gemini(gemini.bodies[-1]["contents"])


def agents_reader(api, **options):
    client, bodies = api
    agent = with_session(Agent("a", model=AgentsResponsesModel("m", client)), **options)
    return agent, lambda: refused_by_responses(bodies[-1]["input"])


def agents_chat_reader(api, **options):
    client, bodies = api
    agent = with_session(Agent("a", model=OpenAIChatCompletionsModel("m", client)), **options)
    return agent, lambda: refused_by_chat(bodies[-1]["messages"])


def model_reader(model, check, adapter=portable, graph=False):
    def reader(api, **options):
        payloads = []

        def answer(messages):
            payloads.append(model._get_request_payload(messages))
            return AIMessage("Done.")

        runnable = RunnableLambda(answer)
        if graph:
            building = StateGraph(MessagesState)
            building.add_node("m", lambda state: {"messages": [answer(state["messages"])]})
            building.add_edge(START, "m")
            runnable = building.compile()
        agent = with_session(runnable, adapter=adapter, **options)
        return agent.ainvoke, lambda: check(payloads[-1])

    return reader


def claude():
    return ChatAnthropic(model="claude-test", api_key="key", max_tokens=9)


def gpt(**options):
    return ChatOpenAI(model="gpt-5", api_key="key", **options)


def prompted_reader(model_of, check):
    def reader(api, **options):
        client, bodies = api
        agent = with_session(PydanticAgent(model_of(client, bodies)), **options)
        return agent.run, lambda: check(bodies[-1])

    return reader


def prompted_gpt(kind):
    return lambda client, bodies: kind("gpt-5", provider=OpenAIProvider(openai_client=client))


def claude_client(bodies):
    """Return a client of Anthropic's whose server notes the bodies of its requests."""

    def reply(request):
        bodies.append(json.loads(request.content))
        if not bodies[-1].get("stream"):
            said = {"content": [{"type": "text", "text": "Done."}], "stop_reason": "end_turn"}
            return httpx2.Response(200, json=STARTED | said)
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, text=server_sent(CLAUDE))

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(reply))
    return AsyncAnthropic(api_key="key", http_client=http), bodies


def prompted_claude(client, bodies):
    provider = AnthropicProvider(anthropic_client=claude_client(bodies)[0])
    return AnthropicModel("claude-test", provider=provider)


def claude_reader(api, **options):
    client, bodies = claude_client(api[1])

    @with_session(adapter=anthropic, **options)
    async def agent(messages):
        return await client.messages.create(model="claude", max_tokens=9, messages=messages)

    return agent, lambda: refused_by_anthropic(bodies[-1])


READERS = {
    "claude": claude_reader,
    "chat": chat_reader,
    "plain": plain_reader,
    "gemini": gemini_reader,
    "agents": agents_reader,
    "anthropic": model_reader(claude(), refused_by_anthropic),
    "graph": model_reader(claude(), refused_by_anthropic, graph_portable, graph=True),
    "openai chat": model_reader(
        gpt(use_responses_api=False),
        lambda body: refused_by_chat(body["messages"], tools_show={"image_url", "file"}),
    ),
    "openai responses": model_reader(
        gpt(use_responses_api=True), lambda body: refused_by_responses(body["input"])
    ),
}
READERS |= {
    "prompted chat": prompted_reader(
        prompted_gpt(OpenAIChatModel), lambda body: refused_by_chat(body["messages"])
    ),
    "prompted responses": prompted_reader(
        prompted_gpt(OpenAIResponsesModel), lambda body: refused_by_responses(body["input"])
    ),
    "prompted claude": prompted_reader(prompted_claude, refused_by_anthropic),
}
each_reader = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
