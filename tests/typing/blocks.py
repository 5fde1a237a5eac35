"""Writes the Python blocks of the README and of docs/ as modules, for type checkers.

The blocks of a page build on each other, and may await at the top level. So each becomes an async
function inside of the one before: it sees the names of those before, and may define them anew.
Parameters without annotations, as examples have them, are all that checkers are not strict about.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)

# What follows from a parameter without annotation, and what a block may have for the next one;
# LlamaIndex's agents have no call of `run` that its own types do not call deprecated.
HEADER = """\
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
# pyright: strict, reportMissingParameterType=false, reportMissingTypeArgument=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false, reportUntypedFunctionDecorator=false
# pyright: reportUnusedFunction=false, reportUnusedVariable=false, reportUnusedImport=false
# pyright: reportUnusedClass=false, reportMissingTypeStubs=false, reportDeprecated=false
"""


def module_of(page: Path) -> str:
    """Return the blocks of a page as the text of a module; empty if it has none."""
    name = page.relative_to(ROOT)
    lines: list[str] = []
    for depth, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
        head = f"async def block_{depth + 1}() -> None:  # of {name}\n"
        lines += [indent(head, "    " * depth), indent(block, "    " * (depth + 1)), "\n"]
    return HEADER + "".join(lines) if lines else ""


def main(folder: Path) -> None:
    """Write a module for each page that has blocks, and remove those of other pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    for page in PAGES:
        if text := module_of(page):
            module = re.sub(r"\W", "_", page.relative_to(ROOT).with_suffix("").as_posix())
            (folder / f"{module}.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
