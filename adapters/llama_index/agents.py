"""How LlamaIndex's agents, and workflows of agents, are run with memory."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import wraps
from typing import Any

from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentWorkflow,
    BaseWorkflowAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.workflow import Context, StartEvent

from memwrap.adapters.llama_index.handler import RunHandler
from memwrap.adapters.llama_index.rebuilt import rebuild
from memwrap.adapters.llama_index.run import RunMemory, RunOutput, new_messages
from memwrap.adapters.llama_index.steps import as_steps
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.context import current_turn
from memwrap.dialects import Kind, Method, Methods
from memwrap.exceptions import ConfigurationError

__all__ = ["methods"]

_POSITIONAL = ("user_msg", "chat_history", "memory", "ctx")
_COPIES = ("copy", "model_copy")
_PLUG = (
    "leave it out; or call the agent without with_session and pass"
    " memory=memwrap.adapters.llama_index.MemwrapMemory(session)"
)


def methods(agent: Any) -> Methods | None:
    """Return how an agent or a workflow of agents is run; None for other objects."""
    if not isinstance(agent, (BaseWorkflowAgent, AgentWorkflow)):
        return None

    @wraps(agent.run)
    def run_streamed(user_msg: Any, **options: Any) -> AsyncGenerator[Any, None]:
        return _events(agent, user_msg, **options)

    @wraps(agent.run)
    async def run_once(user_msg: Any, **options: Any) -> RunOutput:
        *_, output = [event async for event in _events(agent, user_msg, **options)]
        found: RunOutput = output
        return found

    remember = {
        "run_once": Method(run_once, Kind.CALL, rebuild=rebuild),
        "run_streamed": Method(run_streamed, Kind.STREAM, rebuild=rebuild),
    }
    copies = [name for name in _COPIES if hasattr(agent, name)]
    return Methods("run_once", remember, {"run": _run}, copies=copies)


def _run(remembering: Any, *args: Any, **kwargs: Any) -> RunHandler:
    """Run the agent, as the framework's own ``run`` does, and return its handler."""
    options = _by_name(args, kwargs)
    if options.get("session") is not None:
        refuse_second_memory(_other_memory(options))
    input = options.pop("user_msg", None)
    ctx = options.pop("ctx", None) or Context(remembering.__wrapped__)
    run_id = options.pop("run_id", None) or uuid.uuid4().hex
    events = remembering.run_streamed(
        [] if input is None else input, ctx=ctx, run_id=run_id, **options
    )
    return RunHandler(events, ctx, run_id)


def _by_name(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``run`` by their names, without those that say nothing."""
    names: Sequence[str] = _POSITIONAL
    if args and isinstance(args[0], Context):
        names = ("ctx", "start_event")
    options = dict(zip(names, args, strict=False)) | dict(kwargs)
    start = options.pop("start_event", None)
    if isinstance(start, StartEvent):
        told = {name: start.get(name, None) for name in start.keys()}  # noqa: SIM118
        options = told | options
    own = ("session", "turn_id")
    return {name: value for name, value in options.items() if value is not None or name in own}


def _other_memory(options: Mapping[str, Any]) -> dict[str, str]:
    return {f"{name}=": _PLUG for name in ("memory", "chat_history") if options.get(name)}


async def _events(
    agent: Any,
    messages: list[ChatMessage],
    *,
    ctx: Context[Any] | None = None,
    memory: Any = None,
    chat_history: Sequence[ChatMessage] = (),
    **options: Any,
) -> AsyncGenerator[Any, None]:
    """Yield the events of a run, and its output behind them."""
    turn = current_turn()
    has_session = turn is not None and turn.session is not None
    if has_session:
        refuse_second_memory(_other_memory({"memory": memory, "chat_history": chat_history}))
        if ctx is not None:
            await _clear_memory(agent, ctx)
    messages = [*chat_history, *_shown(agent, messages)]
    input = messages.pop() if messages and messages[-1].role == MessageRole.USER else None
    planted = RunMemory()
    if has_session and input is not None:
        planted.set(messages)
    elif messages:
        options["chat_history"] = messages
    if has_session:  # or else the framework remembers as it does
        memory = planted
    handler = agent.run(user_msg=input, ctx=ctx, memory=memory, **options)
    steps: list[Any] = []
    try:
        async for event in handler.stream_events():
            if isinstance(event, (AgentOutput, ToolCallResult)):
                steps.append(event)
            yield event
        output = await handler
    finally:
        if not handler.is_done():
            await handler.cancel_run()
    put = planted.added if input is None else planted.added[1:]
    calls = [step for step in steps if isinstance(step, AgentOutput)]
    yield RunOutput.of(output, new_messages(agent, output, put, steps), calls)


def _agents_of(agent: Any) -> list[Any]:
    return list(agent.agents.values()) if isinstance(agent, AgentWorkflow) else [agent]


def _shown(agent: Any, messages: list[ChatMessage]) -> list[ChatMessage]:
    """Return messages as the agents read them: those that write their steps are shown steps."""
    agents = _agents_of(agent)
    if all(isinstance(one, ReActAgent) for one in agents):
        return as_steps(messages, agents[0].formatter.observation_role)
    return messages


async def _clear_memory(agent: Any, ctx: Context[Any]) -> None:
    """Take what an earlier run remembers out of a context, which keeps the rest of its state.

    Raises:
        ConfigurationError: It has another memory, or holds a run that has not ended.
    """
    found = await ctx.store.get("memory", default=None)
    if found is not None and not isinstance(found, RunMemory):
        refuse_second_memory({"ctx= with a memory in it": _PLUG})
    if ctx.is_running:
        raise ConfigurationError(
            "ctx= goes on with a run that memwrap did not see the beginning of: call the agent"
            " without with_session for it, with memory=MemwrapMemory(session) from the beginning"
        )
    if found is None:
        return
    await ctx.store.set("memory", None)
    # What a run that failed had done so far.
    keys = {"current_tool_calls"}
    for one in _agents_of(agent):
        names = ("scratchpad_key", "reasoning_key")
        keys |= {getattr(one, name) for name in names if hasattr(one, name)}
    for key in keys:
        await ctx.store.set(key, [])
