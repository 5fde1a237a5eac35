"""What is written: data on stdout, talk on stderr, and no sign that moves a terminal's cursor."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

import click

__all__ = [
    "ago",
    "clean",
    "cut",
    "dim",
    "is_terminal",
    "line",
    "number",
    "plain",
    "print_json",
    "table",
    "talk",
]

_KEPT = {"\u200c", "\u200d", "\u00ad"}  # they join and part letters, and do nothing else
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_THOUSAND = 1000


def clean(text: str, *, lines: bool = False) -> str:
    """Return a text whose control characters are seen and not obeyed.

    Args:
        text: Anything, a stranger's too.
        lines: Whether line breaks and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = {"\n", "\t"} if lines else set()
    return "".join(
        sign
        if sign in kept or sign in _KEPT or unicodedata.category(sign) not in _UNSEEN
        else " "
        if sign in "\n\t\r" and not lines
        else sign.encode("unicode_escape").decode()
        for sign in text
    )


def line(text: str = "") -> None:
    """Write a line of data, which is clean."""
    click.echo(text, color=_colour())


def talk(text: str) -> None:
    """Write a line for people, on stderr."""
    click.echo(f"memwrap: {clean(text)}", err=True)


def dim(text: str) -> str:
    """Return a text that is less bright on a terminal."""
    return click.style(text, dim=True)


def _colour() -> bool | None:
    """Return whether there are colours: None lets the terminal decide."""
    return False if os.environ.get("NO_COLOR") else None


def print_json(value: Any) -> None:
    """Write a value as one line of JSON, exactly, in ASCII."""
    click.echo(json.dumps(plain(value), ensure_ascii=True))


def plain(value: Any) -> Any:
    """Return a value as JSON has it: objects by their fields, times in UTC."""
    if is_dataclass(value) and not isinstance(value, type):
        fields = asdict(value)
        fields.pop("cursor", None)
        return plain(fields)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    return value


def ago(time: datetime) -> str:
    """Return how long ago a time is, in words."""
    seconds = max((datetime.now(UTC) - time).total_seconds(), 0)
    if seconds < 60:  # noqa: PLR2004
        return "just now"
    for size, limit, name in ((60, 60, "min"), (3600, 24, "h"), (86400, 30, "d")):
        if seconds < size * limit:
            return f"{int(seconds // size)} {name} ago"
    return time.astimezone(UTC).strftime("%Y-%m-%d")


def number(count: int) -> str:
    """Return a number in few signs, as in 18.2k."""
    for size, name in ((_THOUSAND**3, "G"), (_THOUSAND**2, "M"), (_THOUSAND, "k")):
        if count >= size:
            return f"{count / size:.1f}{name}"
    return str(count)


def cut(text: str, width: int) -> str:
    """Return the beginning of a clean text that fits in so many cells of a terminal."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> None:
    """Write a table of clean texts, without lines.

    Args:
        heads: The heads of the columns.
        rows: The cells.
        right: The columns that stand at the right, from 0.
    """
    from rich.cells import cell_len

    all_rows = [list(heads), *map(list, rows)]
    widths = [max(cell_len(row[column]) for row in all_rows) for column in range(len(heads))]
    for place, row in enumerate(all_rows):
        cells = []
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - cell_len(cell))
            cells.append(space + cell if column in right else cell + space)
        text = "  ".join(cells).rstrip()
        line(dim(text) if place == 0 else text)


def is_terminal() -> bool:
    """Tell whether stdout is a terminal."""
    return sys.stdout.isatty()
