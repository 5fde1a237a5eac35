"""The picture of the SQLite benchmark."""

from __future__ import annotations

from typing import Any

from contenders import CONTENDERS, Memwrap, Raw
from durability import FULL
from sqlite_load import Load

__all__ = ["draw"]

_LENGTH = 1_000
_COLOURS = {
    kind.name: colour
    for kind, colour in zip(
        CONTENDERS,
        ("#9a9a9a", "#c2410c", "#c9a227", "#1d4e89", "#5b9bd5", "#3f7d58", "#a8c686"),
        strict=True,
    )
}


def draw(results: dict[str, Any], path: str) -> None:
    """Draw what was measured of: one session, a hundred in flight, four processes."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    panels = []
    if "single" in results:
        panels.append((2.4, lambda axes: _draw_single(axes, results["single"][FULL][_LENGTH])))
    if "load" in results:
        title = "100 sessions in flight, one process"
        panels.append((1.3, lambda axes: _draw_rates(axes, results["load"][FULL], title)))
    if "processes" in results:
        several = "4 processes, one file"
        panels.append((1.3, lambda axes: _draw_rates(axes, results["processes"], several)))
    if not panels:
        return
    widths = [width for width, _ in panels]
    figure, grid = plt.subplots(
        1, len(panels), figsize=(3.4 * sum(widths), 5), width_ratios=widths, squeeze=False
    )
    for axes, (_, draw_panel) in zip(grid[0], panels, strict=True):
        draw_panel(axes)
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _draw_single(axes: Any, cells: dict[str, dict[str, float]]) -> None:
    names = [n for n in _COLOURS if n != Raw.name and any(n in row for row in cells.values())]
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        places = [i + (index - (len(names) - 1) / 2) * width for i in range(len(cells))]
        heights = [row.get(name, 0) / row[Raw.name] for row in cells.values()]
        shown = [(place, height) for place, height in zip(places, heights, strict=True) if height]
        bars = axes.bar(*zip(*shown, strict=True), width, color=_COLOURS[name], label=name)
        if name == Memwrap.name:
            axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}×")
    axes.set_xticks(range(len(cells)), list(cells))
    axes.set_ylabel(f"time, × {Raw.name} (log scale)")
    axes.set_title(f"One session of {_LENGTH:,} items, synchronous=FULL: less is faster")
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _draw_rates(axes: Any, loads: dict[str, Load], title: str) -> None:
    names = list(loads)[::-1]
    rates = [loads[name].median() for name in names]
    labels = [name.replace(" ", "\n", 1) for name in names]
    bars = axes.barh(labels, rates, color=[_COLOURS[name] for name in names])
    axes.bar_label(bars, fmt="{:,.0f}", fontsize=8, padding=3)
    axes.tick_params(axis="y", labelsize=8)
    axes.margins(x=0.2)
    axes.set_xlabel("turns per second: more is faster")
    axes.set_title(title)
