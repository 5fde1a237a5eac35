"""Disks that fail: in every single call of a workload, or for a while, or for want of space."""

import json
from pathlib import Path

import pytest

SETUP = """
import asyncio, json, logging, os, shutil, sqlite3, sys
from contextlib import closing

sys.path.insert(0, sys.argv[2])
from faulty_disk import Disk
from memwrap import SQLiteSession, StoreError, TurnNotSaved, run
from memwrap.items import text_of, user

logging.getLogger("memwrap").addHandler(logging.NullHandler())
disk = Disk()
path = sys.argv[1]

async def agent(items):
    return "answer to " + items[-1]["content"]

async def texts(session):
    async with asyncio.timeout(5):
        return [text_of(item) for item in await session.get_items()]

async def attempt(work):
    # Return the name of the error that the caller is told; it must not take for ever.
    try:
        async with asyncio.timeout(5):
            await work
    except Exception as exc:
        return type(exc).__name__
    return "ok"

def raw(file):
    # Return what a process would find that opens the file by itself, and whether it is sound.
    with closing(sqlite3.connect(file)) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchall():
            return [], sound
        rows = connection.execute("SELECT message_data FROM agent_messages ORDER BY id").fetchall()
        return [text_of(json.loads(row)) for (row,) in rows], sound

def copied(file):
    # Return a copy without the log's index, as a power cut or a kill leaves it.
    shutil.copy(file, file + ".copy")
    if os.path.exists(file + "-wal"):
        shutil.copy(file + "-wal", file + ".copy-wal")
    return file + ".copy"
"""

# Makes the n-th call fail, for all n. What an error refused is not there for the session or for
# other connections. A log whose commit could not be synchronised may still hold it, whole, until
# the next write, and a copy of the files shows that.
SWEEP = (
    SETUP
    + """
problems, told, struck = [], set(), set()

def after(held, step):
    if step == "pop":
        return held[:-1]
    if step == "clear":
        return []
    if step == "turn":
        return [*held, "question", "answer to question"]
    return held if step == "get" else [*held, *[f"{step}-{index}" for index in range(step)]]

def work(session, step):
    if step == "turn":
        return run(agent, "question", session=session)
    if isinstance(step, int):
        return session.add_items([user(f"{step}-{index}") for index in range(step)])
    methods = {"get": session.get_items, "pop": session.pop_item, "clear": session.clear_session}
    return methods[step]()

async def take(n, session, step, held):
    # Do one step; return what the session holds then.
    wanted, before = after(held, step), len(disk.struck)
    outcome = await attempt(work(session, step))
    told.add(outcome)
    allowed = [wanted]
    if outcome != "ok":
        # What was to be added is not there; what was to be removed may be gone.
        allowed = [held, wanted] if step in ("pop", "clear") else [held]
        if outcome != "StoreError" or len(disk.struck) == before:
            problems.append((n, step, disk.struck, "was told as", outcome))
        rest, sound = raw(copied(f"{path}{n}"))
        if rest not in (held, wanted) or not sound:
            problems.append((n, step, disk.struck, "left in the files", rest, sound))
    try:
        now = await texts(session)
    except StoreError:
        now = await texts(session)
    if now not in allowed:
        problems.append((n, step, disk.struck, outcome, "left", now, "of", held))
    return now

async def sweep(n, kinds, full):
    session, held = SQLiteSession("s", f"{path}{n}"), []
    disk.fail(*kinds, at=n, full=full)
    for step in (2, "get", "pop", 20, "turn", "clear", "turn", 3):
        held = await take(n, session, step, held)
    await session.close(linger=0)
    struck.update(disk.struck)
    is_over = not disk.struck
    disk.repair()
    held = await take(n, session, 1, held)
    found = raw(f"{path}{n}")
    if found != (held, True):
        problems.append((n, "the end", found, "for", held))
    await session.close(linger=0)
    return is_over

async def main():
    n, full = 1, sys.argv[3] == "full"
    while not await sweep(n, ("write",) if full else (), full):
        n += 1
    print(json.dumps([n, sorted(told), sorted(struck), problems]))

asyncio.run(main())
"""
)

# Calls of some kinds fail until the repair: for a session that is open and one that never was.
# Prints what its work was told meanwhile, and what the open one has read.
OUTAGE = (
    SETUP
    + """
kinds, full = sys.argv[3].split(","), sys.argv[4] == "full"

async def main():
    old, new = SQLiteSession("s", path), SQLiteSession("s", path + "-new")
    await old.add_items([user("1"), user("2")])
    held = {old: ["1", "2"], new: []}
    told = {"add": set(), "pop": set(), "clear": set(), "turn": set(), "get": set()}
    read = []
    disk.fail(*kinds, forever=True, full=full)
    for session in (old, new) * 3:
        told["add"].add(outcome := await attempt(session.add_items([user("3"), user("4")])))
        held[session] += ["3", "4"] if outcome == "ok" else []
        told["turn"].add(outcome := await attempt(run(agent, "q", session=session)))
        held[session] += ["q", "answer to q"] if outcome == "ok" else []
        told["pop"].add(outcome := await attempt(session.pop_item()))
        held[session][-1:] = [] if outcome == "ok" else held[session][-1:]
        told["get"].add(outcome := await attempt(session.get_items()))
        if outcome == "ok":
            assert await texts(session) == held[session]
            read.append(session is old)
    disk.repair()
    for session in (old, new):
        assert await texts(session) == held[session], (await texts(session), held[session])
        await session.add_items([user("5")])
        assert await run(agent, "q", session=session) == "answer to q"
        assert await session.pop_item() is not None
        assert await texts(session) == [*held[session], "5", "q"]
        disk.fail(*kinds, forever=True, full=full)
        told["clear"].add(outcome := await attempt(session.clear_session()))
        disk.repair()
        assert await texts(session) in ([], [*held[session], "5", "q"])
        await session.clear_session()
        await session.add_items([user("last")])
        await session.close(linger=0)
    assert raw(path) == raw(path + "-new") == (["last"], True)
    told = {name: sorted(outcomes) for name, outcomes in told.items()}
    print(json.dumps([told, read]))

asyncio.run(main())
"""
)

# The disk fails when the agent has answered, and for all three tries to store the turn.
UNSAVED = (
    SETUP
    + """
async def unlucky(items):
    disk.fail(sys.argv[4], forever=True, full=True)
    return "too much"

async def main():
    session = SQLiteSession("s", path)
    await run(agent, "1", session=session)
    try:
        async with asyncio.timeout(5):
            await run(unlucky, "2", session=session)
    except TurnNotSaved as exc:
        error = exc
    assert type(error) is TurnNotSaved and error.result == "too much"
    assert await texts(session) == ["1", "answer to 1"]
    told = [await attempt(error.retry())]
    disk.repair()
    if sys.argv[3] == "retried":
        told += [await attempt(error.retry()), await attempt(error.retry())]
    else:
        told += [await attempt(run(agent, "3", session=session))]
    print(json.dumps([told, await texts(session), raw(path)]))

asyncio.run(main())
"""
)

HERE = str(Path(__file__).parents[1])


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("error", ["delete", "map", "open", "read", "sync", "truncate", "write"]),
        ("full", ["write"]),
    ],
)
def test_each_call_may_fail(script, path, fault, kinds):
    """Whichever call fails is told as a StoreError, has no half effect, and leaves all working."""
    runs, told, struck, problems = json.loads(script(SWEEP, path, HERE, fault))
    assert problems == []
    assert struck == kinds
    assert told == ["StoreError", "ok"]
    assert runs > 60


def test_full_disk_refuses_writes_only(script, path):
    """While the disk is full all that writes raises, reads go on, and freed space ends it."""
    told, read = json.loads(script(OUTAGE, path, HERE, "write", "full"))
    assert told.pop("get") == ["StoreError", "ok"]
    assert read == [True] * 3, "the open session was not read, or one without a file was"
    assert set(map(tuple, told.values())) == {("StoreError",)}


@pytest.mark.parametrize(
    ("kinds", "refused"),
    [
        ("write", {"add", "turn", "pop", "get", "clear"}),
        ("sync", {"add", "turn", "pop", "get", "clear"}),
        ("read", {"add", "turn", "pop", "get", "clear"}),
        ("open", {"add", "turn", "pop", "get"}),
        ("delete", {"add", "turn", "pop", "get"}),
        ("map", {"add", "turn", "pop", "get"}),
        ("truncate", {"clear"}),
        ("open,read,write,sync,truncate,delete,map", {"add", "turn", "pop", "get", "clear"}),
    ],
)
def test_outages_end_with_their_cause(script, path, kinds, refused):
    """What fails for a while is told each time, loses nothing, and works again afterwards."""
    told, _ = json.loads(script(OUTAGE, path, HERE, kinds, "error"))
    assert set(told["turn"]) <= {"ok", "StoreError", "TurnNotSaved"}
    assert {outcome for name in told if name != "turn" for outcome in told[name]} <= {
        "ok",
        "StoreError",
    }
    assert {name for name, outcomes in told.items() if outcomes != ["ok"]} == refused


# When writes fail the lease cannot be given back, and when syncs fail it can.
FAULTS = pytest.mark.parametrize("fault", ["write", "sync"])


@FAULTS
def test_unsaved_turn_is_stored_by_its_retry(script, path, fault):
    """A turn that a failing disk refused is stored by its retry once the disk works, once."""
    told, texts, found = json.loads(script(UNSAVED, path, HERE, "retried", fault))
    assert told == ["TurnNotSaved", "ok", "ok"]
    assert texts == ["1", "answer to 1", "2", "too much"]
    assert found == [texts, True]


@FAULTS
def test_unsaved_turn_blocks_no_other(script, path, fault):
    """The turn after one that a failing disk refused runs at once when the disk works again."""
    _, texts, found = json.loads(script(UNSAVED, path, HERE, "dropped", fault))
    assert texts == ["1", "answer to 1", "3", "answer to 3"]
    assert found == [texts, True]
