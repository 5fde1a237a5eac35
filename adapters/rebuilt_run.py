"""Results of the Agents SDK, rebuilt from the items of a stored run.

What items do not hold is empty: raw responses, results of guardrails, usage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import agents
from agents import items as run_items
from agents.stream_events import RunItemStreamEvent

from memwrap.adapters.rebuilt import rebuilt_response
from memwrap.items import Item, text_of

__all__ = ["events_of", "rebuilt_run"]

_EVENTS: Mapping[str, Any] = {
    "message_output_item": "message_output_created",
    "reasoning_item": "reasoning_item_created",
    "tool_call_item": "tool_called",
    "tool_call_output_item": "tool_output",
    "handoff_call_item": "handoff_requested",
    "handoff_output_item": "handoff_occured",  # as the SDK spells it
    "mcp_list_tools_item": "mcp_list_tools",
    "mcp_approval_request_item": "mcp_approval_requested",
    "mcp_approval_response_item": "mcp_approval_response",
    "tool_search_call_item": "tool_search_called",
    "tool_search_output_item": "tool_search_output_created",
}

_KINDS: Mapping[str, Any] = {
    "reasoning": run_items.ReasoningItem,
    "mcp_list_tools": run_items.MCPListToolsItem,
    "mcp_approval_request": run_items.MCPApprovalRequestItem,
    "mcp_approval_response": run_items.MCPApprovalResponseItem,
    "tool_search_call": run_items.ToolSearchCallItem,
    "tool_search_output": run_items.ToolSearchOutputItem,
}


def rebuilt_run(
    agent: agents.Agent[Any] | None, items: Sequence[Item], type_name: str, values: Sequence[Any]
) -> Any:
    """Return a result that says what *items* say; None if the type is no result.

    Args:
        agent: The agent that ran first. None if nobody knows it: then the result has no
            ``last_agent``, as after ``release_agents()``.
        items: What the run added.
        type_name: The full name of the result's type.
        values: The final output; None in its place if no item says it.
    """
    name = type_name.rpartition(".")[2]
    if name not in {"RunResult", "RunResultStreaming"}:
        return None
    run = _Run(agent or agents.Agent(name="stored"))
    run.read(items)
    options: dict[str, Any] = {
        "input": [],
        "new_items": run.new_items,
        "raw_responses": [],
        "final_output": _final_output(run.agent, items, values),
        "input_guardrail_results": [],
        "output_guardrail_results": [],
        "tool_input_guardrail_results": [],
        "tool_output_guardrail_results": [],
        "context_wrapper": agents.RunContextWrapper(context=None),
    }
    if name == "RunResult":
        result: Any = agents.RunResult(**options, _last_agent=run.agent)
    else:
        result = agents.RunResultStreaming(
            **options,
            current_agent=run.agent,
            current_turn=0,
            max_turns=None,
            _current_agent_output_schema=None,
            trace=None,
            is_complete=True,
        )
    if agent is None:
        result.release_agents()
    return result


def events_of(result: Any) -> list[RunItemStreamEvent]:
    """Return the events by which a stream tells of the items of a result."""
    return [
        RunItemStreamEvent(name=_EVENTS[item.type], item=item)
        for item in result.new_items
        if item.type in _EVENTS
    ]


class _Run:
    """The items of a run, each with the agent that was at work."""

    def __init__(self, agent: agents.Agent[Any]) -> None:
        self.agent = agent
        self.new_items: list[Any] = []
        self._handed_to: dict[Any, agents.Agent[Any]] = {}

    def read(self, items: Sequence[Item]) -> None:
        for item in items:
            kind = str(item.get("type", "message"))
            if kind.endswith("_output") and "call_id" in item:
                self.new_items.append(self._output(item))
                continue
            raw = rebuilt_response([item], "Response").output
            if raw:
                self.new_items.append(self._said(kind, item, raw[0]))

    def _said(self, kind: str, item: Item, raw: Any) -> Any:
        if kind == "message":
            return run_items.MessageOutputItem(agent=self.agent, raw_item=raw)
        target = _targets_of(self.agent).get(item.get("name")) if kind == "function_call" else None
        if target is not None:
            self._handed_to[item.get("call_id")] = target
            return run_items.HandoffCallItem(agent=self.agent, raw_item=raw)
        return _KINDS.get(kind, run_items.ToolCallItem)(agent=self.agent, raw_item=raw)

    def _output(self, item: Item) -> Any:
        raw: Any = dict(item)
        target = self._handed_to.get(item["call_id"])
        if target is None:
            return run_items.ToolCallOutputItem(
                agent=self.agent, raw_item=raw, output=item.get("output")
            )
        source, self.agent = self.agent, target
        return run_items.HandoffOutputItem(
            agent=source, raw_item=raw, source_agent=source, target_agent=target
        )


def _targets_of(agent: agents.Agent[Any]) -> dict[Any, agents.Agent[Any]]:
    """Return the agents to which *agent* hands off, by the names of the tools for it."""
    targets: dict[Any, agents.Agent[Any]] = {}
    for handoff in agent.handoffs:
        if isinstance(handoff, agents.Agent):
            targets[agents.Handoff.default_tool_name(handoff)] = handoff
        else:
            # The SDK has no public way from a handoff to its agent; a test notices a change.
            target = getattr(handoff, "_agent_ref", None)
            if target is not None and isinstance(target(), agents.Agent):
                targets[handoff.tool_name] = target()
    return targets


def _final_output(agent: agents.Agent[Any], items: Sequence[Item], values: Sequence[Any]) -> Any:
    known = next(iter(values), None)
    if known is not None:
        return known
    text = next((text for item in reversed(items) if (text := text_of(item))), None)
    kind = agent.output_type
    if text is None or kind in (None, str):
        return text
    with suppress(Exception):  # a layer, or the project itself, has changed since
        schema = (
            kind
            if isinstance(kind, agents.AgentOutputSchemaBase)
            else agents.AgentOutputSchema(kind)
        )
        return schema.validate_json(text)
    return text
