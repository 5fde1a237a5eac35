"""The README and the pages of docs/: what they show runs, and what they name is there."""

import ast
import asyncio
import codeop
import json
import re
from pathlib import Path

import anthropic
import httpx2
import openai
import pytest
from corpus.wire import refused_by_anthropic

import memwrap

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(DOCS.rglob("*.md"))]
WITH_BLOCKS = [page for page in PAGES if "```python\n" in page.read_text()]
# What a block says that it prints.
PRINTED = re.compile(r"print\(.*\)(?:  |\n)# (.+)$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def blocks_of(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


async def run_async(code, namespace):
    await eval(code, namespace)


def run(source, title, namespace):
    """Run a block as a script, or, if it awaits at the top level, on an event loop."""
    code = compile(source, title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & 0x80:  # CO_COROUTINE
        asyncio.run(run_async(code, namespace))
    else:
        exec(code, namespace)


def run_page(page):
    namespace = {"__name__": page.stem}
    for number, source in enumerate(blocks_of(page), 1):
        run(source, f"{name_of(page)}, block {number}", namespace)
    return namespace


class Model:
    """A server of OpenAI's two APIs that knows no more than what a request shows.

    It asks for each tool it is offered when the weather is spoken of, tells what the tool said, and
    refuses what the real ones refuse.
    """

    def __init__(self):
        self.bodies = []
        self.count = 0

    def __call__(self, request):
        body = json.loads(request.content)
        self.bodies.append(body)
        self.count += 1
        is_chat = request.url.path.endswith("/chat/completions")
        events = self.chat(body) if is_chat else self.responses(body)
        if not body.get("stream"):
            return httpx2.Response(200, json=events[-1])
        lines = [f"data: {json.dumps(event)}\n\n" for event in events[:-1]]
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, text="".join([*lines, "data: [DONE]\n\n"]))

    def answer(self, messages, output):
        """Return the text of the next message, or None to ask for the tool."""
        said = [text for role, text in messages if role == "user"]
        if output is not None:
            return f"It is {output}."
        if "weather" in said[-1]:
            return None
        names = re.findall(r"[Mm]y name is (\w+)", " ".join(said))
        if "name?" in said[-1]:
            return f"Your name is {names[-1]}." if names else "I do not know."
        return f"I have read {len(messages)} messages."

    def responses(self, body):
        items = body["input"]
        assert isinstance(items, list)
        assert not any("provider_data" in item for item in items)
        calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
        outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
        assert calls == outputs
        messages = [(item["role"], text_of(item)) for item in items if "role" in item]
        last = items[-1].get("output")
        text = self.answer(messages, last)
        if text is None:
            (tool,) = body["tools"]
            output = [
                {"type": "reasoning", "id": f"rs_{self.count}", "summary": []},
                {
                    "type": "function_call",
                    "id": f"fc_{self.count}",
                    "call_id": f"call_{self.count}",
                    "name": tool["name"],
                    "arguments": '{"city": "Turin"}',
                    "status": "completed",
                },
            ]
        else:
            part = {"type": "output_text", "text": text, "annotations": []}
            output = [
                {
                    "type": "message",
                    "id": f"msg_{self.count}",
                    "role": "assistant",
                    "status": "completed",
                    "content": [part],
                }
            ]
        response = {
            "id": f"resp_{self.count}",
            "object": "response",
            "created_at": 0,
            "model": body["model"],
            "output": output,
            "status": "completed",
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }
        place = {"item_id": "m", "output_index": 0, "content_index": 0, "logprobs": []}
        deltas = [
            {
                "type": "response.output_text.delta",
                "delta": word,
                "sequence_number": number,
                **place,
            }
            for number, word in enumerate(re.findall(r"\S+\s*", text or ""))
        ]
        end = {"type": "response.completed", "response": response, "sequence_number": len(deltas)}
        return [*deltas, end, response]

    def chat(self, body):
        messages = body["messages"]
        for message in messages:
            assert message.keys() <= {"role", "content", "tool_calls", "tool_call_id", "refusal"}
        calls = [c["id"] for message in messages for c in message.get("tool_calls") or []]
        assert calls == [m["tool_call_id"] for m in messages if m["role"] == "tool"]
        last = messages[-1]
        spoken = [(message["role"], message["content"]) for message in messages]
        text = self.answer(spoken, last["content"] if last["role"] == "tool" else None)
        message = {"role": "assistant", "content": text, "refusal": None}
        if text is None:
            (tool,) = body["tools"]
            function = {"name": tool["function"]["name"], "arguments": '{"city": "Turin"}'}
            call = {"id": f"call_{self.count}", "type": "function", "function": function}
            message["tool_calls"] = [call]
        shared = {"id": "c", "created": 0, "model": body["model"]}
        deltas = [
            {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
            for word in re.findall(r"\S+\s*", text or "")
        ]
        reason = "tool_calls" if text is None else "stop"
        chunks = [
            {**shared, "object": "chat.completion.chunk", "choices": [choice]}
            for choice in [*deltas, {"index": 0, "delta": {}, "finish_reason": reason}]
        ]
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return [*chunks, {**shared, "object": "chat.completion", "choices": [choice]}]


def text_of(item):
    content = item["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def anthropic_reply(request):
    """Answer a request to Anthropic's API: a call of its tool first, then what the tool found."""
    body = json.loads(request.content)
    assert refused_by_anthropic(body) == []
    last = body["messages"][-1]["content"]
    found = [block for block in last if block["type"] == "tool_result"] if last != str(last) else []
    said = found[-1]["content"] if found else f"{len(body['messages'])} messages so far"
    content = [{"type": "text", "text": said}]
    if body.get("tools") and not found and "weather" in str(last):
        name = body["tools"][0]["name"]
        content = [{"type": "tool_use", "id": "toolu_1", "name": name, "input": {"city": "Turin"}}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"]}
    message |= {"content": content, "stop_reason": "end_turn", "stop_sequence": None}
    return httpx2.Response(200, json=message | {"usage": {"input_tokens": 1, "output_tokens": 1}})


@pytest.fixture
def model(monkeypatch):
    """Let clients of `openai` and `anthropic` talk to models that have no network."""
    model = Model()
    transport = httpx2.MockTransport(model)
    made, made_async = [], []

    def client():
        made.append(Client(api_key="key", http_client=httpx2.Client(transport=transport)))
        return made[-1]

    def async_client():
        http_client = httpx2.AsyncClient(transport=transport)
        made_async.append(AsyncClient(api_key="key", http_client=http_client))
        return made_async[-1]

    def anthropic_client():
        http_client = httpx2.AsyncClient(transport=httpx2.MockTransport(anthropic_reply))
        made_async.append(AnthropicClient(api_key="key", http_client=http_client))
        return made_async[-1]

    AnthropicClient = anthropic.AsyncAnthropic
    monkeypatch.setattr(anthropic, "AsyncAnthropic", anthropic_client)
    Client, AsyncClient = openai.OpenAI, openai.AsyncOpenAI
    monkeypatch.setattr(openai, "OpenAI", client)
    monkeypatch.setattr(openai, "AsyncOpenAI", async_client)
    yield model
    for one in made:
        one.close()
    for one in made_async:
        asyncio.run(one.close())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


SERVERS = {"DATABASE_URL": "postgres_url", "REDIS_URL": "redis_url"}
"""Fixtures that give what blocks read from the environment."""


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
@pytest.mark.usefixtures("folder", "model")
def test_every_block_runs(page, capsys, request, monkeypatch):
    """The blocks of a page run from first to last in one folder, and print what they say."""
    for name, server in SERVERS.items():
        if name in page.read_text():
            monkeypatch.setenv(name, request.getfixturevalue(server))
    run_page(page)
    printed = capsys.readouterr().out
    for source in blocks_of(page):
        for text in PRINTED.findall(source):
            assert text in printed


@pytest.mark.usefixtures("folder")
def test_first_block_remembers_between_runs(model, capsys):
    """Run a second time, the first block of the README shows the model the run before."""
    source = blocks_of(README)[0]
    for _ in range(2):
        run(source, "README.md, block 1", {"__name__": "readme"})
    assert [len(body["input"]) for body in model.bodies] == [1, 3, 5, 7]
    assert capsys.readouterr().out.count("Your name is Ada.") == 2


@pytest.mark.usefixtures("folder")
def test_offline_block_remembers_between_runs(capsys):
    """The second block of the README counts on when it is run a second time."""
    for _ in range(2):
        run(blocks_of(README)[1], "README.md, block 2", {"__name__": "readme"})
    assert re.findall(r"\d+", capsys.readouterr().out) == ["1", "2", "3", "4"]


@pytest.mark.usefixtures("folder", "model")
def test_tool_loops_store_the_whole_exchange():
    """Both tool loops of the README leave input, calls, outputs and answer in the session."""
    session = run_page(README)["store"].session("user_123")
    items = asyncio.run(session.get_items())
    kinds = [item.get("role") or item["type"] for item in items]
    exchange = ["function_call", "function_call_output", "assistant"]
    assert kinds == ["user", "reasoning", *exchange, "user", *exchange]
    assert text_of(items[-1]) == "It is sunny in Turin."


@pytest.mark.parametrize("source", [b for b in blocks_of(README) if "asyncio.run" not in b])
def test_readme_can_be_pasted(source):
    """What the README has for `python -m asyncio` is whole statements there, line by line."""
    compiler = codeop.CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    lines = []
    for line in [*source.splitlines(), ""]:
        lines.append(line)
        if compiler("\n".join(lines), "pasted", "single") is not None:
            lines = []
    assert not any(lines)


def test_readme_is_short():
    """The README has at most 200 lines."""
    assert len(README.read_text().splitlines()) <= 200


def test_items_of_the_readme_are_items():
    """Each line that the README shows as an item is one."""
    from memwrap.adapters import plain

    (lines,) = re.findall(r"```json\n(.*?)```", README.read_text(), re.DOTALL)
    items = [json.loads(line) for line in lines.splitlines()]
    assert plain.to_items(items) == items
    assert len(items) == 5


def anchors_of(page):
    """Return the names under which the headings of a page can be linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page):
    """Each relative link of a page leads to a file of the repository, and to a heading in it."""
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_page_is_listed(page):
    """Each page is linked to from the index of its folder, and each index from the first."""
    index = (DOCS if page.stem == "index" else page.parent) / "index.md"
    listed = LINK.findall(index.read_text())
    assert page == index or page.relative_to(index.parent).as_posix() in listed


@pytest.mark.parametrize("name", ["InMemorySession", "SQLiteSession"])
def test_store_table_tells_what_is_promised(name, tmp_path):
    """The table of stores says what the sessions' machine-readable promises say."""
    args = [tmp_path / "x.db"] if name == "SQLiteSession" else []
    promises = getattr(memwrap, name)("s", *args).promises
    lines = (DOCS / "stores.md").read_text().splitlines()
    row = next(line for line in lines if line.startswith(f"| `{name}`"))
    survives = {"none": "nothing", "process": "a killed process", "power": "a power cut"}
    yes = {True: "yes", False: "no"}
    expected = [
        survives[promises.durability],
        yes[promises.shared],
        yes[promises.isolated],
        yes[promises.expires],
    ]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == expected


def test_outcomes_name_their_tests():
    """Each row of the table of outcomes names tests that are there."""
    text = (DOCS / "turns.md").read_text()
    (table,) = re.findall(r"\| what happens \|.*?\n((?:\|.*\n)+)", text)
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for row in table.splitlines()[1:]:
        named = re.findall(r"`([^`]+)`", row.split("|")[-2])
        assert named, row
        for name in named:
            assert (ROOT / name).exists() or f"class {name}" in sources or f"def {name}" in sources


def test_errors_page_has_the_tree():
    """The page of errors shows the tree of `memwrap.exceptions`, line for line."""
    from memwrap import exceptions

    tree = re.findall(r"^    (.*\S)", exceptions.__doc__, re.MULTILINE)
    page = (DOCS / "errors.md").read_text()
    assert "\n".join(tree) in page
    for name in exceptions.__all__:
        assert f"`{name}`" in page


def test_scripts_of_costs_are_there():
    """Each script that the page of costs names is in the repository."""
    named = re.findall(r"`(benchmarks/[^`]+)`", (DOCS / "costs.md").read_text())
    assert len(set(named)) >= 5
    assert all((ROOT / name).exists() for name in named)


def test_paths_of_development_are_there():
    """Each file and folder that the page of development names is in the repository."""
    named = re.findall(r"`([\w./]+(?:/|\.py|\.toml))`", (DOCS / "development.md").read_text())
    assert len(set(named)) >= 10
    for name in named:
        assert (ROOT / name).exists(), name
