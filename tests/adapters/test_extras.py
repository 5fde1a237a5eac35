import importlib
import sys

import pytest

from memwrap.adapters.extras import need

MISSING = """
import importlib, sys
sys.modules[{"adk": "google.adk", "genai": "google.genai"}.get(sys.argv[1], sys.argv[1])] = None
try:
    importlib.import_module(f"memwrap.adapters.{sys.argv[1]}")
except ImportError as exc:
    print(exc)
"""

EXTRAS = {
    "adk": "adk",
    "agent_framework": "agent-framework",
    "genai": "genai",
    "llama_index": "llama-index",
    "strands": "strands",
}


@pytest.mark.parametrize("module", EXTRAS)
def test_missing_framework_names_the_line(module, script):
    """Without its framework an adapter says which line installs it."""
    line = f'pip install "memwrap[{EXTRAS[module]}]"'
    assert line in script(MISSING, module)


def test_framework_that_lacks_something_itself(tmp_path, monkeypatch):
    """What a framework that is there lacks itself is told as it is."""
    (tmp_path / "framework_of_a_test.py").write_text("import nothing_of_that_name")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        need("framework_of_a_test", "x")
    assert "framework_of_a_test" not in sys.modules
