"""memwrap's SQLiteSession beside its rivals and a hand-written one.

All contenders run in the same process, in shuffled rounds, at the same durability. Prints Markdown
and writes it, with a plot, into ``benchmarks/results/``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from contenders import CONTENDERS, check
from plot import draw
from report import Results, write
from sqlite_load import measure_load
from sqlite_processes import measure_processes
from sqlite_resources import measure_objects, measure_size
from sqlite_single import measure_single
from workload import build_folder

PARTS = ("single", "load", "processes", "objects", "size")
RESULTS = Path(__file__).parent / "results"


async def measure(parts: list[str], folder: str, scale: float) -> Results:
    """Run the parts; *scale* is how much of the full time they may take."""
    for kind in CONTENDERS:
        await check(kind, os.path.join(folder, f"check-{kind.__name__}.db"))
    results = Results()
    if "single" in parts:
        results.single = await measure_single(folder, max(4, int(60 * scale)), 240 * scale)
    if "load" in parts:
        results.load = await measure_load(folder, max(3, int(9 * scale)), 60 * scale)
    if "processes" in parts:
        results.processes = await measure_processes(folder, max(3, int(9 * scale)), 40 * scale)
    if "objects" in parts:
        results.objects = await measure_objects(folder)
    if "size" in parts:
        results.size = await measure_size(folder)
    return results


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, not written")
    parser.add_argument("--only", default=",".join(PARTS), help="some of: %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=build_folder()) as folder:
        parts = options.only.split(",")
        results = asyncio.run(measure(parts, folder, 0.1 if options.quick else 1.0))
    text = write(results)
    print(text)
    if not options.quick and set(parts) == set(PARTS):
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "sqlite.md").write_text(text + "\n")
        draw(results, RESULTS / "sqlite.png")


if __name__ == "__main__":
    main()
