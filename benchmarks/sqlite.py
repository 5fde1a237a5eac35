"""memwrap's SQLite sessions beside their rivals: time, throughput, resources, size.

All run the same items in the same rounds, with the same durability. Prints Markdown; a whole run
leaves it in `benchmarks/results/`, with a picture.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from contenders import CONTENDERS, check
from durability import FULL, use
from plot import draw
from report import (
    load_table,
    machine,
    objects_table,
    processes_table,
    single_table,
    size_table,
)
from sqlite_load import measure_load
from sqlite_processes import measure_processes
from sqlite_resources import measure_objects, measure_size
from sqlite_single import measure_single
from targets import targets_table
from workload import build_folder

RESULTS = Path(__file__).resolve().parent / "results"
PARTS = ("single", "load", "processes", "objects", "size")


def parts(folder: str, *, quick: bool) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return how each part is measured: at most so many rounds, at most about so many seconds."""
    if quick:
        return {
            "single": lambda: measure_single(folder, 1, 20),
            "load": lambda: measure_load(folder, 1, 20),
            "processes": lambda: measure_processes(folder, 1, 10),
            "objects": lambda: measure_objects(folder),
            "size": lambda: measure_size(folder),
        }
    return {
        "single": lambda: measure_single(folder, 12, 150),
        "load": lambda: measure_load(folder, 9, 100),
        "processes": lambda: measure_processes(folder, 9, 60),
        "objects": lambda: measure_objects(folder),
        "size": lambda: measure_size(folder),
    }


def report(results: dict[str, Any], *, quick: bool) -> str:
    texts = ["# SQLite: memwrap beside its rivals", "", machine(), ""]
    if quick:
        texts += ["A trial of one round: too little to compare by.", ""]
    for level, medians in results.get("single", {}).items():
        texts.append(single_table(level, medians))
    for level, loads in results.get("load", {}).items():
        texts.append(load_table(level, loads))
    if "processes" in results:
        texts.append(processes_table(results["processes"]))
    if "objects" in results:
        texts.append(objects_table(results["objects"]))
    if "size" in results:
        texts.append(size_table(results["size"]))
    return "\n".join([*texts, targets_table(results)])


async def measure(chosen: list[str], *, quick: bool) -> dict[str, Any]:
    results = {}
    with tempfile.TemporaryDirectory(dir=build_folder()) as folder:
        use(FULL)
        for kind in CONTENDERS:
            await check(kind, os.path.join(folder, f"check-{kind.__name__}.db"))
        for part, run in parts(folder, quick=quick).items():
            if part in chosen:
                start = time.monotonic()
                results[part] = await run()
                print(f"<!-- {part}: {time.monotonic() - start:.0f} s -->", flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round of each: only a trial")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    results = asyncio.run(measure(chosen, quick=options.quick))
    text = report(results, quick=options.quick)
    print(text)
    if options.quick or set(chosen) != set(PARTS):
        return  # nothing to keep
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sqlite.md").write_text(text)
    draw(results, str(RESULTS / "sqlite.png"))


if __name__ == "__main__":
    main()
