"""ATIF 1.8, the Agent Trajectory Interchange Format: a trajectory for each conversation.

| items                                   | step                                                |
|-----------------------------------------|-----------------------------------------------------|
| text of a user, with pictures           | ``user``                                            |
| instructions                            | ``system``                                          |
| what one call of the model gave:        | ``agent``, with ``reasoning_content``, ``message``  |
| reasoning, text, calls                  | and ``tool_calls``                                  |
| the outputs of its calls                | ``observation`` of the same step                    |
| times and usage of the turn             | ``timestamp``; ``metrics`` of the turn's last step  |

A picture is the URL that the item has. Files and hosted tools are named in text. Not kept are the
ids of items, signatures of reasoning, and hidden data. Arguments that are no JSON object are the
``input`` of an object. On the way back an observation of no call is a message of the system.

The format is described in the RFC 0001 of the Harbor project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from memwrap.exceptions import ConversionError
from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import as_line
from memwrap.formats.format import read_documents
from memwrap.formats.parts import (
    Media,
    Spoken,
    as_list,
    as_text,
    as_value,
    called,
    calls_of_model,
    media_item_part,
    media_of,
    reasoning_text,
    runs_of_speakers,
)
from memwrap.hidden.data import without_provider_data
from memwrap.items import Item
from memwrap.sessions.info import TurnInfo
from memwrap.shapes import name_of_part
from memwrap.usage import Usage

__all__ = ["dump", "load"]

_VERSION = "ATIF-v1.8"
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_SOURCES = {"system": "system", "user": "user"}
_ROLES = {"system": "system", "user": "user", "agent": "assistant"}


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the line of a conversation."""
    document: dict[str, Any] = {
        "schema_version": _VERSION,
        "session_id": conversation.id,
        "agent": {"name": "unknown", "version": "unknown"},
        "steps": [*_steps(conversation)],
    }
    info = conversation.info
    if info is not None and info.usage is not None:
        document["final_metrics"] = {
            "total_prompt_tokens": info.usage.input_tokens,
            "total_completion_tokens": info.usage.output_tokens,
            "total_cached_tokens": info.usage.cache_read_tokens,
        }
    if info is not None and info.title is not None:
        document["extra"] = {"title": info.title}
    yield as_line(document)


def load(lines: Iterable[str]) -> Iterator[Conversation]:
    """Yield the conversations in lines of text.

    Raises:
        ConversionError: The text is not of this format.
    """
    return read_documents(lines, "steps", _items)


def _steps(conversation: Conversation) -> Iterator[dict[str, Any]]:
    turn_at = _turns_by_place(conversation)
    items = without_provider_data(conversation.items)
    steps: list[tuple[dict[str, Any], TurnInfo | None]] = []
    for role, run in runs_of_speakers(items):
        parted = calls_of_model(run) if role == "assistant" else [[one] for one in run]
        for spoken in parted:
            turn = turn_at.get(spoken[0].place)
            step: dict[str, Any] = {"step_id": len(steps) + 1}
            if turn is not None:
                time = turn.stored_at if role == "assistant" else turn.started_at
                step["timestamp"] = time.isoformat()
            steps.append((step | _step(_SOURCES.get(role, "agent"), spoken), turn))
    for place, (step, turn) in enumerate(steps):
        following = steps[place + 1][1] if place + 1 < len(steps) else None
        if turn is not None and turn.usage is not None and turn is not following:
            _count(steps, place, turn)
        yield step


def _turns_by_place(conversation: Conversation) -> dict[int, TurnInfo]:
    places = conversation.places()
    return {
        place: turn
        for turn in conversation.turns
        for number, place in places.items()
        if turn.first_item <= number <= turn.last_item
    }


def _count(steps: Sequence[tuple[dict[str, Any], Any]], last: int, turn: TurnInfo) -> None:
    """Note what a turn cost in its last step of the agent."""
    usage: Usage | None = turn.usage
    of_agent = [
        step for step, other in steps[: last + 1] if other is turn and step["source"] == "agent"
    ]
    if not of_agent or usage is None:
        return
    more = {
        "reasoning_tokens": usage.reasoning_tokens,
        "cache_creation_tokens": usage.cache_creation_tokens,
    }
    of_agent[-1]["metrics"] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "cached_tokens": usage.cache_read_tokens,
        **({"cost_usd": turn.metadata["cost"]} if _is_number(turn.metadata.get("cost")) else {}),
        "extra": more,
    }
    of_agent[-1]["llm_call_count"] = len(of_agent)
    if isinstance(turn.metadata.get("model"), str):
        of_agent[-1]["model_name"] = turn.metadata["model"]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _step(source: str, spoken: Sequence[Spoken]) -> dict[str, Any]:
    thoughts, calls, results = [], [], []
    parts: list[Any] = []
    for _, item, output, _ in spoken:
        call = called(item)
        if item.get("type") == "reasoning":
            thoughts.append(reasoning_text(item))
        elif call is not None:
            arguments = as_value(call.input)
            if not isinstance(arguments, dict):
                arguments = {"input": call.input}
            calls.append(
                {"tool_call_id": call.id, "function_name": call.name, "arguments": arguments}
            )
            if output is not None:
                content = _content(as_list(output.get("output")))
                results.append({"source_call_id": call.id, "content": content})
        elif item.get("role"):
            parts += as_list(item.get("content"))
        else:
            parts.append(item)
    step: dict[str, Any] = {"source": source, "message": _content(parts)}
    if thought := "\n\n".join(filter(None, thoughts)):
        step["reasoning_content"] = thought
    if calls:
        step["tool_calls"] = calls
    if results:
        step["observation"] = {"results": results}
    return step


def _content(parts: Sequence[Any]) -> str | list[dict[str, Any]]:
    """Return the text of parts, or parts of the format where there are pictures."""
    shown: list[dict[str, Any]] = []
    for part in parts:
        media = media_of(part)
        if media is not None and media.mime_type in _IMAGES:
            source = {"media_type": media.mime_type, "path": media.url}
            shown.append({"type": "image", "source": source})
        elif isinstance(part, dict):
            text = part.get("text") or part.get("refusal")
            known = {"type": "part"} | part
            shown.append(
                {"type": "text", "text": text if isinstance(text, str) else name_of_part(known)}
            )
        else:
            shown.append({"type": "text", "text": as_text(part)})
    if any(part["type"] != "text" for part in shown):
        return shown
    return "".join(part["text"] for part in shown)


def _items(document: Mapping[str, Any]) -> list[Item]:
    items: list[Item] = []
    for place, step in enumerate(document["steps"]):
        if not isinstance(step, Mapping) or step.get("source") not in _ROLES:
            raise ConversionError(
                "a step has a `source`, of system, user or agent", path=f"$[{place}]"
            )
        items += _items_of(step)
    return items


def _items_of(step: Mapping[str, Any]) -> Iterator[Item]:
    if thought := step.get("reasoning_content"):
        yield {"type": "reasoning", "summary": [{"type": "summary_text", "text": str(thought)}]}
    if content := _taken(step.get("message")):
        yield {"role": _ROLES[step["source"]], "content": content}
    calls = step.get("tool_calls") or []
    for call in calls:
        arguments = as_text(call.get("arguments") or {})
        named = {"call_id": call["tool_call_id"], "name": call["function_name"]}
        yield {"type": "function_call", **named, "arguments": arguments}
    known = {call["tool_call_id"] for call in calls}
    for result in (step.get("observation") or {}).get("results") or []:
        content = _taken(result.get("content"))
        if result.get("source_call_id") in known:
            call_id = result["source_call_id"]
            yield {"type": "function_call_output", "call_id": call_id, "output": content}
        elif content:
            yield {"role": "system", "content": content}


def _taken(content: Any) -> Any:
    if isinstance(content, str) or not content:
        return content or ""
    parts: list[Item] = []
    for part in content:
        if part["type"] == "text":
            parts.append({"type": "input_text", "text": part["text"]})
        else:
            source = part["source"]
            parts.append(media_item_part(Media(source["path"], source["media_type"])))
    return parts
