import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py") if path.stem != "tiny_model")

# What shows that the example did what it is about.
SHOWS = {
    "agents_sdk.py": "Your name is Ada.",
    "demo.py": "Your name is Ada.  (Agents SDK agent)",
    "import_langchain.py": "Your name is Ada.",
    "langchain_runnable.py": "Your city is Turin.",
    "langgraph_agent.py": "function_call_output",
    "middleware.py": "My pin is [REDACTED].",
    "one_conversation.py": "Your city is Turin.",
    "quickstart.py": "Your name is Ada.",
    "real_model.py": "Set OPENAI_API_KEY",
    "streaming.py": "stored: 4 items",
}


def run(name, folder, **environment):
    inherited = {key: value for key, value in os.environ.items() if "OPENAI" not in key}
    return subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("name", NAMES)
def test_example_runs(name, tmp_path):
    """Each example runs offline, ends well, warns of nothing and shows its point."""
    done = run(name, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert SHOWS.get(name, "") in done.stdout


@pytest.mark.parametrize("name", [name for name in NAMES if name in SHOWS])
def test_example_is_short(name):
    """An example is one idea on one page."""
    assert len((EXAMPLES / name).read_text().splitlines()) <= 80


def test_demo_remembers_when_run_again(tmp_path):
    """The second run of the demo answers from what was said in the first."""
    first, second = run("demo.py", tmp_path), run("demo.py", tmp_path)
    assert "Ada" not in second.stdout.split("Your name is")[0]
    assert "My name" in first.stdout or "my name is Ada" in first.stdout
    for answer in ("Your name is Ada.", "Your city is Turin.", "Your pet is Minou."):
        assert answer in second.stdout


@contextmanager
def chat_server():
    """A server of the Chat Completions API that says how many messages it was sent."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(body["messages"])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for text in ("I see ", f"{len(body['messages'])} messages."):
                chunk = {
                    "id": "c",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": body["model"],
                    "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
                }
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_real_model_remembers(tmp_path):
    """With a key and a server the real client gets the history and its stream is remembered."""
    with chat_server() as (url, requests):
        done = run("real_model.py", tmp_path, OPENAI_API_KEY="key", OPENAI_BASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert "I see 3 messages." in done.stdout
    assert [message["role"] for message in requests[1]] == ["user", "assistant", "user"]
    assert requests[1][1]["content"] == "I see 1 messages."
