"""``memwrap docs``: the pages of the documentation, of the version that is installed."""

from __future__ import annotations

from importlib.resources import files

import click

from memwrap.cli import common
from memwrap.cli.output import line

__all__ = ["docs"]


@click.command()
@click.argument("topic", required=False)
def docs(topic: str | None) -> int:
    """Print the page TOPIC, or the names of all pages."""
    pages = {
        entry.name.removesuffix(".md"): entry
        for entry in files("memwrap.pages").iterdir()
        if entry.name.endswith(".md")
    }
    if topic is None:
        for name in sorted(pages):
            line(name)
        return 0
    if topic not in pages:
        return common.nothing(f"there is no page {topic!r}; there are: {', '.join(sorted(pages))}")
    line(pages[topic].read_text(encoding="utf-8").rstrip("\n"))
    return 0
