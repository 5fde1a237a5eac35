"""What runs and models tell in events, added up to the messages that they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    ToolCallResult,
)
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.workflow import Event, StopEvent

from memwrap.adapters.llama_index.run import RunOutput, calls_in, message_of_step, result_of

__all__ = ["Told", "without_steps"]


def without_steps(events: Sequence[Any]) -> Sequence[Any]:
    """Return events without those of a run whose output tells of it all, if there is one."""
    if not any(isinstance(event, RunOutput) for event in events):
        return events
    return [e for e in events if isinstance(e, RunOutput) or not isinstance(e, Event)]


class Told:
    """Adds the events of runs, and the responses of models, up to messages; messages pass.

    The responses of a stream hold all that was said so far: the last of them is the message.
    """

    def __init__(self) -> None:
        self._deltas: list[AgentStream] = []
        self._response: ChatMessage | None = None
        self._called: set[str] = set()
        self._results: set[str] = set()
        self._is_run = False
        self._last: ChatMessage | None = None

    def add(self, event: Any) -> Iterable[Any]:
        """Take an event; return the messages that are whole with it."""
        if isinstance(event, Event):
            return self._of_run(event)
        if isinstance(event, (ChatResponse, CompletionResponse)):
            return self._responded(event)
        if isinstance(event, AgentChatResponse):
            event = ChatMessage(role=MessageRole.ASSISTANT, content=event.response)
        return [*self.rest(), event]

    def rest(self) -> Iterable[Any]:
        """Return what is under way."""
        deltas, self._deltas = self._deltas, []
        response, self._response = self._response, None
        messages = [] if response is None else [response]
        thought = "".join(delta.thinking_delta or "" for delta in deltas)
        text = "".join(delta.delta for delta in deltas)
        blocks: list[Any] = [ThinkingBlock(content=thought)] if thought else []
        blocks += [TextBlock(text=text)] if text else []
        if blocks:
            messages.append(ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks))
        return messages

    def _of_run(self, event: Event) -> Iterable[ChatMessage]:
        """Take an event of a workflow; those that are no step of an agent say nothing."""
        if isinstance(event, ToolCallResult):
            return self._result(event)
        if isinstance(event, AgentOutput):
            return self._output(event)
        if isinstance(event, StopEvent):
            output = event.result
            is_told = not isinstance(output, AgentOutput) or output.response is self._last
            return [] if is_told else self._final(output)
        self._is_run = True
        if isinstance(event, AgentStream):
            self._deltas.append(event)
        return []

    def _result(self, event: ToolCallResult) -> Iterable[ChatMessage]:
        self._is_run, self._deltas = True, []
        self._results.add(event.tool_id)
        return [result_of(event)]

    def _output(self, event: AgentOutput) -> Iterable[ChatMessage]:
        """Return the message of a step, or those of a whole run."""
        self._deltas = []
        if isinstance(event, RunOutput):
            return event.new_messages
        if event.retry_messages:
            return []
        step = message_of_step(event) if self._is_run else None
        if step is None:
            return self._final(event)
        self._called |= {call.tool_id for call in calls_in(event)}
        return [step]

    def _final(self, output: AgentOutput) -> Iterable[ChatMessage]:
        """Return the answer of a run, behind the calls and results that no event has told."""
        self._deltas, self._last = [], output.response
        messages: list[ChatMessage] = []
        for call in output.tool_calls:
            if isinstance(call, ToolCallResult) and call.tool_id not in self._results:
                made = ToolCallBlock(
                    tool_call_id=call.tool_id,
                    tool_name=call.tool_name,
                    tool_kwargs=call.tool_kwargs,
                )
                if call.tool_id not in self._called:
                    messages.append(ChatMessage(role=MessageRole.ASSISTANT, blocks=[made]))
                messages.append(result_of(call))
        return [*messages, output.response]

    def _responded(self, event: ChatResponse | CompletionResponse) -> Iterable[ChatMessage]:
        if isinstance(event, ChatResponse):
            message = event.message
        else:
            message = ChatMessage(role=MessageRole.ASSISTANT, content=event.text)
        whole = [] if event.delta is not None and self._goes_on(message) else self.rest()
        self._response = message
        return whole

    def _goes_on(self, message: ChatMessage) -> bool:
        """Tell whether a message says more of what the response before it said."""
        before = self._response
        return before is not None and (message.content or "").startswith(before.content or "")
