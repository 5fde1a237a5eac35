"""Results of Pydantic AI, rebuilt from the items of a stored run.

What items do not hold is empty: events, the state of the run, its workspace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Union, get_args, get_origin

from pydantic import TypeAdapter
from pydantic_ai import AgentRunResult, AgentRunResultEvent, DeferredToolRequests
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart, ToolReturnPart
from pydantic_ai.output import NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.result import StreamedRunResult
from pydantic_ai.usage import RunUsage

from memwrap.adapters.pydantic_ai.convert import from_items
from memwrap.items import Item

__all__ = ["StoredRun", "as_it_is", "as_stream", "rebuild", "rebuilt"]

_RESULTS = {"AgentRun", "AgentRunResult", "AgentRunResultEvent", "StreamedRunResult"}
_RESULT: Final[TypeAdapter[AgentRunResult[Any]]] = TypeAdapter(AgentRunResult[Any])
_IDS = ("run_id", "conversation_id")
_TOOL = "final_result"  # what the name begins with of a tool that gives an output
_WRAPPED = "response"  # the one argument of a call that gives an output which is no object


class StoredRun:
    """A run that has been stored, in place of the framework's own: it has ended, and has no nodes.

    Attributes:
        result: The result, rebuilt.
    """

    def __init__(self, result: AgentRunResult[Any]) -> None:
        self.result = result

    def __aiter__(self) -> StoredRun:
        return self

    async def __anext__(self) -> Any:
        raise StopAsyncIteration

    def all_messages(self) -> list[ModelMessage]:
        """Return the messages that the run added; nobody knows any more what it was given."""
        return self.result.all_messages()

    def new_messages(self) -> list[ModelMessage]:
        """Return the messages that the run added."""
        return self.result.new_messages()

    @property
    def usage(self) -> RunUsage:
        """What the models used, as far as it is known."""
        return self.result.usage


def as_it_is(result: AgentRunResult[Any]) -> AgentRunResult[Any]:
    """Return a result."""
    return result


def as_stream(result: AgentRunResult[Any]) -> StreamedRunResult[Any, Any]:
    """Return a result as one that was streamed."""
    return StreamedRunResult(result.all_messages(), 0, run_result=result)


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any], /) -> Any:
    """Return a result, or a message, of a function's that says what *items* say; None for others.

    Nobody knows its agent: an output that no text says is the JSON of the call that gave it.
    """
    name = _name_of(type_name)
    if name in ("ModelRequest", "ModelResponse"):
        return next((one for one in from_items(items)[::-1] if type(one).__name__ == name), None)
    forms: dict[str, Callable[[AgentRunResult[Any]], Any]] = {
        "AgentRunResultEvent": AgentRunResultEvent,
        "StreamedRunResult": as_stream,
    }
    form = forms.get(name, as_it_is)
    return rebuilt(None, form, items, type_name, values)


def rebuilt(
    agent: AbstractAgent[Any, Any] | None,
    form: Callable[[AgentRunResult[Any]], Any],
    items: Sequence[Item],
    type_name: str,
    values: Sequence[Any],
) -> Any:
    """Return a result that says what *items* say; None if the type is no result's.

    Args:
        agent: The agent that ran; None if nobody knows it.
        form: Makes of the result what the method that is called gives.
        items: What the run added.
        type_name: The full name of the type of the result.
        values: The output; None in its place if no item says it.
    """
    if _name_of(type_name) not in _RESULTS:
        return None
    messages = from_items(items)
    responses = [message for message in messages if isinstance(message, ModelResponse)]
    usage = RunUsage(requests=len(responses))
    for response in responses:
        usage.incr(response.usage)
    known = next(iter(values), None)
    ids = {key: getattr(responses[-1], key) for key in _IDS} if responses else {}
    data = {
        "output": _output(agent, messages) if known is None else known,
        "messages": messages,
        "usage": usage,
    }
    result = _RESULT.validate_python(data | {key: ids[key] for key in ids if ids[key]})
    return form(result)


def _name_of(type_name: str) -> str:
    return type_name.partition("[")[0].rpartition(".")[2]


def _output(agent: AbstractAgent[Any, Any] | None, messages: Sequence[ModelMessage]) -> Any:
    """Return the output that the last response says: by text, or by a call that nobody runs."""
    last = next((one for one in reversed(messages) if isinstance(one, ModelResponse)), None)
    if last is None:
        return None
    output_type = str if agent is None else agent.output_type
    kinds = list(_kinds(output_type))
    parts = [part for one in messages for part in one.parts]
    answered = {part.tool_call_id for part in parts if isinstance(part, ToolReturnPart)}
    waiting = [call for call in last.tool_calls if call.tool_call_id not in answered]
    if agent is not None and waiting and DeferredToolRequests in kinds:
        return _deferred(agent, waiting)
    names = tuple(_names(output_type))
    calls = [call for call in last.tool_calls if call.tool_name.startswith(names)]
    texts = [call.args_as_json_str() for call in calls] or [last.text or ""]
    for kind in kinds:
        if kind is str:
            if not calls:
                break
            continue
        with suppress(Exception):  # anybody's own type, which may have changed since
            adapter: TypeAdapter[Any] = TypeAdapter(kind)
            for text in texts:
                with suppress(ValueError):
                    return adapter.validate_json(text)
            for value in _wrapped(calls, texts):
                with suppress(ValueError):
                    return adapter.validate_python(value)
    return texts[0]


def _wrapped(calls: Sequence[ToolCallPart], texts: Sequence[str]) -> Iterator[Any]:
    """Yield outputs of calls that are no objects, and outputs in texts that tell their type."""
    yield from (call.args_as_dict().get(_WRAPPED) for call in calls)
    with suppress(ValueError, LookupError, TypeError):
        yield json.loads(texts[0])["result"]["data"]


def _deferred(
    agent: AbstractAgent[Any, Any], waiting: Sequence[ToolCallPart]
) -> DeferredToolRequests:
    """Return the calls that wait: of the agent's own functions for a person, others elsewhere."""
    own = {name for toolset in agent.toolsets for name in getattr(toolset, "tools", ())}
    return DeferredToolRequests(
        calls=[call for call in waiting if call.tool_name not in own],
        approvals=[call for call in waiting if call.tool_name in own],
    )


def _names(output_type: Any) -> Iterator[str]:
    """Yield what the names of the tools begin with that an agent gives its output by."""
    yield _TOOL
    several = output_type if isinstance(output_type, (list, tuple)) else [output_type]
    for one in several:
        if isinstance(one, ToolOutput) and one.name:
            yield one.name


def _kinds(output_type: Any) -> Iterator[Any]:
    """Yield the types that an agent may give; functions that make its output are left out."""
    if isinstance(output_type, ToolOutput):
        yield from _kinds(output_type.output)
    elif isinstance(output_type, (NativeOutput, PromptedOutput)):
        yield from _kinds(output_type.outputs)
    elif isinstance(output_type, (list, tuple)):
        for one in output_type:
            yield from _kinds(one)
    elif get_origin(output_type) in _UNIONS:
        yield from get_args(output_type)
    elif isinstance(output_type, type) or get_origin(output_type) is not None:
        yield output_type


_UNIONS = (Union, type(int | str))
