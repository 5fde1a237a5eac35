"""How what a model reports of its tokens corrects the estimate of them."""

import pytest
from openai.types.chat import ChatCompletion

from memwrap import InMemorySession, InMemoryStore, SQLiteStore, with_session
from memwrap.adapters import chat, plain
from memwrap.items import user
from memwrap.marks import Counted, marks_from, moved, text_of_marks
from memwrap.middleware import Memory, Trim
from memwrap.middleware.reported import corrected, counted_after

OVERHEAD = 5_000  # tokens of instructions and tools, which no item shows
TEXT = "word " * 40  # 200 characters


def characters(item):
    return len(item["content"])


def completion(reported):
    return ChatCompletion.model_validate(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": TEXT},
                }
            ],
            "usage": {"prompt_tokens": reported, "completion_tokens": 1, "total_tokens": 0},
        }
    )


def response(reported):
    message = {"type": "message", "role": "assistant", "content": TEXT}
    usage = {"input_tokens": reported, "output_tokens": 1}
    return {"object": "response", "id": "r", "output": [message], "usage": usage}


def test_first_report_is_the_base():
    """The first report behind a cut corrects nothing, and keeps the rate from before the cut."""
    assert counted_after(None, 100, 5_000) == Counted(100, 5_000, 1.0)
    assert counted_after(Counted(0, 0, 1.5), 100, 5_000) == Counted(100, 5_000, 1.5)


@pytest.mark.parametrize(
    ("estimated", "reported", "rate"),
    [(1_100, 6_500, 1.5), (1_100, 5_500, 0.5), (1_100, 90_000, 4.0), (1_100, 5_000, 0.25)],
)
def test_growth_tells_the_rate(estimated, reported, rate):
    """What a conversation got longer by, for model and estimate, is the rate, within bounds."""
    known = Counted(100, 5_000)
    assert counted_after(known, estimated, reported) == Counted(100, 5_000, rate)


@pytest.mark.parametrize(("estimated", "reported"), [(150, 6_000), (1_100, 6_010)])
def test_little_is_told_by_little(estimated, reported):
    """A conversation that hardly grew, or a rate that hardly changed, changes nothing."""
    known = Counted(100, 5_000)
    assert counted_after(known, estimated, reported) is known


def test_corrected_counts():
    """A corrected count is the estimate times the rate, rounded up."""
    assert corrected(characters, None) is characters
    assert corrected(characters, Counted(1, 1, 1.5))(user("123")) == 5


def test_marks_keep_what_was_counted():
    """What a model counted is stored with the mark, and outlives a change of its places."""
    text = '{"t":{"first":5,"counted":[100,5000,1.5]}}'
    marks = marks_from(text)
    assert marks["t"].counted == Counted(100, 5_000, 1.5)
    assert text_of_marks(marks) == text
    assert moved(marks, 3)["t"].counted == marks["t"].counted
    assert marks_from('{"t":{"first":5}}')["t"].counted is None


@pytest.fixture(params=["memory", "sqlite", "four methods"])
def session_of(request, tmp_path):
    if request.param == "four methods":
        kept = {}
        return lambda name: kept.setdefault(name, Bare(name))
    store = InMemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "s.db")
    return store.session


class Bare:
    """A session with the four methods only."""

    def __init__(self, session_id):
        self.session_id = session_id
        self._inner = InMemorySession(session_id)

    async def get_items(self, limit=None):
        return await self._inner.get_items(limit)

    async def add_items(self, items):
        await self._inner.add_items(items)

    async def pop_item(self):
        return await self._inner.pop_item()

    async def clear_session(self):
        await self._inner.clear_session()


@pytest.mark.parametrize(("adapter", "answer"), [(chat, completion), (plain, response)])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
async def test_limit_holds_in_the_models_own_tokens(session_of, adapter, answer, factor):
    """A model that counts otherwise than the estimate is shown what its own counting allows."""
    sizes = []

    def make():
        # A layer of its own for each turn: what is known lies with the session.
        @with_session(
            session=session_of("s"),
            adapter=adapter,
            middleware=[Memory(), Trim(max_tokens=4_000, count_tokens=characters)],
        )
        async def agent(messages):
            sizes.append(sum(map(len, (message["content"] for message in messages))))
            return answer(OVERHEAD + int(sizes[-1] * factor))

        return agent

    for _ in range(60):
        await make()(TEXT)
    late = [size * factor for size in sizes[20:]]
    assert max(late) <= 4_000
    assert max(late) > 4_000 - 3 * len(TEXT) * max(factor, 1.0)
    assert sizes[0] == len(TEXT)


async def test_answers_without_a_report_are_estimated(session_of):
    """Where a model reports nothing the estimate stands, and no mark is set before a cut."""

    @with_session(
        session=session_of("s"), middleware=[Trim(max_tokens=4_000, count_tokens=characters)]
    )
    async def agent(items):
        sizes.append(sum(map(characters, items)))
        return TEXT

    sizes = []
    for _ in range(30):
        await agent(TEXT)
    assert 3_000 < max(sizes) <= 4_000
