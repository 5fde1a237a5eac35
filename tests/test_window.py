"""How much of the past a turn loads."""

import pytest
from support import CALL, OUTPUT

from memwrap import (
    ConfigurationError,
    InMemoryStore,
    SQLiteStore,
    run,
    undo,
    with_session,
)
from memwrap.items import assistant, system, user
from memwrap.middleware import Clear, Memory, Trim
from memwrap.testing import ScriptedAgent
from memwrap.window import Window


class Four:
    """A session with the four methods only, which tells what is asked of it."""

    def __init__(self, items=()):
        self.session_id, self.items, self.limits = "four", list(items), []

    async def get_items(self, limit=None):
        self.limits.append(limit)
        return [dict(item) for item in (self.items if limit is None else self.items[-limit:])]

    async def add_items(self, items):
        self.items += items

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()


@pytest.fixture(params=["memory", "file", "four"])
def make(request, path):
    """Return a function that hands out a session of an id, another object each time."""
    if request.param == "four":
        sessions = {}

        def four(session_id):
            session = Four(sessions.setdefault(session_id, []))
            session.items = sessions[session_id]
            return session

        return four
    return InMemoryStore().session if request.param == "memory" else SQLiteStore(path).session


def talk(turns, *, words=""):
    return [
        item for n in range(turns) for item in (user(f"q{n}{words}"), assistant(f"a{n}{words}"))
    ]


def agent_with(*layers):
    script = ScriptedAgent(*(f"new{n}" for n in range(300)))
    return script, with_session(script, middleware=list(layers))


async def views(make, turns, *layers, input=lambda n: f"{n}"):
    """Return what the agent is shown in each of so many turns, each on a session of its own."""
    script, agent = agent_with(*layers)
    for n in range(turns):
        await agent(input(n), session=make("s"))
    return script.calls


@pytest.mark.parametrize(
    "trim",
    [
        Trim(max_turns=6),
        Trim(max_items=12),
        Trim(max_tokens=120, count_tokens="chars/4"),
        Trim(max_turns=6, keep_first=3),
    ],
    ids=lambda trim: trim.window.mark,
)
@pytest.mark.parametrize("instructed", [False, True])
async def test_the_beginning_stays_the_same(make, trim, instructed):
    """What was sent begins what is sent next, save where a limit was passed."""

    def input(n):
        return [system("Be nice."), user(f"{n}")] if instructed or not n else f"{n}"

    calls = await views(make, 40, trim, input=input)
    breaks = sum(new[: len(old)] != old for old, new in zip(calls, calls[1:], strict=False))
    assert 2 <= breaks <= 10
    assert max(map(len, calls)) < 30
    for call in calls:
        assert call[0] == system("Be nice.")
        assert [item for item in call if item["role"] == "system"] == [system("Be nice.")]


async def test_all_stores_cut_alike(path):
    """One conversation is cut in the same places wherever it is stored."""
    stores = [InMemoryStore().session, SQLiteStore(path).session, lambda _, four=Four(): four]
    for trim in (Trim(max_turns=5), Trim(max_items=7, keep_first=2), Trim(max_items=3, drop_to=1)):
        first, *others = [await views(make, 25, trim) for make in stores]
        assert others == [first, first]
        stores = [*map(_renamed, stores[:2]), lambda _, four=Four(): four]


def _renamed(make):
    return lambda session_id: make(session_id + "x")


async def test_a_cut_outlives_its_agent(make):
    """Another agent with the same options goes on from where the cut is."""
    calls = []
    for n in range(30):
        script, agent = agent_with(Trim(max_turns=6))
        await agent(f"{n}", session=make("s"))
        calls += script.calls
    first = [call[0]["content"] for call in calls]
    assert len(set(first)) < 8


async def test_the_cut_goes_back_with_undone_turns(make):
    """Undoing the turn that moved the cut undoes that too."""
    script, agent = agent_with(Trim(max_turns=4))
    before = None
    for n in range(12):
        await agent(f"{n}", session=make("s"), turn_id=f"{n}")
        newest = script.calls[-1]
        if before is not None and newest[: len(before)] != before:
            await undo(make("s"))
            await agent("again", session=make("s"), turn_id="again")
            assert [i["content"] for i in script.calls[-1]] == [
                *[i["content"] for i in newest[:-1]],
                "again",
            ]
            return
        before = newest
    raise AssertionError("the cut never moved")


@pytest.mark.parametrize("length", [0, 1, 2, 3, 40, 300])
async def test_old_instructions_stay(make, length):
    """Instructions from before the window are shown, in order, and none twice."""
    session = make("s")
    await session.add_items([system("first"), *talk(length), system("between"), *talk(length)])
    calls = await views(make, 12, Trim(max_turns=3))
    for call in calls:
        assert [i["content"] for i in call if i["role"] == "system"] == ["first", "between"]
        assert sum(item["role"] == "user" for item in call) <= 4


async def test_added_instructions_outlive_those_of_inputs(make):
    """What a program added itself stays, when the instructions of inputs change."""
    session = make("s")
    await session.add_items([user("a"), system("added"), assistant("b"), *talk(20)])
    script, agent = agent_with(Trim(max_turns=2))
    for n in range(9):
        await agent([system(f"version {n}"), user("?")], session=make("s"))
    texts = [[i["content"] for i in call if i["role"] == "system"] for call in script.calls]
    assert [set(shown) for shown in texts] == [{"added", f"version {n}"} for n in range(9)]
    assert {len(shown) for shown in texts} == {2}


async def test_calls_stay_with_their_outputs_at_the_windows_end(make):
    """A window that begins between a call and its output shows neither."""
    session = make("s")
    await session.add_items([*talk(50), CALL, OUTPUT, *talk(2)])
    for limit in range(8):
        script, agent = agent_with(Memory(window=limit))
        await agent("?", session=make("s"))
        types = [item.get("type") for item in script.calls[0]]
        assert ("function_call" in types) == ("function_call_output" in types) == (limit >= 6)
        await undo(make("s"))


async def test_four_methods_are_asked_for_no_more(path):
    """A session with the four methods is asked for what suffices, and then for the window."""
    four = Four(talk(3000))
    script, agent = agent_with(Trim(max_turns=5))
    for n in range(9):
        await agent(f"{n}", session=four)
    assert four.limits == [64, None, *[64] * 8]  # old instructions are looked for once


async def test_a_file_reads_the_window_only(path, monkeypatch):
    """Of a long conversation a turn reads as much as of a short one, once it has been cut."""
    from memwrap.sessions.sqlite import database

    read = []
    unpacked = database.unpacked
    monkeypatch.setattr(
        database, "unpacked", lambda packed: read.append(len(packed or b"")) or unpacked(packed)
    )
    store = SQLiteStore(path)
    await store.session("s").add_items(talk(5000))
    script, agent = agent_with(Trim(max_turns=5))
    for n in range(4):
        await agent(f"{n}", session=store.session("s"))
    assert max(read[1:]) < 2000
    assert len(script.calls[-1]) <= 13


@pytest.mark.parametrize(
    ("window", "shown"),
    [(0, 0), (1, 1), (4, 4), (99, 20), (Window(turns=2), 4), (Window(turns=0), 0), (None, 20)],
)
async def test_memory_loads_a_window(make, window, shown):
    """`Memory(window=)` shows exactly the newest part, and stores all the same."""
    await make("s").add_items(talk(10))
    script, agent = agent_with(Memory(window=window))
    await agent("?", session=make("s"))
    assert script.calls[0] == [*talk(10)[20 - shown :], user("?")]
    assert len(await make("s").get_items()) == 22


async def test_the_largest_window_is_loaded(make):
    """Each layer sees at least what it asks for; without a window none asks."""
    await make("s").add_items(talk(100))
    seen = []

    async def look(turn, send, handler):
        seen.append(len(turn.history))
        await handler(turn, send)

    async def ask(turn, send, handler):
        await handler(turn, send)

    ask.window = Window(items=30)
    script, agent = agent_with(look, ask, Trim(max_items=10))
    await agent("?", session=make("s"))
    assert seen == [200] or seen[0] >= 30
    assert len(script.calls[0]) <= 11
    script, agent = agent_with(look, ask)
    await agent("?", session=make("s"))
    assert seen[1] == 30
    script, agent = agent_with(look)
    await agent("?", session=make("s"))
    assert seen[2] == 204


async def test_a_known_turn_id_is_found_beyond_the_window(make):
    """The answer of a turn that has long left the window is given again."""
    script, agent = agent_with(Memory(window=2))
    answer = await agent("first", session=make("s"), turn_id="1")
    await make("s").add_items(talk(100))
    assert await agent("first", session=make("s"), turn_id="1") == answer
    assert len(script.calls) == 1


async def test_a_session_with_a_limit(path):
    """`store.session(id, limit=)` is the most that any turn loads."""
    for store in (InMemoryStore(), SQLiteStore(path)):
        await store.session("s").add_items(talk(10))
        for layers, shown in ([], 5), ([Trim(max_items=9)], 5), ([Memory(window=3)], 3):
            script, agent = agent_with(*layers)
            await agent("?", session=store.session("s", limit=5))
            assert len(script.calls[0]) == shown + 1
        assert len(await store.session("s", limit=5).get_items()) == 5
        with pytest.raises(ConfigurationError, match="limit"):
            store.session("s", limit=-1)


async def test_a_damaged_row_in_the_window(path):
    """A damaged row is left out and told; old instructions and the cut stay."""
    from support import query

    store = SQLiteStore(path)
    await store.session("s").add_items([system("first"), *talk(20)])
    script, agent = agent_with(Trim(max_turns=3))
    for n in range(2):
        await agent(f"{n}", session=store.session("s"))
    query(path, "UPDATE agent_messages SET message_data = '{' WHERE id = 42")
    with pytest.warns(UserWarning, match="damaged"):
        await agent("2", session=store.session("s"))
    assert script.calls[-1][0] == system("first")
    assert len(script.calls[-1]) <= 10


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"trim": 5}', "null", "{"])
async def test_marks_that_are_none(path, text):
    """Whatever stands in the place of the marks, a turn goes on as if there were none."""
    from support import query

    trim = Trim(max_turns=3)
    store = SQLiteStore(path)
    script, agent = agent_with(trim)
    for n in range(9):
        await agent(f"{n}", session=store.session("s"))
    changed = text.replace("trim", trim.window.mark)
    query(path, f"UPDATE agent_messages_turns SET marks = '{changed}'")
    await agent("last", session=store.session("s"))
    assert 3 <= len(script.calls[-1]) <= 8


@pytest.mark.parametrize("options", [{"items": -1}, {"turns": True}, {"items": "5"}])
def test_windows_that_are_none(options):
    """A window that cannot be one is refused."""
    with pytest.raises(ConfigurationError, match="Window"):
        Window(**options)
    with pytest.raises(ConfigurationError, match="window"):
        Memory(window="5")


def tool_turn(n):
    call = {"type": "function_call", "call_id": f"c{n}", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": f"c{n}", "output": f"result {n}"}
    return [call, output, assistant(f"a{n}")]


async def test_old_outputs_are_cleared_in_steps(make):
    """Old outputs are shown as a placeholder, new ones as they are, and what was sent stays."""
    script = ScriptedAgent(*map(tool_turn, range(20)))
    layers = [Trim(max_turns=50, tool_outputs=Clear(keep=2, placeholder="gone"))]
    agent = with_session(script, middleware=layers)
    for n in range(20):
        await agent(f"{n}", session=make("s"))
    breaks = 0
    for old, new in zip(script.calls, script.calls[1:], strict=False):
        breaks += new[: len(old)] != old
        outputs = [item["output"] for item in new if "output" in item]
        left = [text for text in outputs if text != "gone"]
        assert outputs[len(outputs) - len(left) :] == left
        assert min(len(outputs), 2) <= len(left) <= 4
    assert 5 <= breaks <= 8
    stored = [item["output"] for item in await make("s").get_items() if "output" in item]
    assert stored == [f"result {n}" for n in range(20)]


@pytest.mark.parametrize("drop_to", [0, -1, 1.5, "half", None])
def test_parts_that_are_none(drop_to):
    """`drop_to` is a part of a limit."""
    with pytest.raises(ConfigurationError, match="drop_to"):
        Trim(max_items=5, drop_to=drop_to)


async def test_turns_without_ids_run_on_any_layer():
    """A run without a session has no past to cut."""
    assert await run(ScriptedAgent("x"), "?", session=None, middleware=[Trim(max_items=1)]) == "x"
