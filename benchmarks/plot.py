"""The results as one picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from contenders import CONTENDERS, Raw
from durability import FULL
from report import Results
from sqlite_single import OPERATIONS

__all__ = ["draw"]

_LENGTH = 1_000
_COLOURS = ("#9a9a9a", "#1b6ca8", "#e8a33d", "#c8553d", "#7a9e4f", "#8367a8")


def draw(results: Results, path: Path) -> None:
    """Draw each operation on one session, and the load, into a PNG."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(13, 5), width_ratios=(5, 3), layout="constrained"
    )
    _operations(left, results)
    _throughput(right, results)
    figure.savefig(path, dpi=110)


def _operations(axes: mpl.axes.Axes, results: Results) -> None:
    medians = results.single[FULL][_LENGTH]
    kinds = [kind for kind in CONTENDERS if any(kind.name in medians[o] for o in OPERATIONS)]
    width = 0.8 / len(kinds)
    for number, kind in enumerate(kinds):
        places = [i for i, o in enumerate(OPERATIONS) if kind.name in medians[o]]
        ratios = [
            medians[OPERATIONS[i]][kind.name] / medians[OPERATIONS[i]][Raw.name] for i in places
        ]
        shifted = [place + (number - (len(kinds) - 1) / 2) * width for place in places]
        axes.bar(shifted, ratios, width, label=kind.name, color=_colour(kind.name))
    axes.set_xticks(range(len(OPERATIONS)), OPERATIONS)
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_title(f"One session of {_LENGTH:,} items, synchronous={FULL}: time, lower is better")
    axes.set_ylabel(f"× {Raw.name}")
    axes.legend(fontsize=8)


def _throughput(axes: mpl.axes.Axes, results: Results) -> None:
    parts = {
        "100 sessions\nin flight": results.load[FULL],
        "4 processes\non one file": results.processes,
    }
    names = [kind.name for kind in CONTENDERS]
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        found = [
            (i, loads[name].median()) for i, loads in enumerate(parts.values()) if name in loads
        ]
        shifted = [i + (number - (len(names) - 1) / 2) * width for i, _ in found]
        axes.bar(shifted, [rate for _, rate in found], width, color=_colour(name))
    axes.set_xticks(range(len(parts)), list(parts))
    axes.set_title(f"Turns per second, synchronous={FULL}: higher is better")


def _colour(name: str) -> str:
    return _COLOURS[[kind.name for kind in CONTENDERS].index(name)]
