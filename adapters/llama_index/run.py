"""One run of an agent: the memory that it is given, and the messages that it has added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from llama_index.core.agent.workflow import AgentOutput, ReActAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.memory import BaseMemory
from pydantic import PrivateAttr

__all__ = ["RunMemory", "RunOutput", "calls_in", "message_of_step", "new_messages", "result_of"]


class RunMemory(BaseMemory):
    """The memory of one run: it has what the agent is to see, and takes what the agent adds."""

    _seen: list[ChatMessage] = PrivateAttr(default_factory=list)
    _put: list[ChatMessage] = PrivateAttr(default_factory=list)

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex writes such a memory."""
        return "MemwrapRunMemory"

    @classmethod
    def from_defaults(cls, **kwargs: Any) -> Self:  # noqa: ARG003
        """Return an empty memory."""
        return cls()

    @property
    def added(self) -> list[ChatMessage]:
        """What the run has put here, its input too."""
        return self._put

    def get(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:  # noqa: ARG002
        """Return what the agent is to see."""
        return list(self._seen)

    def get_all(self) -> list[ChatMessage]:
        """Return what the agent is to see."""
        return self.get()

    def put(self, message: ChatMessage) -> None:
        """Take a message."""
        self._seen.append(message)
        self._put.append(message)

    def set(self, messages: list[ChatMessage]) -> None:
        """Show the agent other messages; they are none that it has added."""
        self._seen = list(messages)

    def reset(self) -> None:
        """Show the agent nothing more."""
        self._seen = []

    # The base class runs the methods above in threads.

    async def aget(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:
        """Return what the agent is to see."""
        return self.get(input, **kwargs)

    async def aput(self, message: ChatMessage) -> None:
        """Take a message."""
        self.put(message)

    async def aput_messages(self, messages: list[ChatMessage]) -> None:
        """Take messages."""
        self.put_messages(messages)

    async def aset(self, messages: list[ChatMessage]) -> None:
        """Show the agent other messages."""
        self.set(messages)


class RunOutput(AgentOutput):
    """The output of a run, which tells what the run has added."""

    _messages: list[ChatMessage] = PrivateAttr(default_factory=list)
    _native: Any = PrivateAttr(default=None)
    _steps: list[AgentOutput] = PrivateAttr(default_factory=list)

    @classmethod
    def of(
        cls,
        output: AgentOutput,
        messages: Sequence[ChatMessage],
        steps: Iterable[AgentOutput] = (),
    ) -> Self:
        """Return the output of an agent, with the messages and the steps of its run."""
        made = cls.model_construct(
            **{name: getattr(output, name) for name in AgentOutput.model_fields}
        )
        made._messages, made._native = list(messages), output  # noqa: SLF001
        made._steps = list(steps)  # noqa: SLF001
        return made

    @property
    def new_messages(self) -> list[ChatMessage]:
        """What the run added, without its input."""
        return self._messages

    @property
    def steps(self) -> list[AgentOutput]:
        """What each call of the model gave."""
        return self._steps

    @property
    def native(self) -> AgentOutput:
        """The framework's own object."""
        found: AgentOutput = self._native
        return found


def new_messages(
    agent: Any, output: AgentOutput, put: Sequence[ChatMessage], events: Iterable[Any]
) -> list[ChatMessage]:
    """Return what a run has added, the answer as the caller gets it.

    Args:
        agent: The agent, or the workflow of agents.
        output: The output of the run.
        put: What the run has put into its memory, without its input.
        events: The outputs and the results of tools that the run has told of.
    """
    agents = getattr(agent, "agents", {"": agent}).values()
    if any(isinstance(one, ReActAgent) for one in agents):
        # It puts all that it did as one text.
        steps = (message_of_step(event) for event in events)
        return [*(message for message in steps if message is not None), output.response]
    said, answer = list(put), output.response
    if said and (said[-1].role, said[-1].content) == (answer.role, answer.content):
        said.pop()
    return [*said, answer]


def message_of_step(event: Any) -> ChatMessage | None:
    """Return the message of a step that calls tools, or of a tool's result; None of others."""
    if isinstance(event, ToolCallResult):
        return result_of(event)
    calls = calls_in(event)
    if not calls or event.retry_messages:
        return None
    message: ChatMessage = event.response
    is_told = any(isinstance(block, ToolCallBlock) for block in message.blocks)
    if is_told or message.additional_kwargs.get("tool_calls"):
        return message
    blocks = [
        ToolCallBlock(
            tool_call_id=call.tool_id, tool_name=call.tool_name, tool_kwargs=call.tool_kwargs
        )
        for call in calls
    ]
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def calls_in(output: AgentOutput) -> list[Any]:
    """Return the calls that a step asks for: its run adds the results of them all at its end."""
    return [call for call in output.tool_calls if not isinstance(call, ToolCallResult)]


def result_of(event: ToolCallResult) -> ChatMessage:
    """Return what a model is shown of the result of a tool."""
    return ChatMessage(
        role=MessageRole.TOOL,
        blocks=event.tool_output.blocks,
        additional_kwargs={"tool_call_id": event.tool_id},
    )
