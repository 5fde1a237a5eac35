"""Power cuts, simulated: what is on the disk then, of all that was written to it."""

import asyncio
import json
import pickle
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from faulty_disk import Event

from memwrap import SQLiteSession
from memwrap.items import text_of, user

# Works on two sessions and notes before and after each step what they hold: the texts of their
# items and how many turns were committed since they were cleared.
WORKLOAD = """
import asyncio, copy, pickle, random, sqlite3, sys
from contextlib import closing

sys.path.insert(0, sys.argv[2])
from faulty_disk import Disk
from memwrap import SQLiteSession, run
from memwrap.items import user

disk, rng, number = Disk(), random.Random(7), 0
sessions = {name: SQLiteSession(name, sys.argv[1]) for name in "ab"}
held = {name: ([], 0) for name in sessions}

async def agent(items):
    return "answer to " + items[-1]["content"]

def plan(step):
    # Return the work of a step and what the sessions hold after it.
    global number
    number += 1
    after, work = copy.deepcopy(held), []
    names = {"both": "ab", "other": "b"}.get(step, "a")
    for name in names:
        texts, turns = after[name]
        if step == "pop":
            texts[-1:] = []
            work.append(sessions[name].pop_item())
        elif step == "clear":
            after[name] = ([], 0)
            work.append(sessions[name].clear_session())
        elif step == "turn":
            text = f"{name}{number}"
            after[name] = ([*texts, text, "answer to " + text], turns + 1)
            work.append(run(agent, text, session=sessions[name]))
        else:
            count = step if isinstance(step, int) else 2
            long = "." * rng.choice([0, 0, 0, 3000])
            new = [f"{name}{number}-{index}{long}" for index in range(count)]
            texts += new
            work.append(sessions[name].add_items([user(text) for text in new]))
    return work, after

def checkpoint():
    # Lets the next writer begin the log anew, over what was in it.
    with closing(sqlite3.connect(sys.argv[1])) as other:
        assert other.execute("PRAGMA wal_checkpoint(FULL)").fetchone()[0] == 0

async def main():
    global held
    steps = [3, "turn", 1, "checkpoint", 1, "pop", "close", "both", 30, "turn", "checkpoint"]
    steps += [1, "other", "clear", 3, "turn", "pop"]
    steps += rng.choices([1, 3, 30, "turn", "pop", "both", "other", "clear", "checkpoint"], k=14)
    for step in steps:
        if step == "close":
            await sessions["a"].close(linger=0)
        elif step == "checkpoint":
            checkpoint()
        else:
            work, after = plan(step)
            disk.note((held, after))
            await asyncio.gather(*work)
            held = after
        disk.note((held, held))
    await sessions["a"].close(linger=0)
    disk.note((held, held))

asyncio.run(main())
with open(sys.argv[3], "wb") as file:
    pickle.dump([tuple(event) for event in disk.events], file)
"""

SECTOR = 512
NOTHING = {"a": ([], 0), "b": ([], 0)}


@pytest.fixture
def events(script, path, tmp_path):
    """What the workload did to the disk."""
    recorded = tmp_path / "events"
    script(WORKLOAD, path, str(Path(__file__).parents[1]), str(recorded))
    return [Event(*event) for event in pickle.loads(recorded.read_bytes())]


def crash_images(events, rng, variants):
    """Yield the files that a power cut may leave, for cuts at many places.

    A cut comes before and after each sync, at each note, and at some places in between. What was
    not synced by then is lost, is all there, or (in *variants* ways) is there in part: sectors of
    it, in any order, some of them cut in the middle.

    Yields:
        How many events came before the cut (a note is one of them), and the content of each file
        by its path.
    """
    files = {}
    pending = []
    for count, event in enumerate(events):
        if event.kind in {"sync", "note"} or rng.random() < 0.2:
            for luck in (0.0, 1.0, *rng.choices([0.5, 0.9, 0.98], k=variants)):
                yield count + (event.kind == "note"), left_of(files, pending, luck, rng)
        if event.kind == "sync":
            for other in pending:
                if other.name == event.name:
                    apply(files, other)
            pending = [other for other in pending if other.name != event.name]
            yield count + 1, left_of(files, pending, 0.0, rng)
        elif event.kind == "settle":
            deleted = {e.name: place for place, e in enumerate(pending) if e.kind == "delete"}
            for name in deleted:
                files.pop(name, None)
            pending = [e for place, e in enumerate(pending) if place > deleted.get(e.name, -1)]
        elif event.kind != "note":
            pending.append(event)


def left_of(files, pending, luck, rng):
    """Return what is on the disk: all of *files*, and with that luck what is pending."""
    left = {name: bytearray(content) for name, content in files.items()}
    undeleted = set()
    for event in pending:
        # What was written to a new file of that name is not seen while the old one is there.
        if event.name in undeleted:
            continue
        if event.kind == "write":
            for sector in sectors_of(event, luck, rng):
                apply(left, sector)
        elif rng.random() < luck:
            apply(left, event)
        elif event.kind == "delete":
            undeleted.add(event.name)
    return {name: bytes(content) for name, content in left.items()}


def sectors_of(event, luck, rng):
    """Yield those sectors of a write that have reached the disk."""
    end = event.offset + len(event.value)
    start = event.offset
    while start < end:
        stop = min(end, start - start % SECTOR + SECTOR)
        if rng.random() < luck:
            data = event.value[start - event.offset : stop - event.offset]
            if luck < 1 and rng.random() < 0.03:
                data = data[: rng.randrange(len(data))]
            yield event._replace(offset=start, value=data)
        start = stop


def apply(files, event):
    """Let an event reach the disk."""
    if event.kind == "delete":
        files.pop(event.name, None)
        return
    content = files.setdefault(event.name, bytearray())
    if event.kind == "write":
        content.extend(bytes(max(0, event.offset - len(content))))
        content[event.offset : event.offset + len(event.value)] = event.value
    elif event.kind == "truncate":
        del content[event.offset :]


def images(events, folder, variants=2):
    """Write each crash image to the folder; yield what its sessions must and may hold."""
    written = set()
    for count, files in crash_images(events, random.Random(3), variants):
        notes = (event.value for event in reversed(events[:count]) if event.kind == "note")
        must, may = next(notes, (NOTHING, NOTHING))
        key = hash((tuple(sorted(files.items())), repr((must, may))))
        if key in written:
            continue
        written.add(key)
        for file in folder.iterdir():
            file.unlink()
        for name, content in files.items():
            (folder / Path(name).name).write_bytes(content)
        yield must, may


def held_by(path):
    """Return what the sessions hold, read by SQLite alone; the file must be sound."""
    held = dict(NOTHING)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchall():
            return held
        for name in held:
            rows = connection.execute(
                "SELECT message_data FROM agent_messages WHERE session_id = ? ORDER BY id", (name,)
            )
            texts = [text_of(json.loads(row)) for (row,) in rows]
            (turns,) = connection.execute(
                "SELECT count(*) FROM agent_messages_turns WHERE session_id = ? AND last_id > 0",
                (name,),
            ).fetchone()
            held[name] = (texts, turns)
            known = "SELECT count(*) FROM agent_sessions WHERE session_id = ?"
            assert connection.execute(known, (name,)).fetchone()[0] or not texts
    return held


def is_kept(held, must, may):
    """Tell whether each session holds what was acknowledged, or also all that was under way."""
    return all(held[name] in (must[name], may[name]) for name in held)


def test_power_cuts_keep_what_was_acknowledged(events, tmp_path):
    """Whatever a power cut leaves of unsynced writes, acknowledged work is whole and in order."""
    folder = tmp_path / "image"
    folder.mkdir()
    count = 0
    for must, may in images(events, folder):
        held = held_by(folder / "chat.db")
        assert is_kept(held, must, may), f"image {count}"
        count += 1
    assert count > 300


def test_work_goes_on_after_a_power_cut(events, tmp_path):
    """A session on what a power cut left reads the same as SQLite alone, and can be added to."""
    folder = tmp_path / "image"
    folder.mkdir()
    path = folder / "chat.db"

    async def go_on(must, may):
        a, b = SQLiteSession("a", path), SQLiteSession("b", path)
        before = [text_of(item) for item in await a.get_items()]
        await a.add_items([user("after")])
        held = {
            "a": [text_of(item) for item in await a.get_items()],
            "b": [text_of(item) for item in await b.get_items()],
        }
        assert held["a"] == [*before, "after"]
        assert before in (must["a"][0], may["a"][0])
        assert held["b"] in (must["b"][0], may["b"][0])

    for count, (must, may) in enumerate(images(events, folder)):
        if count < 20 or count % 12 == 0:  # the creation of the file closely
            asyncio.run(go_on(must, may))
            held_by(path)


def test_simulated_cuts_find_missing_syncs(events, tmp_path):
    """Had the log never been synced, the same cuts would have lost acknowledged items."""
    folder = tmp_path / "image"
    folder.mkdir()
    unsynced = [
        event for event in events if event.kind != "sync" or not event.name.endswith("-wal")
    ]
    losses = 0
    for must, may in images(unsynced, folder, variants=0):
        try:
            losses += not is_kept(held_by(folder / "chat.db"), must, may)
        except (AssertionError, sqlite3.DatabaseError):
            losses += 1
    assert losses > 20
