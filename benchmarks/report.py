"""The tables of the SQLite benchmark, as Markdown."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections import Counter
from importlib.metadata import version
from typing import Any

from contenders import CONTENDERS, Memwrap, Raw
from sqlite_load import Load, percentile

__all__ = [
    "load_table",
    "machine",
    "objects_table",
    "processes_table",
    "single_table",
    "size_table",
    "table",
]

_NAMES = [kind.name for kind in CONTENDERS]
_LIBRARIES = (
    *("memwrap", "aiosqlite", "msgspec", "openai-agents", "langchain-community"),
    *("langgraph-checkpoint-sqlite", "sqlalchemy"),
)


def machine() -> str:
    """Return what the numbers depend on, in one line."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version},"
        f" {os.cpu_count()} cores, {platform.system()} {platform.machine()}; {libraries}."
    )


def table(title: str, header: list[str], rows: list[list[str]], note: str = "") -> str:
    lines = [f"## {title}", "", *([note, ""] if note else [])]
    lines += [_line(header), _line(["---", *["---:"] * (len(header) - 1)])]
    return "\n".join([*lines, *map(_line, rows), ""])


def single_table(level: str, medians: dict[int, dict[str, dict[str, float]]]) -> str:
    """Return raw's medians in µs, and those of the others as multiples of it."""
    rows = []
    for operation in medians[min(medians)]:
        for length, cells in medians.items():
            row = cells[operation]
            raw = row[Raw.name]
            others = [f"{row[n] / raw:.3g}×" if n in row else "–" for n in _NAMES[1:]]
            rows.append([f"{operation} @ {length:,}", f"{raw * 1e6:,.0f} µs", *others])
    return table(
        f"One session, synchronous={level}",
        ["operation @ items", *_NAMES],
        rows,
        "The median in µs for raw, and the others' as multiples of it: less is faster."
        " A dash is an operation the library does not have, or, for LangGraph, a length at which"
        " it would rewrite the whole history too often.",
    )


def load_table(level: str, loads: dict[str, Load]) -> str:
    rows = [
        [
            name,
            *_throughput(load, loads),
            f"{percentile(load.lags, 0.99) * 1e3:.1f}",
            str(len(load.errors)),
            str(load.lost),
        ]
        for name, load in loads.items()
    ]
    header = ["", "turns/s", "× raw", "lowest–highest", "loop lag p99, ms", "failed", "lost items"]
    return table(f"100 sessions × 5 turns in one process, synchronous={level}", header, rows)


def processes_table(loads: dict[str, Load]) -> str:
    rows, kinds = [], Counter[str]()
    for name, load in loads.items():
        times = [percentile(load.turn_seconds, share) for share in (0.5, 0.99)]
        times.append(max(load.turn_seconds))
        spent = [f"{seconds * 1e3:.1f}" for seconds in times]
        failed = f"{len(load.errors)} of {load.turns}"
        rows.append([name, *_throughput(load, loads), *spent, failed, str(load.lost)])
        kinds.update(f"{name}: {error}" for error in load.errors)
    header = ["", "turns/s", "× raw", "lowest–highest", "p50, ms", "p99, ms", "worst, ms"]
    note = "; ".join(f"{count} × {kind}" for kind, count in kinds.items())
    title = "4 processes × 10 sessions × 5 turns on one file, synchronous=FULL"
    return table(title, [*header, "failed turns", "lost items"], rows, note)


def objects_table(found: dict[str, dict[str, float]]) -> str:
    rows = [
        [name, f"{held['memory']:.1f}", f"{held['threads']:.0f}", f"{held['descriptors']:.0f}"]
        for name, held in found.items()
    ]
    header = ["", "memory, MB", "threads", "descriptors"]
    return table("1,000 session objects on one file: what they add", header, rows)


def size_table(found: dict[str, float]) -> str:
    rows = [[name, f"{ratio:.2f}"] for name, ratio in found.items()]
    return table("The file after 200 turns", ["", "× the items' JSON"], rows)


def _throughput(load: Load, loads: dict[str, Load]) -> list[str]:
    rates = load.turns_per_second
    ratio = load.median() / loads[Raw.name].median()
    return [f"{load.median():,.0f}", f"{ratio:.2f}", f"{min(rates):,.0f}–{max(rates):,.0f}"]


def _line(cells: list[Any]) -> str:
    bold = cells[0] == Memwrap.name
    return "| " + " | ".join(f"**{cell}**" if bold else str(cell) for cell in cells) + " |"
