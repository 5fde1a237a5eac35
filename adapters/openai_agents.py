"""Agents of the OpenAI Agents SDK, run by its ``Runner``; messages are items already.

| message                                | items                                              |
|----------------------------------------|----------------------------------------------------|
| items, ``str``                         | as in `memwrap.adapters.plain`                     |
| ``RunResult``, ``RunResultStreaming``  | ``to_input_item()`` of each of its ``new_items``,  |
|                                        | but for open approvals                             |
| ``RunItem``, ``RunItemStreamEvent``    | the same of this item; of events only when the     |
|                                        | result does not come too                           |
| the raw events of a stream cut short   | what its last response had said by then            |
| other stream events                    | nothing                                            |

The way back is the items themselves, with the SDK's own ``provider_data``, which it takes out. It
knows no other: its Chat Completions models refuse messages that have more keys than they expect.

A remembering agent has the runner's ``run``, ``run_sync`` and ``run_streamed`` as methods, and may
be called itself, which is ``run``. To let the SDK load and store by its own rules (input first,
each step as it comes), pass a memwrap session to ``Runner.run(..., session=session)`` instead.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any

from memwrap.adapters import plain
from memwrap.adapters.dispatch import clear_errors, convert, unknown
from memwrap.adapters.extras import need
from memwrap.adapters.projection import projected
from memwrap.adapters.response_stream import ResponseStream
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.adapters.streamed_run import StreamedRun
from memwrap.adapters.targets import AGENTS
from memwrap.adapters.usages import usage_of
from memwrap.dialects import Kind, Method, Methods
from memwrap.exceptions import ConversionError
from memwrap.hidden.data import without_hidden
from memwrap.items import Item, text_of
from memwrap.usage import Usage

__all__ = [
    "StreamedRun",
    "from_items",
    "methods",
    "rebuild",
    "refuses_input",
    "to_items",
    "usages_in",
    "values_in",
]

need("agents", "openai-agents")

_OTHER_MEMORY = ("session", "conversation_id", "previous_response_id", "auto_previous_response_id")

# Options of a RunConfig that are about the runner's own session, and what memwrap has for them.
_OF_CONFIG = {
    "session_input_callback": "add a function to turn.before_agent in a layer",
    "session_settings": "pass store.session(id, limit=...), or Memory(window=...)",
}


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn strings, items, results and stream events into items; see the module's table.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules[__name__], _items_of)


def from_items(items: Sequence[Item], /) -> list[Item]:
    """Return the items, without what only memwrap's adapters understand."""
    return without_hidden(projected(items, AGENTS))


def methods(agent: Any) -> Methods | None:
    """Return the runner's three ways to run *agent*; None for other objects."""
    from agents import Agent, Runner

    from memwrap.adapters.rebuilt_run import rebuilt_run

    if not isinstance(agent, Agent):
        return None

    async def run(items: Any, **options: Any) -> Any:
        refuse_second_memory(_other_memory(options))
        return await Runner.run(agent, items, **options)

    def run_sync(items: Any, **options: Any) -> Any:
        refuse_second_memory(_other_memory(options))
        return Runner.run_sync(agent, items, **options)

    async def run_streamed(items: Any, **options: Any) -> AsyncGenerator[Any, None]:
        refuse_second_memory(_other_memory(options))
        result = Runner.run_streamed(agent, items, **options)
        try:
            async for event in result.stream_events():
                yield event
        finally:
            if not result.is_complete:
                result.cancel()
        yield result  # the items in their order; StreamedRun keeps it from the caller

    def call(remembering: Any, *args: Any, **options: Any) -> Any:
        return remembering.run(*args, **options)

    def again(items: Sequence[Item], type_name: str, values: Sequence[Any]) -> Any:
        return rebuilt_run(agent, items, type_name, values)

    remember = {
        "run": Method(run, Kind.CALL, rebuild=again),
        "run_sync": Method(run_sync, Kind.SYNC_CALL, instead="run", rebuild=again),
        "run_streamed": Method(run_streamed, Kind.STREAM, show=StreamedRun, rebuild=again),
    }
    return Methods("run", remember, {"__call__": call}, copies=("clone",))


def values_in(result: Any, /) -> list[Any]:
    """Return the final output of a result; nothing of other objects."""
    output = getattr(result, "final_output", None)
    return [] if output is None else [output]


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each response of a run, or that an event of its stream reports."""
    if getattr(event, "type", None) == "raw_response_event":
        return plain.usages_in(event.data)
    responses = getattr(event, "raw_responses", ())
    return [found for one in responses if (found := usage_of(one.usage)) is not None]


def refuses_input(error: Exception, /) -> bool:
    """Tell whether a guardrail of the SDK has refused a run's input."""
    from agents import InputGuardrailTripwireTriggered

    return isinstance(error, InputGuardrailTripwireTriggered)


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any], /) -> Any:
    """Return a result of the runner that says what *items* say; None for other types."""
    from memwrap.adapters.rebuilt_run import rebuilt_run

    return rebuilt_run(None, items, type_name, values)


def _items_of(messages: list[Any], role: str) -> list[Item]:
    ended = any(hasattr(message, "new_items") for message in messages)
    items: list[Item] = []
    response = 0  # where the items of the last response begin
    for message in messages:
        kind = getattr(message, "type", None)
        if isinstance(message, dict):
            items += plain.to_items(message, role=role)
        elif hasattr(message, "new_items"):
            if not getattr(message, "is_complete", True):
                raise ConversionError(
                    "the agent gave a streamed run that nobody has read: make it a generator that"
                    " yields the events of stream_events(), or wrap the SDK's agent itself and"
                    " call its run_streamed()"
                )
            items += _items_of_run(message.new_items)
        elif kind == "run_item_stream_event":
            items += [] if ended else _items_of_run([message.item])
        elif hasattr(message, "to_input_item"):
            items += _items_of_run([message])
        elif type(message).__name__ == "RunState":
            raise ConversionError(
                "a RunState goes on with a run that memwrap did not see the beginning of; pass"
                " the session to the runner: Runner.run(agent, state, session=session)"
            )
        elif kind == "raw_response_event":
            response = len(items) if _is_first(message) else response
        elif kind != "agent_updated_stream_event":
            raise unknown(message, role)
    return items if ended else items + _under_way(messages, items[response:])


def _under_way(events: list[Any], items: list[Item]) -> list[Item]:
    """Return what a stream was cut short in: output of its last response that is not in *items*.

    The runner tells of items when a response has ended, or its tools have.
    """
    stream, output = ResponseStream("assistant"), list[Item]()
    for place, event in enumerate(events):
        if getattr(event, "type", None) == "raw_response_event":
            if _is_first(event):
                stream, output = ResponseStream("assistant"), []
            output += stream.add((place, event.data))
    known = {_key(item) for item in items}
    return [item for item in [*output, *stream.rest()] if _key(item) not in known]


def _is_first(event: Any) -> bool:
    """Tell whether a raw event begins a response."""
    return getattr(event.data, "type", None) == "response.created"


def _key(item: Item) -> tuple[Any, ...]:
    """Return by what an item is known: other models than OpenAI's have no ids of items."""
    if item.get("type", "message") == "message":
        return ("message", text_of(item))
    return (item["type"], item.get("call_id") or item.get("id"))


def _items_of_run(run_items: Iterable[Any]) -> list[Item]:
    return [
        run_item.to_input_item()
        for run_item in run_items
        if getattr(run_item, "type", None) != "tool_approval_item"
    ]


def _other_memory(options: Mapping[str, Any]) -> dict[str, str]:
    way = "leave it out, or call the runner without with_session"
    found = {f"{name}=": way for name in _OTHER_MEMORY if options.get(name)}
    config = options.get("run_config")
    for name, instead in _OF_CONFIG.items():
        value = config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
        if value is not None:
            found[f"run_config.{name}"] = f"the runner's own session has it; {instead}"
    return found
