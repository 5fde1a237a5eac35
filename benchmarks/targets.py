"""What memwrap is to reach, beside what it reached in this run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from contenders import AgentsAsyncSQLite, AgentsSQLite, Bare, Memwrap, Raw
from durability import FULL, NORMAL
from report import table
from sqlite_load import Load, percentile

__all__ = ["targets_table"]

Row = tuple[str, float, str, float]
_SIGNS = {"<=": "≤", ">=": "≥"}


def targets_table(results: dict[str, Any]) -> str:
    """Return the targets of the parts that were measured."""
    makers = {
        "single": _single,
        "load": _load,
        "processes": _processes,
        "objects": _objects,
        "size": _size,
    }
    rows = [
        row for part, maker in makers.items() if part in results for row in maker(results[part])
    ]
    cells = [
        [
            what,
            f"{_SIGNS[sign]} {target:g}",
            f"{value:.2f}",
            "yes" if (value <= target if sign == "<=" else value >= target) else "no",
        ]
        for what, value, sign, target in rows
    ]
    return table("Targets", ["what memwrap is to reach", "target", "here", "reached"], cells)


def _single(medians: dict[str, dict[int, dict[str, dict[str, float]]]]) -> Iterator[Row]:
    def ratio(operation: str, over: str, level: str = FULL, lengths: Any = None) -> float:
        """Return memwrap's time over another's, as the median over the lengths."""
        found = medians[level]
        return statistics.median(
            found[length][operation][Memwrap.name] / found[length][operation][over]
            for length in lengths or found
        )

    for length, target in ((1_000, 0.65), (10_000, 0.8)):
        what = f"get all {length:,}, × raw"
        yield what, ratio("get all", Raw.name, lengths=[length]), "<=", target
    longest = [1_000, 10_000]
    yield (
        "last 20 of 1,000 and 10,000, × raw",
        ratio("last 20", Raw.name, lengths=longest),
        "<=",
        1.2,
    )
    for operation, target in (("add 2", 1.35), ("add 20", 1.25), ("pop", 1.45), ("turn", 1.4)):
        yield f"{operation}, FULL, × raw", ratio(operation, Raw.name), "<=", target
    for operation in ("get all", "last 20", "add 2", "add 20", "pop"):
        yield f"{operation}, FULL, × {Bare.name}", ratio(operation, Bare.name), "<=", 1.1
    for operation, level, target in (
        ("turn", FULL, 1.6),
        ("turn", NORMAL, 2),
        ("cold turn", FULL, 2.5),
        ("cold turn", NORMAL, 3),
    ):
        what = f"{operation}, {level}, × as fast as {AgentsSQLite.name}"
        yield what, 1 / ratio(operation, AgentsSQLite.name, level), ">=", target


def _load(found: dict[str, dict[str, Load]]) -> Iterator[Row]:
    loads = found[FULL]
    own = loads[Memwrap.name]
    for kind, target in ((Raw, 2.3), (AgentsSQLite, 5), (AgentsAsyncSQLite, 10)):
        what = f"100 in flight, FULL, × the turns of {kind.name}"
        yield what, own.median() / loads[kind.name].median(), ">=", target
    yield "100 in flight, FULL, loop lag p99, ms", percentile(own.lags, 0.99) * 1e3, "<=", 10
    yield "100 in flight, failed turns and lost items", len(own.errors) + own.lost, "<=", 0


def _processes(loads: dict[str, Load]) -> Iterator[Row]:
    own = loads[Memwrap.name]
    for kind, target in ((Raw, 2.3), (AgentsSQLite, 4)):
        what = f"4 processes, × the turns of {kind.name}"
        yield what, own.median() / loads[kind.name].median(), ">=", target
    yield "4 processes, failed turns", len(own.errors), "<=", 0
    yield "4 processes, lost items", own.lost, "<=", 0
    yield "4 processes, worst turn, ms", max(own.turn_seconds) * 1e3, "<=", 100


def _objects(found: dict[str, dict[str, float]]) -> Iterator[Row]:
    own = found[Memwrap.name]
    yield "1,000 objects, MB", own["memory"], "<=", 1.5
    yield "1,000 objects, threads", own["threads"], "<=", 2
    yield "1,000 objects, descriptors", own["descriptors"], "<=", 8


def _size(found: dict[str, float]) -> Iterator[Row]:
    for name in ("memwrap, adds", "memwrap, turns"):
        yield f"file size ({name.split()[1]}), × JSON", found[name], "<=", 1.6
