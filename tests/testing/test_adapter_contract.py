"""The contract of adapters notices what is wrong with one."""

from dataclasses import asdict, dataclass

import pytest

from memwrap.adapters.dispatch import convert, unknown
from memwrap.adapters.lossless import Lossless
from memwrap.adapters.projection import Target, projected
from memwrap.items import text_of
from memwrap.testing import AdapterContract


@dataclass
class Note:
    who: str
    text: str
    colour: str = "yellow"

    def __repr__(self):
        return "a note"


class NoteShape:
    name = "notes"
    identity = ("colour",)
    unsaid = ()

    def dump(self, note):
        return {key: value for key, value in asdict(note).items() if value != "yellow"}

    def load(self, data):
        return Note(**data)

    def show(self, note):
        return [{"role": note.who, "content": note.text}]

    def say(self, items, target, identity):
        return Note(items[0]["role"], text_of(items[0]), **identity)

    def joins(self, item, group, target):
        return False


NOTES = Target("notes", items=frozenset(), parts={})


class Notes:
    """An adapter that keeps the contract."""

    def to_items(self, messages, /, *, role="user"):
        return convert(messages, role, self, self.own)

    def own(self, notes, role):
        for note in notes:
            if not isinstance(note, Note):
                raise unknown(note, role)
        return Lossless(NoteShape()).to_items(notes)

    def from_items(self, items, /):
        return list(Lossless(NoteShape()).from_items(projected(items, NOTES), target=NOTES))


MESSAGES = [Note("user", "Is there any milk left at home?", "red"), Note("assistant", "No.")]


class Contract(AdapterContract):
    adapter = Notes()
    messages = MESSAGES
    takes_tools = False


class TestNotes(Contract):
    pass


class Forgets(Notes):
    def own(self, notes, role):
        return [{"role": note.who, "content": note.text} for note in notes]


class SaysMore(Notes):
    def from_items(self, items, /):
        return [Note("user", "And eggs?"), *super().from_items(items)]


class ChangesMessages(Notes):
    def own(self, notes, role):
        items = super().own(notes, role)
        notes[0].text = "Hm."
        return items


class ChangesItems(Notes):
    def from_items(self, items, /):
        notes = super().from_items(items)
        if items:
            items[0].pop("provider_data", None)
        return notes


class NoItems(Notes):
    def own(self, notes, role):
        return [{"content": note.text} for note in notes]


class HidesAll(Notes):
    """Keeps the whole message beside what can be seen of it, and believes it."""

    def own(self, notes, role):
        return [
            {"role": n.who, "content": n.text, "provider_data": {"notes": {"all": asdict(n)}}}
            for n in notes
        ]

    def from_items(self, items, /):
        return [
            Note(**item["provider_data"]["notes"]["all"])
            if "provider_data" in item
            else Note(item["role"], text_of(item))
            for item in items
        ]


class ShowsHidden(Notes):
    def from_items(self, items, /):
        return list(items)


class JoinsNothing(Notes):
    def to_items(self, messages, /, *, role="user"):
        if isinstance(messages, list) and role == "assistant":
            return [item for one in messages for item in self.to_items(one, role=role)]
        return super().to_items(messages, role=role)


class LeavesOutAnswers(Notes):
    def from_items(self, items, /):
        return [note for note in super().from_items(items) if note.who == "user"]


class TakesAnything(Notes):
    def own(self, notes, role):
        return [{"role": role, "content": "?"} for _ in notes]


class Quotes(Notes):
    def own(self, notes, role):
        from memwrap import ConversionError

        raise ConversionError(f"cannot read {notes!r}")


FLAWS = [
    ("test_messages_come_back", Forgets),
    ("test_any_part_can_be_shown", SaysMore),
    ("test_messages_are_unchanged", ChangesMessages),
    ("test_messages_are_unchanged", ChangesItems),
    ("test_items_are_items", NoItems),
    ("test_nothing_that_is_seen_is_hidden_too", HidesAll),
    ("test_edits_win", HidesAll),
    ("test_providers_see_no_hidden_data", ShowsHidden),
    ("test_strings", JoinsNothing),
    ("test_items_of_others", LeavesOutAnswers),
    ("test_unknown_objects_are_refused", TakesAnything),
    ("test_unknown_objects_are_refused", Quotes),
]


@pytest.mark.parametrize(("test", "flawed"), FLAWS)
def test_flaws_are_noticed(test, flawed):
    """Each test of the contract fails for an adapter that does what the test is about wrong."""

    class Flawed(Contract):
        adapter = flawed()
        messages = [Note(**asdict(note)) for note in MESSAGES]

    with pytest.raises(AssertionError):
        getattr(Flawed(), test)()


def test_every_test_has_a_flaw():
    """Each test of the contract is proved by a flawed adapter."""
    tests = {name for name in dir(AdapterContract) if name.startswith("test_")}
    assert {test for test, _ in FLAWS} == tests


def test_messages_may_be_compared_otherwise():
    """A dialect whose messages have no equality says itself what is the same."""

    class ByText(Contract):
        adapter = Forgets()

        def same(self, one, other):
            return [note.text for note in one] == [note.text for note in other]

    ByText().test_messages_come_back()
