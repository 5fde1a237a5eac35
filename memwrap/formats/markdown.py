"""A conversation as Markdown, for people and for notes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import as_utf8
from memwrap.formats.transcript import Line, Section, sections

__all__ = ["dump"]

_SPEAKERS = {"user": "User", "assistant": "Assistant", "system": "Instructions"}


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the conversation: a heading for each turn, what was said as it is, calls in fences."""
    return map(as_utf8, _pieces(conversation))


def _pieces(conversation: Conversation) -> Iterator[str]:
    info = conversation.info
    title = info.title if info is not None and info.title else conversation.id
    yield f"# {_on_one_line(title)}\n"
    if info is not None:
        updated = f"{info.updated_at:%Y-%m-%d %H:%M} UTC"
        yield f"\n{len(conversation.items)} items, last written {updated}\n"
    found = sections(conversation.items, conversation.turns, conversation.numbers)
    for place, section in enumerate(found, 1):
        yield f"\n## {_heading(section, place)}\n"
        for line in section.lines:
            yield from _shown(line)
    yield "\n"


def _heading(section: Section, place: int) -> str:
    if section.turn is None:
        return f"Part {place}"
    return f"Turn {section.turn.number} · {section.turn.stored_at:%Y-%m-%d %H:%M} UTC"


def _shown(line: Line) -> Iterator[str]:
    if line.call is not None:
        yield f"\n**Call** `{_on_one_line(line.call.name).replace('`', '')}`\n"
        yield _fenced(line.text)
        if line.output is not None:
            yield "\n**Output**\n"
            yield _fenced(line.output)
    elif line.kind == "reasoning":
        yield "\n**Reasoning**\n\n" + _quoted(line.text)
    elif line.kind == "other":
        yield f"\n*{line.text}*\n"
    else:
        yield f"\n**{_SPEAKERS[line.kind]}**\n"
        if line.text:
            yield f"\n{line.text}\n"
    for media in line.media:
        name = _on_one_line(media.filename or media.mime_type)
        is_inside = media.url.startswith("data:")
        yield f"\n[{name}]\n" if is_inside else f"\n[{name}](<{_on_one_line(media.url)}>)\n"


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"\n{fence}\n{text}\n{fence}\n"


def _quoted(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines())


def _on_one_line(text: str) -> str:
    return " ".join(text.split()).replace("<", "%3C").replace(">", "%3E") if text else ""
