"""Conversations out into files and back, by the command."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from memwrap import (
    InMemoryStore,
    PostgresStore,
    RedisStore,
    SQLiteStore,
    StoreError,
    copy,
    store_from_url,
    with_session,
)
from memwrap.cli.root import root
from memwrap.formats import FORMATS
from memwrap.testing import ScriptedAgent

READ = [name for name, format in FORMATS.items() if format.reads]


def run(*arguments, code=0, store=None, input=None):
    """Run a command; return what it wrote to stdout."""
    done = CliRunner().invoke(root, arguments, env={"MEMWRAP_STORE": store}, input=input)
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


async def fill(url, ids=("a", "b/ü")):
    async with store_from_url(url) as store:
        for session_id in ids:
            agent = with_session(ScriptedAgent("one", "two"), store=store)
            await agent("first", session=session_id, turn_id="r1")
            await agent("second", session=session_id)
            await store.update(session_id, title="T", owner="o", tags=["x"], metadata={"k": 1})


async def told(url, session_id):
    """Return what a store has of a session."""
    async with store_from_url(url) as store:
        info = await store.info(session_id)
        turns = [(turn.id, turn.number) for turn in await store.turns(session_id)]
        return info, turns, await store.session(session_id).get_items()


@pytest.fixture
def file(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    asyncio.run(fill(url))
    return url


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
def test_everything_moves_to_each_kind_of_store(file, kind, request, tmp_path):
    """The own format keeps turns, ids and titles, and storing it again adds nothing."""
    other = f"sqlite:///{tmp_path}/b.db"
    if kind != "sqlite":
        other = request.getfixturevalue(f"{kind}_url")
    path = str(tmp_path / "all.jsonl")
    assert run("export", "-q", "-o", path, "--check", store=file).split() == ["b/ü", "a"]
    lines = run("import", path, "--json", store=other).splitlines()
    assert [json.loads(line)["items"] for line in lines] == [4, 4]
    for session_id in ("a", "b/ü"):
        assert asyncio.run(told(other, session_id)) == asyncio.run(told(file, session_id))
    assert all(json.loads(line)["items"] == 0 for line in run_again(path, other))

    async def repeat():
        async with store_from_url(other) as store:
            return await with_session(ScriptedAgent("no"), store=store)(
                "first", session="a", turn_id="r1"
            )

    assert asyncio.run(repeat()) == "one"
    assert sorted(run("export", "a", "b/ü", store=other).splitlines()) == sorted(
        (tmp_path / "all.jsonl").read_text().splitlines()
    )


def run_again(path, store):
    return run("import", path, "--json", store=store).splitlines()


@pytest.mark.parametrize("name", READ)
def test_each_format_comes_back(file, name, tmp_path):
    """What was said comes back from stdout to stdin, and the format is told by its look."""
    other = f"sqlite:///{tmp_path}/b.db"
    text = run("export", "a", "--format", name, store=file)
    assert "4 items added" in run("import", "-", store=other, input=text)
    assert asyncio.run(told(other, "a"))[2] == asyncio.run(told(file, "a"))[2]
    assert "0 items added" in run("import", "-", "--format", name, store=other, input=text)


def test_a_folder_has_a_file_each(file, tmp_path):
    """A folder gets one file for each conversation, whatever the ids are."""
    folder = tmp_path / "out"
    run("export", "--format", "markdown", "-o", f"{folder}/", store=file)
    assert sorted(path.name for path in folder.iterdir()) == ["a.md", "b%2F%C3%BC.md"]
    assert "second" in (folder / "a.md").read_text()


def test_losses_are_told(file, tmp_path):
    """What a format cannot hold is told on stderr, and ends with 3 if that was asked for."""
    done = CliRunner().invoke(root, ["export", "a", "--format", "chat", "--store", file])
    assert done.exit_code == 0
    assert "a: 2 of 2 turns" in done.stderr
    assert "turns" not in done.stdout
    run("export", "a", "--format", "chat", "--check", code=3, store=file)
    run("export", "a", "--check", store=file)


def test_bad_files_are_refused(file, tmp_path):
    """Files of no format, without an id, or with other items are one line, and change nothing."""
    before = asyncio.run(told(file, "a"))
    bare = json.dumps([{"role": "user", "content": "hush"}])
    other = json.dumps({"id": "a", "messages": [{"role": "user", "content": "hush"}]})
    for text, code in (("hush", 2), (bare, 2), (other, 4)):
        done = CliRunner().invoke(root, ["import", "-", "--store", file], input=text)
        assert done.exit_code == code, done.output
        assert "hush" not in done.output
        assert len(done.stderr.strip().splitlines()) == 1
    assert "1 items added" in run("import", "-", "--as", "new", store=file, input=bare)
    assert asyncio.run(told(file, "a")) == before


def test_unknown_formats_and_sessions(file):
    """An unknown format is wrong use, and an unknown conversation is nothing found."""
    run("export", "--format", "word", code=2, store=file)
    run("import", "-", "--format", "html", code=2, store=file, input="x")
    run("export", "nobody", code=1, store=file)


def test_interrupted_files_do_not_show(file, tmp_path, monkeypatch):
    """A file takes its place when it is whole; until then the old one stays."""
    path = tmp_path / "a.jsonl"
    path.write_text("old")

    def broken(self, conversations):
        yield "half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(FORMATS["jsonl"]), "dump", broken)
    assert CliRunner().invoke(root, ["export", "a", "-o", str(path), "--store", file]).exit_code
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir() if "jsonl" in one.name] == ["a.jsonl"]


async def test_a_store_of_that_path_is_made(tmp_path):
    """An import makes the store that it reads into."""
    text = json.dumps({"id": "s", "messages": [{"role": "user", "content": "x"}]})
    url = str(tmp_path / "new.db")
    await asyncio.to_thread(run, "import", "-", store=url, input=text)
    async with SQLiteStore(url) as store:
        assert len(await store.session("s").get_items()) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
def test_stores_are_copied_from_each_kind_of_store(kind, request, tmp_path):
    """A copy reads its source only, and answered turns stay answered on the way out too."""
    source, target = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"
    if kind != "sqlite":
        source = request.getfixturevalue(f"{kind}_url")
    ids = ("copied/a", "copied/ü")
    asyncio.run(fill(source, ids))
    run("copy", source, target, "--prefix", "copied/")
    for session_id in ids:
        (info, *rest), (was, *before) = (
            asyncio.run(told(url, session_id)) for url in (target, source)
        )
        assert (info.title, info.owner, rest) == (was.title, was.owner, before)

    async def repeat():
        async with store_from_url(target) as store:
            agent = with_session(ScriptedAgent("no"), store=store)
            return await agent("first", session=ids[0], turn_id="r1")

    assert asyncio.run(repeat()) == "one"


async def test_an_empty_server_stays_empty(postgres_url, redis_url):
    """Nothing is made on a server that is named as the source by mistake: no schema, no secret."""
    for _ in range(2):
        async with RedisStore(redis_url, prefix="fresh:", read_only=True) as source:
            assert (await copy(source, InMemoryStore())).sessions == 0
            assert await source.backend.key() == b""
        async with PostgresStore(postgres_url, schema="fresh", read_only=True) as source:
            with pytest.raises(StoreError, match="nothing was made"):
                await copy(source, InMemoryStore())
