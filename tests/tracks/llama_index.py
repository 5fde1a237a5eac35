"""A function agent of LlamaIndex."""

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import (
    ChatMessage,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.mock import MockFunctionCallingLLM
from tracks.said import Call, Output, Script, Text, clock, weather

from memwrap import with_session


def make(session):
    """Return the agent and its script."""
    script = Script()

    def answer(messages, **options):
        step = script.next(_seen(messages))
        blocks = [ThinkingBlock(content=step.thought)] if step.thought else []
        blocks += [TextBlock(text=step.text)] if step.text else []
        blocks += [
            ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)
            for call in step.calls
        ]
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)

    model = MockFunctionCallingLLM(response_generator=answer, is_chat_model=True)
    agent = FunctionAgent(tools=[weather, clock], llm=model, streaming=False)
    remembering = with_session(agent, session=session)

    async def say(text):
        return await remembering.run(text)

    return say, script


def _seen(messages):
    seen = []
    for message in messages:
        if message.role == MessageRole.TOOL:
            seen.append(Output(message.additional_kwargs["tool_call_id"], message.content))
            continue
        for block in message.blocks:
            if block.block_type == "tool_call":
                seen.append(Call(block.tool_call_id, block.tool_name, block.tool_kwargs))
            elif block.block_type == "text" and block.text:
                seen.append(Text(message.role.value, block.text))
    return seen
