"""The rules that keep the core free of frameworks, of circles and of large files."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted(path for path in ROOT.glob("memwrap/**/*.*") if path.suffix != ".pyc")
SOURCES = [path for path in CORE if path.suffix == ".py"]
ADAPTERS = sorted(ROOT.glob("adapters/**/*.py"))

# Tests of the whole: what people read and run, and what imports what.
OF_THE_WHOLE = {
    *("test_docs.py", "test_exports.py", "test_house.py"),
}
FOLDERS = ("", "hidden/", "memory/", "middleware/", "sessions/", "testing/")
TESTS = sorted(
    path
    for folder in FOLDERS
    for path in ROOT.glob(f"tests/{folder}*.py")
    if path.name not in OF_THE_WHOLE
)

GAP = r"[\s_#-]*"  # a name may be spelled in several ways, and break over two lines
FRAMEWORK = re.compile(
    rf"langchain|langgraph|openai{GAP}agents|agents{GAP}sdk|pydantic{GAP}ai|llama{GAP}index"
    rf"|agent{GAP}framework|\bstrands\b|google\.adk|\badk\b|crewai|\bautogen\b|litellm|anthropic"
    rf"|\bgenai\b",
    re.IGNORECASE,
)
# The Responses API defines what an item is, so it alone may be named.
# Formats of files have the names that people know them by, and nothing else of whose they are.
NAMES_OF_FORMATS = {"memwrap/formats/registry.py": '"openai"'}
VENDOR = re.compile(r"\bopenai\b(?!\s+responses\s+api)|\bsdks?\b", re.IGNORECASE)

BLOCKED = {
    *("agent_framework", "agents", "anthropic", "autogen", "autogen_core", "crewai", "google"),
    *("langchain", "langchain_community", "langchain_core", "langgraph", "litellm"),
    *("llama_index", "openai", "pydantic", "pydantic_ai", "strands"),
}
BLOCK = """
import importlib, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise RuntimeError(f"{name} was imported for {current}")

sys.meta_path.insert(0, Block())
for current in MODULES:
    importlib.import_module(current)
"""


def short(path):
    """Return the path of a file in the checkout."""
    return path.relative_to(ROOT).as_posix()


def module_of(path):
    """Return the name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


def imported(path):
    """Return the modules that a file imports anywhere, for type checkers or in a function too."""
    package = module_of(path if path.name == "__init__.py" else path.with_name("__init__.py"))
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(dots, package) if node.level else dots
            members = [f"{source}.{alias.name}" for alias in node.names]
            names |= {member if member in MODULES else source for member in members}
    return names


def circles(imports):
    """Return the groups of modules that import each other, each as a set."""
    reached = {}
    for module in imports:
        found, todo = set(), [module]
        while todo:
            new = imports.get(todo.pop(), set()) - found
            found |= new
            todo += new
        reached[module] = found
    return {
        frozenset({other for other in reached[module] if module in reached.get(other, ())})
        for module in imports
        if module in reached[module]
    }


def strings(path):
    """Return the strings in a file's code, which its docstrings are not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


def probes(path):
    """Return the attributes that a file looks for on an adapter by a literal name."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"getattr", "hasattr"}
        and re.search(r"(\b|_)adapter$", ast.unparse(node.args[0]))
        and isinstance(node.args[1], ast.Constant)
    ]


@pytest.mark.parametrize("path", CORE, ids=short)
def test_core_names_no_framework(path):
    """No file of the core names a framework, in code, errors, docstrings or comments."""
    text = path.read_text(encoding="utf-8").replace(NAMES_OF_FORMATS.get(short(path), "\0"), "")
    assert [*FRAMEWORK.findall(text), *VENDOR.findall(text)] == []


@pytest.mark.parametrize("path", TESTS, ids=short)
def test_core_tests_name_no_framework(path):
    """Tests of the core name no framework, so that they prove what holds without any."""
    found = FRAMEWORK.findall(path.read_text(encoding="utf-8"))
    assert found == []


def test_core_loads_without_frameworks():
    """Every module of the core can be imported where no framework can."""
    code = f"BLOCKED = {BLOCKED!r}\nMODULES = {sorted(MODULES)!r}\n{BLOCK}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_core_has_no_import_circle():
    """No modules of the core import each other, not even for type checkers only."""
    graph = {name: imported(path) & MODULES.keys() for name, path in MODULES.items()}
    assert sum(map(len, graph.values())) > len(graph)
    assert circles(graph) == set()


def test_core_imports_no_adapter():
    """No module of the core imports the adapters; two modules load them by name."""
    for path in SOURCES:
        adapters = {name for name in imported(path) if name.startswith("memwrap.adapters")}
        assert adapters == set(), short(path)
    by_name = {
        short(path)
        for path in SOURCES
        if any(re.fullmatch(r"memwrap\.adapters[\w.]*", text) for text in strings(path))
    }
    assert by_name == {"memwrap/dialects.py", "memwrap/hidden/data.py"}


def test_only_dialects_reads_what_is_loaded():
    """No module of the core asks what has been imported, but for the one that finds adapters."""
    files = {
        short(path)
        for path in SOURCES
        if re.search(r"\bsys\.modules\b|from sys import .*\bmodules\b", path.read_text("utf-8"))
    }
    assert files <= {"memwrap/dialects.py"}


def test_only_hidden_knows_the_key_of_hidden_data():
    """The key of hidden data is spelled in one package only."""
    files = {
        short(path)
        for path in [*SOURCES, *ADAPTERS]
        if any("provider_data" in text for text in strings(path))
    }
    assert {file for file in files if not file.startswith("memwrap/hidden/")} == set()
    assert files


def test_files_are_short():
    """A file has at most 320 lines, so that it holds one thing."""
    lines = {
        short(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*SOURCES, *ADAPTERS]
    }
    assert {file: count for file, count in lines.items() if count > 320} == {}


def test_adapters_are_not_probed():
    """What memwrap asks of an adapter is in a protocol, and not looked for by its name."""
    found = {short(path): probes(path) for path in [*SOURCES, *ADAPTERS]}
    assert {file: calls for file, calls in found.items() if calls} == {}
