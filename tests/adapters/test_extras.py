import importlib
import sys

import pytest

from memwrap.adapters import NAMES
from memwrap.adapters.extras import need

MISSING = """
import importlib, sys
sys.modules[sys.argv[2]] = None
try:
    importlib.import_module(f"memwrap.adapters.{sys.argv[1]}")
except ImportError as exc:
    print(exc)
"""

# By adapter its extra, and the framework that the extra installs.
EXTRAS = {
    "adk": ("adk", "google.adk"),
    "agent_framework": ("agent-framework", "agent_framework"),
    "anthropic": ("anthropic", "anthropic"),
    "genai": ("genai", "google.genai"),
    "langchain": ("langchain", "langchain_core"),
    "langgraph": ("langgraph", "langgraph"),
    "llama_index": ("llama-index", "llama_index"),
    "openai_agents": ("openai-agents", "agents"),
    "pydantic_ai": ("pydantic-ai", "pydantic_ai"),
    "strands": ("strands", "strands"),
}


@pytest.mark.parametrize("module", EXTRAS)
def test_missing_framework_names_the_line(module, script):
    """Without its framework an adapter says which line installs it."""
    extra, framework = EXTRAS[module]
    assert f'pip install "memwrap[{extra}]"' in script(MISSING, module, framework)


def test_every_adapter_that_needs_a_framework_says_so():
    """The adapters without an extra are those of dicts, which need nothing."""
    assert {"chat", "plain", *EXTRAS} == NAMES


def test_framework_that_lacks_something_itself(tmp_path, monkeypatch):
    """What a framework that is there lacks itself is told as it is."""
    (tmp_path / "framework_of_a_test.py").write_text("import nothing_of_that_name")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        need("framework_of_a_test", "x")
    assert "framework_of_a_test" not in sys.modules
