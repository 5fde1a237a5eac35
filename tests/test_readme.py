import ast
import asyncio
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


async def run_async(code, namespace):
    await eval(code, namespace)


def run(source, number, namespace):
    """Run a block as a script, or, if it awaits at the top level, on an event loop."""
    code = compile(source, f"README block {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & 0x80:  # CO_COROUTINE
        asyncio.run(run_async(code, namespace))
    else:
        exec(code, namespace)


def test_every_block_runs(tmp_path, monkeypatch, capsys):
    """The code blocks of the README run from first to last, in one folder."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "readme"}
    for number, source in enumerate(BLOCKS, 1):
        run(source, number, namespace)
    assert len(BLOCKS) > 10
    assert "3 messages" in capsys.readouterr().out


def test_quick_start_remembers_between_runs(tmp_path, monkeypatch, capsys):
    """The first block counts on when it is run a second time."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        run(BLOCKS[0], 1, {"__name__": "readme"})
    counts = re.findall(r"\d+", capsys.readouterr().out)
    assert counts == ["1", "2", "3", "4"]


@pytest.mark.parametrize("name", ["InMemorySession", "SQLiteSession"])
def test_store_table_tells_what_is_promised(name, tmp_path):
    """The table of stores says what the sessions' machine-readable promises say."""
    import memwrap

    args = [tmp_path / "x.db"] if name == "SQLiteSession" else []
    promises = getattr(memwrap, name)("s", *args).promises
    row = next(line for line in README.read_text().splitlines() if line.startswith(f"| `{name}`"))
    survives = {"none": "nothing", "process": "a killed process", "power": "a power cut"}
    yes = {True: "yes", False: "no"}
    expected = [
        survives[promises.durability],
        yes[promises.shared],
        yes[promises.isolated],
        yes[promises.expires],
    ]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == expected
