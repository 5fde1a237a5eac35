"""How an agent of Pydantic AI is run with memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial, wraps
from typing import Any

from pydantic_ai import AgentRun, AgentRunResult, AgentRunResultEvent
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage
from pydantic_ai.result import StreamedRunResult, StreamedRunResultSync

from memwrap.adapters.pydantic_ai.blocks import RunBlock, RunEvents
from memwrap.adapters.pydantic_ai.convert import is_user_content, prompt_of, shown
from memwrap.adapters.pydantic_ai.memory import MemwrapMemory
from memwrap.adapters.pydantic_ai.rebuilt import StoredRun, as_it_is, as_stream, rebuilt
from memwrap.adapters.pydantic_ai.view import RememberedView
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.context import current_turn
from memwrap.dialects import Kind, Method, Methods, PutBack
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.turn import Turn

__all__ = ["methods", "values_in"]

_OTHER_MEMORY = ("message_history", "conversation")


def methods(agent: Any, /) -> Methods | None:
    """Return how an agent is run; None for other objects."""
    if not isinstance(agent, AbstractAgent):
        return None
    # The framework's base class raises it for agents whose class has no root capability.
    with suppress(NotImplementedError):
        refuse_second_memory(_memories_of([agent.root_capability]))

    @wraps(agent.run)
    async def run(user_prompt: Any, **options: Any) -> Any:
        return await agent.run(**_options(user_prompt, options))

    @wraps(agent.run_sync)
    def run_sync(user_prompt: Any, **options: Any) -> Any:
        return agent.run_sync(**_options(user_prompt, options))

    @wraps(agent.run_stream)
    async def run_stream(user_prompt: Any, **options: Any) -> AsyncGenerator[Any, None]:
        async with agent.run_stream(**_options(user_prompt, options)) as result:
            yield result

    @wraps(agent.run_stream_events)
    async def run_stream_events(user_prompt: Any, **options: Any) -> AsyncGenerator[Any, None]:
        async with agent.run_stream_events(**_options(user_prompt, options)) as events:
            async for event in events:
                yield event

    @wraps(agent.iter)
    async def iter(user_prompt: Any, **options: Any) -> AsyncGenerator[Any, None]:
        async with agent.iter(**_options(user_prompt, options)) as run:
            yield run

    @wraps(agent.run_stream_sync)
    def run_stream_sync(remembering: Any, user_prompt: Any, **options: Any) -> Any:
        return StreamedRunResultSync(remembering.run_stream(user_prompt, **options))

    def method(
        call: Callable[..., Any],
        kind: Kind,
        form: Callable[[AgentRunResult[Any]], Any] = as_it_is,
        **rest: Any,
    ) -> Method:
        return Method(call, kind, split=_split, rebuild=partial(rebuilt, agent, form), **rest)

    stream, going = partial(RunBlock, is_over=_is_read), partial(RunBlock, is_over=_has_result)
    return Methods(
        "run",
        {
            "run": method(run, Kind.CALL),
            "run_sync": method(run_sync, Kind.SYNC_CALL, instead="run"),
            "run_stream": method(run_stream, Kind.STREAM, as_stream, show=stream),
            "run_stream_events": method(
                run_stream_events, Kind.STREAM, AgentRunResultEvent, show=RunEvents
            ),
            "iter": method(iter, Kind.STREAM, StoredRun, show=going),
        },
        {"run_stream_sync": run_stream_sync},
    )


def values_in(result: Any, /) -> Sequence[Any]:
    """Return the output of a result; nothing of other objects."""
    if isinstance(result, AgentRunResultEvent):
        result = result.result
    if isinstance(result, AgentRun):
        result = result.result
    if isinstance(result, StreamedRunResult):
        result = result.result if _is_read(result) else None
    return [result.output] if isinstance(result, AgentRunResult) else []


def _is_read(result: StreamedRunResult[Any, Any]) -> bool:
    """Tell whether a stream was read to its end, and nothing was raised there."""
    try:
        return result.result is not None
    except UserError:
        return False


def _has_result(run: AgentRun[Any, Any]) -> bool:
    return run.result is not None


def _split(input: Any) -> tuple[Any, PutBack]:
    """Take what a user says, as the framework takes it, for one message; None for no input."""

    def put_back(history: list[Item], new: list[Item]) -> list[ModelMessage]:
        return shown([*history, *new])

    is_several = isinstance(input, Sequence) and not isinstance(input, str)
    if input is None:
        return [], put_back
    if is_several and input and all(map(is_user_content, input)):
        return [prompt_of(list(input))], put_back
    return input, put_back


def _options(messages: list[ModelMessage], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the framework's own call: history and input are one list.

    Raises:
        ConfigurationError: The run would remember a second time.
    """
    turn = current_turn()
    found = {"infer_name": False, **options}  # the name would be that of a variable here
    given, conversation = found.get("message_history"), found.get("conversation")
    if turn is None or turn.session is None:
        if conversation is not None:
            whole = [*conversation.messages, *messages]
            found["conversation"] = replace(conversation, messages=whole)
        else:
            found["message_history"] = [*(given or ()), *messages]
    else:
        _refuse(turn, options)
        found["message_history"] = messages
        found.setdefault("conversation_id", turn.session_id)
    found["capabilities"] = [*(found.get("capabilities") or ()), RememberedView()]
    return found


def _memories_of(capabilities: Iterable[AbstractCapability[Any]]) -> dict[str, str]:
    """Return the plugs of memwrap among the capabilities of an agent or run."""
    found: list[AbstractCapability[Any]] = []
    for one in capabilities:
        if isinstance(one, AbstractCapability):  # or a function that makes one
            one.apply(found.append)
    way = "leave it out of capabilities=, or do not wrap the agent"
    return {type(one).__name__: way for one in found if isinstance(one, MemwrapMemory)}


def _refuse(turn: Turn, options: Mapping[str, Any]) -> None:
    way = "leave it out, or pass session=None"
    found = {f"{name}=": way for name in _OTHER_MEMORY if options.get(name)}
    refuse_second_memory(found | _memories_of(options.get("capabilities") or ()))
    if options.get("deferred_tool_results") is not None and turn.input:
        raise ConfigurationError(
            "deferred_tool_results= answers the calls that the conversation waits for: pass None as"
            " the prompt with it, and what the user says in the next call"
        )
