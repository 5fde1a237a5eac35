"""What results and streams report of tokens, read by each dialect's adapter."""

from types import SimpleNamespace

import pytest
from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message
from agents import Agent, Runner, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message
from corpus.llama_index_model import Script, calling, look
from corpus.strands_model import agent_of
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from llama_index.core.agent.workflow import AgentOutput, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.llms.mock import MockFunctionCallingLLM
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseCompletedEvent
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import AgentRunResultEvent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.usage import RequestUsage

import memwrap
from memwrap import InMemorySession, with_session
from memwrap.adapters import (
    agent_framework,
    chat,
    langchain,
    langgraph,
    llama_index,
    openai_agents,
    plain,
    pydantic_ai,
    strands,
)
from memwrap.adapters.langgraph import GraphState
from memwrap.usage import Usage, usages_in

set_tracing_disabled(True)

RESPONSES = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 15,
}
CHAT = {
    "prompt_tokens": 10,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "completion_tokens": 5,
    "completion_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 15,
}
LANGCHAIN = {
    "input_tokens": 10,
    "input_token_details": {"cache_read": 4, "cache_creation": 2},
    "output_tokens": 5,
    "output_token_details": {"reasoning": 3},
    "total_tokens": 15,
}
FOUND = Usage(10, 5, 4, 2, 3, "m")

response = {
    "id": "r",
    "object": "response",
    "created_at": 0,
    "model": "m",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": RESPONSES,
}
completed = {"type": "response.completed", "sequence_number": 1, "response": response}
completion = {
    "id": "c",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [],
    "usage": CHAT,
}
chunk = completion | {"object": "chat.completion.chunk"}
message = AIMessage("Hi", usage_metadata=LANGCHAIN, response_metadata={"model_name": "m"})
part = AIMessageChunk("", usage_metadata=LANGCHAIN, response_metadata={"model_name": "m"})

REPORTS = [
    (plain, response),
    (plain, Response.model_construct(**response)),
    (plain, completed),
    (plain, ResponseCompletedEvent.model_validate(completed)),
    (plain, completion),
    (chat, completion),
    (chat, ChatCompletion.model_validate(completion)),
    (chat, chunk),
    (chat, ChatCompletionChunk.model_validate(chunk)),
    (plain, ChatCompletion.model_validate(completion)),
    (chat, SimpleNamespace(choices=[], object="chat.completion", model="m", usage=CHAT)),
    (langchain, message),
    (langchain, part),
    (langchain, [message]),
    (langchain, {"raw": message, "parsed": 1, "parsing_error": None}),
    (langgraph, GraphState({"messages": [message, message]}, [HumanMessage("Ho"), message])),
    (openai_agents, SimpleNamespace(type="raw_response_event", data=completed)),
]


@pytest.mark.parametrize(("adapter", "event"), REPORTS)
def test_reports_are_read_in_every_form(adapter, event):
    """A result, an event of a stream and a dict of either tell the same of their tokens."""
    assert list(usages_in(adapter, event)) == [FOUND]


@pytest.mark.parametrize("adapter", [plain, chat, langchain, langgraph, openai_agents])
@pytest.mark.parametrize(
    "event",
    [
        *("text", None, {}, {"usage": None}, {"usage": "x"}, {"usage": {"input_tokens": "9"}}),
        *([], [HumanMessage("Hi")], AIMessage("Hi"), {"messages": [message]}, object()),
    ],
)
def test_what_reports_nothing(adapter, event):
    """What has no usage, or one that is no count, reports nothing."""
    assert not list(usages_in(adapter, event))


async def test_runs_report_each_response_newest_first():
    """A run of the SDK tells of each response; the newest comes first."""
    agent = Agent(name="a", model=ScriptedModel([[assistant_message("Hi")]]))
    result = await Runner.run(agent, "Hi")
    one = result.raw_responses[0]
    one.usage.input_tokens, one.usage.output_tokens = 7, 2
    other = SimpleNamespace(usage={"input_tokens": 9, "output_tokens": 1})
    result.raw_responses.append(other)
    assert list(usages_in(openai_agents, result)) == [Usage(9, 1), Usage(7, 2)]


def test_usage_of_agent_framework():
    """A response of one call reports its usage, as does an update; one of several calls none."""
    details = {"input_token_count": 10, "output_token_count": 5, "cache_read_input_token_count": 4}
    said = Message("assistant", ["Hi"])
    one = AgentResponse(messages=[said], usage_details=details)
    several = AgentResponse(messages=[said, said], usage_details=details)
    update = AgentResponseUpdate(contents=[Content.from_usage(details)], role="assistant")
    assert list(usages_in(agent_framework, one)) == [Usage(10, 5, 4)]
    assert list(usages_in(agent_framework, update)) == [Usage(10, 5, 4)]
    assert list(usages_in(agent_framework, several)) == []


async def test_usage_of_strands():
    """A result reports the usage of each call of its run, and so does the end of its stream."""
    usage = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 4}
    told = {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}
    agent = agent_of(["Hi", told], ["Ho", told])
    assert list(usages_in(strands, await agent.invoke_async("Hi"))) == [Usage(10, 5, 4)]
    events = [event async for event in agent.stream_async("Hi")]
    assert list(usages_in(strands, events[-1])) == [Usage(10, 5, 4)]
    assert list(usages_in(strands, events[0])) == []


RAW = {"model": "m", "usage": CHAT}


@pytest.mark.parametrize("raw", [RAW, SimpleNamespace(**RAW), {"model": "m", "usage": RESPONSES}])
@pytest.mark.parametrize("streaming", [True, False])
async def test_usage_of_llama_index(raw, streaming):
    """An output reports the usage of each call of its run, and each response that of its own."""

    class Model(MockFunctionCallingLLM):
        async def astream_chat(self, messages, **options):
            async def told():
                yield ChatResponse(message=self.response_generator(messages), raw=raw, delta="")

            return told()

        async def achat(self, messages, **options):
            return ChatResponse(message=self.response_generator(messages), raw=raw)

    script = Script(calling(("call_1", "Rome")), "Calm.")
    model = Model(response_generator=script, is_chat_model=True)
    agent = FunctionAgent(llm=model, tools=[look], streaming=streaming)
    reported = []

    async def layer(turn, send, handler):
        await handler(turn, send)
        reported.extend(one for event in turn.run.sent for one in usages_in(llama_index, event))

    remembering = with_session(agent, session=InMemorySession("s"), middleware=[layer])
    await memwrap.run(remembering, "How is it?")
    assert reported == [FOUND, FOUND]
    output = await FunctionAgent(llm=model, streaming=streaming).run("And now?")
    assert list(usages_in(llama_index, output)) == [FOUND]


def test_usage_that_llama_index_leaves_beside_an_answer():
    """Counts that a model leaves beside its answer are read too; what reports none gives none."""
    said = ChatMessage("Hi", role="assistant")
    beside = {"prompt_tokens": 10, "completion_tokens": 5}
    response = ChatResponse(message=said, raw={"model": "m"}, additional_kwargs=beside)
    assert list(usages_in(llama_index, response)) == [Usage(10, 5, model="m")]
    for event in (
        ChatResponse(message=said),
        said,
        "Hi",
        None,
        AgentOutput(response=said, current_agent_name="a"),
    ):
        assert list(usages_in(llama_index, event)) == []


async def test_usage_of_pydantic_ai():
    """A result, its event and a response report each call; one without counts reports none."""
    counts = RequestUsage(
        input_tokens=10,
        output_tokens=5,
        cache_read_tokens=4,
        cache_write_tokens=2,
        details={"reasoning_tokens": 3},
    )

    def answer(messages, info):
        if len(messages) == 1:
            return ModelResponse([ToolCallPart("look", {})], usage=counts, model_name="m")
        return ModelResponse([TextPart("Calm.")], usage=counts, model_name="m")

    agent = PydanticAgent(FunctionModel(answer, model_name="m"))
    agent.tool_plain(lambda: "calm", name="look")
    result = await agent.run("How is it?")
    assert list(usages_in(pydantic_ai, result)) == [FOUND, FOUND]
    assert list(usages_in(pydantic_ai, AgentRunResultEvent(result))) == [FOUND, FOUND]
    assert list(usages_in(pydantic_ai, result.new_messages()[-1])) == [FOUND]
    for event in (ModelResponse([TextPart("Hi")]), result.new_messages()[0], "Hi", None):
        assert list(usages_in(pydantic_ai, event)) == []
