import time

import pytest

from memwrap.exceptions import SessionBusy
from memwrap.memory.beginning import begun


class Kept:
    """A session that turns of other processes have for some looks."""

    def __init__(self, looks):
        self.looks = looks
        self.tokens = []

    async def begin_turn(self, token, *, lease, windows):
        self.tokens.append((token, lease, windows))
        return None if len(self.tokens) <= self.looks else "begun"


async def begin(store, patience):
    deadline = time.monotonic() + patience
    return await begun(
        store, session_id="s", lease=7.0, patience=patience, deadline=deadline, windows=None
    )


@pytest.mark.parametrize("looks", [0, 1, 4])
async def test_turn_begins_when_others_have_ended(looks):
    """A turn looks again until the session is free, with one token and its own lease."""
    store = Kept(looks)
    assert await begin(store, 5.0) == "begun"
    assert len(store.tokens) == looks + 1
    assert len({token for token, _, _ in store.tokens}) == 1
    assert {(lease, windows) for _, lease, windows in store.tokens} == {(7.0, None)}


async def test_turn_gives_up_at_the_deadline():
    """A turn that others let wait for too long is an error with the session and the time."""
    store = Kept(1_000)
    with pytest.raises(SessionBusy, match=r"session 's'.*0\.05 s"):
        await begin(store, 0.05)
    assert 1 < len(store.tokens) < 100
