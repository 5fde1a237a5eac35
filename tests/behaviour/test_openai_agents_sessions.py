import importlib.util
import re
from pathlib import Path

import agents
import pytest

import memwrap

PATH = Path(__file__).parents[2] / "examples" / "openai_agents_sessions.py"
BRIDGE = "What city is the Golden Gate Bridge in?"
STATE = "What state is it in?"
POPULATION = "What's the population?"


@pytest.fixture(scope="module")
def blocks():
    spec = importlib.util.spec_from_file_location("openai_agents_sessions", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def texts(items):
    """Return who said what, for messages of either shape."""
    return [(item["role"], text(item["content"])) for item in items]


def text(content):
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def dialogue(*said):
    return [(("user", "assistant")[place % 2], words) for place, words in enumerate(said)]


def check_three_turns(seen, answers, population=POPULATION):
    city, state, people = answers
    assert seen.answers == list(answers)
    whole = dialogue(BRIDGE, city, STATE, state, population, people)
    assert [texts(shown) for shown in seen.shown] == [whole[:1], whole[:3], whole[:5]]
    assert texts(seen.stored) == whole


async def test_quick_start(blocks):
    """In three turns the model is shown all that was said before, and all of it is stored."""
    answers = ("San Francisco", "California", "Approximately 39 million")
    check_three_turns(await blocks.quick_start(), answers)


def test_quick_start_sync(blocks, thread_loop):
    """The synchronous runner remembers the same three turns."""
    answers = ("San Francisco", "California", "Approximately 39 million")
    check_three_turns(blocks.quick_start_sync(), answers)


async def test_resume_after_approval(blocks):
    """A run resumed on another object of the session stores each item of the turn once."""
    seen = await blocks.resume_after_approval()
    assert seen.answers == ["delete_files", "/tmp", "Done: 2 files deleted."]
    kinds = [item.get("type") or item["role"] for item in seen.stored]
    assert kinds == ["user", "function_call", "function_call_output", "message"]
    assert [item["call_id"] for item in seen.stored[1:3]] == ["call_1", "call_1"]
    assert seen.stored[2]["output"] == "2 files deleted"
    assert [len(shown) for shown in seen.shown] == [1, 3]


async def test_merge_input(blocks):
    """The callback's list is what the model sees, and the store keeps the whole conversation."""
    seen = await blocks.merge_input()
    whole = dialogue("First.", "Noted.", "Second.", "Noted too.", "What is recent?")
    assert texts(seen.shown[2]) == whole[2:]
    assert texts(seen.stored) == [*whole, ("assistant", "Only the second.")]


async def test_limit_history(blocks):
    """A limit of the run or of the session's settings bounds the history that is shown."""
    seen = await blocks.limit_history()
    assert texts(seen.shown[2]) == [("assistant", "Noted too."), ("user", "Summarize.")]
    summary = ("assistant", "Of the last item only.")
    last = [("user", "Summarize."), summary, ("user", "Summarize again.")]
    assert texts(seen.shown[3]) == last
    assert len(seen.stored) == 6


async def test_basic_operations(blocks):
    """Items are added, read, popped from the end, and cleared."""
    seen = await blocks.basic_operations()
    hello = {"role": "user", "content": "Hello"}
    answer = {"role": "assistant", "content": "Hi there!"}
    assert seen.shown == [[], [hello, answer], [answer], [hello]]
    assert seen.stored == []


async def test_correct_a_question(blocks):
    """What was popped is neither shown again nor stored."""
    seen = await blocks.correct_a_question()
    assert seen.answers == ["4", "5"]
    assert texts(seen.shown[1]) == dialogue("What's 2 + 3?")
    assert texts(seen.stored) == dialogue("What's 2 + 3?", "5")


async def test_no_memory(blocks):
    """Without a session the second question is all that the model sees."""
    seen = await blocks.no_memory()
    assert [texts(shown) for shown in seen.shown] == [dialogue(BRIDGE), dialogue(STATE)]


async def test_in_memory(blocks, tmp_path):
    """Two objects of one name in memory share nothing, and write no file."""
    seen = await blocks.in_memory()
    assert [len(shown) for shown in seen.shown] == [1, 1]
    assert texts(seen.stored) == dialogue("Hello", "Hello!")
    assert list(tmp_path.iterdir()) == []


async def test_on_file(blocks):
    """Two objects of one name on one file are one conversation, which the SDK's class reads too."""
    seen = await blocks.on_file()
    whole = dialogue("Hello", "Hello!", "Hello", "Hello again!")
    assert texts(seen.shown[1]) == whole[:3]
    assert texts(seen.stored) == whole
    theirs = agents.SQLiteSession("user_123", "conversations.db")
    assert await theirs.get_items() == seen.stored
    theirs.close()


async def test_several_sessions(blocks):
    """A session does not see what another one on the same file holds."""
    seen = await blocks.several_sessions()
    assert texts(seen.shown[1]) == dialogue("What are my charges?")
    assert texts(seen.stored) == dialogue("What are my charges?", "None.")
    other = memwrap.SQLiteSession("user_123", "several.db")
    assert texts(await other.get_items()) == dialogue("Help me with my account", "Which account?")


async def test_shared_session(blocks):
    """The second agent is shown what the first one said."""
    seen = await blocks.shared_session()
    whole = dialogue("Help me with my account", "Billing can help.", "What are my charges?")
    assert texts(seen.shown[1]) == whole
    assert texts(seen.stored) == [*whole, ("assistant", "Five euros.")]


async def test_custom_session(blocks):
    """A class with the four methods remembers for the runner and for memwrap alike."""
    seen = await blocks.custom_session()
    whole = dialogue("Hello", "Hello!", "Hello", "Hello again!")
    assert texts(seen.shown[1]) == whole[:3]
    assert texts(seen.stored) == whole


async def test_custom_session_keeps_the_contract(blocks):
    """The session class of the example honours limits, pops and clears."""
    session = blocks.ListSession("mine")
    items = [{"role": "user", "content": str(number)} for number in range(3)]
    await session.add_items(items)
    assert await session.get_items(2) == items[1:]
    assert await session.get_items(0) == []
    assert await session.get_items(9) == items
    assert await session.pop_item() == items[2]
    await session.clear_session()
    assert (await session.get_items(), await session.pop_item()) == ([], None)


async def test_session_with_context(blocks):
    """The run's context picks the conversation, and one tenant never sees another's."""
    seen = await blocks.session_with_context()
    assert [len(shown) for shown in seen.shown] == [1, 1, 3]
    assert texts(seen.stored) == dialogue("Hello", "Hello!", "Hello", "Hello again!")


async def test_clear(blocks):
    """After clearing, nothing from before is shown or stored."""
    seen = await blocks.clear()
    assert texts(seen.shown[1]) == dialogue(STATE)
    assert texts(seen.stored) == dialogue(STATE, "Which place do you mean?")


async def test_compaction(blocks):
    """The SDK's compacting wrapper stores its items in memwrap's session."""
    seen = await blocks.compaction()
    assert [len(shown) for shown in seen.shown] == [1, 3]
    assert texts(seen.stored) == dialogue("Hello", "Hello!", "Hello", "Hello again!")


async def test_complete_example(blocks):
    """The complete example remembers three turns, and another process would find them."""
    seen = await blocks.complete_example()
    answers = ("San Francisco", "California", "About 39 million")
    check_three_turns(seen, answers, "What's the population of that state?")
    again = memwrap.SQLiteSession("conversation_123", "conversation_history.db")
    assert await again.get_items() == seen.stored


def test_all_blocks_run_together(blocks, capsys, tmp_path):
    """The main program runs every block, tells what happened, and leaves no file behind."""
    blocks.main()
    said = capsys.readouterr().out
    functions = set(re.findall(r"^(?:async )?def (\w+)\(\):$", PATH.read_text(), re.MULTILINE))
    assert {block.__name__ for block in blocks.BLOCKS} == functions - {"main"}
    assert all(block.__doc__ in said for block in blocks.BLOCKS)
    assert "California   (3 items shown)" in said
    assert list(tmp_path.iterdir()) == []
