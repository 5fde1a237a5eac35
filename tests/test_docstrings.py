import ast
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.rglob("test_*.py"))


def found_in(tree):
    for node in ast.walk(tree):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_function and node.name.startswith("test_"):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_test_says_what_holds(path):
    """Each test states in one sentence the behaviour that it proves."""
    for node in found_in(ast.parse(path.read_text())):
        said = ast.get_docstring(node) or ""
        assert said.endswith("."), f"{path.name}: {node.name} says {said!r}"
        assert "\n\n" not in said, f"{path.name}: {node.name} says more than a sentence"
