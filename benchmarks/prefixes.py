"""How much of what a model is sent is the beginning of what it was sent before.

Providers serve that part from a prompt cache. 200 turns of one conversation, cut as others cut and
as `Trim` does; prints a table, and draws `benchmarks/results/prefixes.png`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

from workload import turn_items

from memwrap import InMemoryStore, Item, with_session
from memwrap.middleware import Clear, Trim

RESULTS = Path(__file__).resolve().parent / "results"
TURNS = 200
TOKENS = 6_000

Make = Callable[[], Sequence[Trim]]

VARIANTS: dict[str, Make] = {
    "max_turns=20, sliding (drop_to=1)": lambda: [Trim(max_turns=20, drop_to=1)],
    "max_items=50, sliding (drop_to=1)": lambda: [Trim(max_items=50, drop_to=1)],
    f"max_tokens={TOKENS}, sliding (drop_to=1)": lambda: [
        Trim(max_tokens=TOKENS, count_tokens="chars/4", drop_to=1)
    ],
    "max_turns=20": lambda: [Trim(max_turns=20)],
    "max_items=50": lambda: [Trim(max_items=50)],
    f"max_tokens={TOKENS}": lambda: [Trim(max_tokens=TOKENS, count_tokens="chars/4")],
    "max_turns=20, tool outputs cleared": lambda: [Trim(max_turns=20, tool_outputs=Clear(keep=3))],
}


async def sent_by(make: Make) -> list[list[str]]:
    """Return what each turn's model is sent, as texts; each turn has an agent of its own."""
    store = InMemoryStore()
    sent: list[list[str]] = []
    for number in range(TURNS):
        question, *added = turn_items(number)

        async def agent(items: list[Item], added: list[Item] = added) -> list[Item]:
            sent.append([json.dumps(item) for item in items])
            return added

        # As in another process: nothing is known but what lies in the store.
        call = with_session(agent, store=store, middleware=list(make()))
        await call([question], session="s")
    return sent


def shares(sent: list[list[str]]) -> list[float]:
    """Return which share of each turn's text is the beginning of the turn before, in percent."""
    found = []
    for before, now in itertools.pairwise(sent):
        same = 0
        for one, other in zip(before, now, strict=False):
            if one != other:
                break
            same += len(one)
        found.append(100 * same / sum(map(len, now)))
    return found


def broken(sent: list[list[str]]) -> int:
    """Return how many turns do not begin with all that the turn before was sent."""
    pairs = itertools.pairwise(sent)
    return sum(1 for before, now in pairs if now[: len(before)] != before)


async def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"{'of 200 turns':42}{'reused':>10}{'broken':>10}{'target':>10}")
    reused: dict[str, list[float]] = {}
    for name, make in VARIANTS.items():
        sent = await sent_by(make)
        reused[name] = shares(sent)
        weights = [sum(map(len, texts)) for texts in sent[1:]]
        whole = sum(s * w for s, w in zip(reused[name], weights, strict=True)) / sum(weights)
        target = "" if "sliding" in name else "≥ 85 %"
        print(f"{name:42}{whole:>8.1f} %{broken(sent):>6} / {TURNS - 1}{target:>8}")
    draw(reused)


def draw(reused: dict[str, list[float]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for name in ("max_turns=20", "max_turns=20, sliding (drop_to=1)", f"max_tokens={TOKENS}"):
        axes.plot(range(2, TURNS + 1), reused[name], label=name)
    axes.set_xlabel("turn")
    axes.set_ylabel("% of the text that was sent before")
    axes.set_title("What a prompt cache can serve: more is cheaper")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(RESULTS / "prefixes.png", dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    asyncio.run(main())
