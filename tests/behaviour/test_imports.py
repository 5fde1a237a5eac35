"""What importing and using memwrap loads, and what it does not."""

import subprocess
import sys

FRAMEWORKS = {
    *("agent_framework", "agents", "anthropic", "langchain", "langchain_core", "langgraph"),
    *("google.adk", "google.genai", "llama_index", "openai", "pydantic", "pydantic_ai", "strands"),
}


def imported_by(statement):
    """Return the modules that are loaded after *statement* and are not in a bare Python."""

    def loaded(code):
        script = f"{code}\nimport sys; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        return set(done.stdout.split())

    return loaded(statement) - loaded("pass")


def test_import_is_light():
    """Importing memwrap loads neither a framework nor what takes long."""
    loaded = imported_by("import memwrap")
    heavy = {"aiosqlite", "asyncio", "msgspec", "sqlite3", "wrapt", *FRAMEWORKS}
    assert not loaded & heavy
    assert {name for name in loaded if name.startswith("memwrap.")} == set()


def test_use_imports_no_framework():
    """Wrapping and running an agent loads no framework either."""
    loaded = imported_by(
        "import asyncio, memwrap\n"
        "from memwrap import *\n"
        "import memwrap.middleware, memwrap.adapters, memwrap.sessions\n"
        "agent = memwrap.with_session(lambda items: 'x', session=InMemorySession('s'))\n"
        "assert agent('a') == 'x'"
    )
    assert not loaded & FRAMEWORKS
