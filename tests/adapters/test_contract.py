"""What holds for every adapter; each contributes a corpus of its name, and needs no test here."""

import importlib
import json
import re
import traceback

import pytest
from corpus.contract import EDITED, SECRET, TEXT, TOOLS, Unknown
from corpus.exactness import seen, stored
from support import comparable

from memwrap import ConversionError
from memwrap.adapters import NAMES
from memwrap.dialects import Methods
from memwrap.hidden.data import PROVIDER_DATA, is_hidden_data, marked
from memwrap.hidden.sidecar import settled
from memwrap.items import assistant, text_of, user
from memwrap.pairing import in_order

CORPORA = [importlib.import_module(f"corpus.{name}").CORPUS for name in sorted(NAMES)]
SENDING = [corpus for corpus in CORPORA if corpus.sends_to_provider]


def of_all(*names, corpora=CORPORA):
    return pytest.mark.parametrize(
        names[0] if len(names) == 1 else names, corpora, ids=lambda corpus: corpus.name
    )


def others(corpus):
    return [other for other in CORPORA if other is not corpus]


def shown(corpus, items):
    """Return what comes back of items through a dialect, without what begins it there."""
    again = corpus.adapter.to_items(corpus.adapter.from_items(items))
    is_opened = corpus.opening and again and text_of(again[0]) == corpus.opening
    return again[1:] if is_opened else again


def told(corpus, items):
    """Return items with instructions in the role under which a dialect shows them."""
    role = {"role": corpus.instructs_as}
    return [item | role if item.get("role") == "system" else item for item in items]


def said(items):
    """Return what items say, and which tools they call with what result."""
    return [
        (item.get("role") or item["type"], text_of(item))
        if item.get("role")
        else tuple(item.get(key) for key in ("type", "call_id", "name", "arguments", "output"))
        for item in items
    ]


@of_all("corpus")
def test_exports(corpus):
    """An adapter is a module with three names, and its docstring is the table."""
    adapter = corpus.adapter
    for name in ("to_items", "from_items", "methods"):
        assert callable(getattr(adapter, name))
        assert name in adapter.__all__
    assert re.search(r"^\| message +\| items +\|$", adapter.__doc__, re.MULTILINE)
    assert corpus.name in NAMES


@of_all("corpus")
@pytest.mark.parametrize("thing", [object(), "text", None, lambda items: items, {}])
def test_what_is_no_agent_has_no_methods(corpus, thing):
    """An object of another kind is no agent of the dialect, which is no error."""
    found = corpus.adapter.methods(thing)
    assert found is None or isinstance(found, Methods)


@of_all("corpus")
@pytest.mark.parametrize("part", ["text", "tools", "rich"])
def test_arguments_are_unchanged(corpus, part, unchanged):
    """Both directions leave what they were given as it was."""
    messages = getattr(corpus, part)
    items = unchanged(corpus.adapter.to_items, messages)
    unchanged(corpus.adapter.from_items, items)
    assert unchanged(corpus.adapter.to_items, messages) == items


@of_all("corpus")
def test_strings(corpus):
    """A string is a message of the speaker; strings of a stream are one, of an input several."""
    to_items = corpus.adapter.to_items
    assert to_items("Hi") == [user("Hi")]
    assert to_items("Hi", role="assistant") == [assistant("Hi")]
    assert to_items(["a", "b"]) == [user("a"), user("b")]
    assert to_items(["a", "b"], role="assistant") == [assistant("ab")]


@of_all("corpus")
def test_nothing_is_nothing(corpus):
    """No messages are no items."""
    assert corpus.adapter.to_items([]) == []
    assert corpus.adapter.to_items([], role="assistant") == []


@of_all("corpus")
@pytest.mark.parametrize(("part", "items"), [("text", TEXT), ("tools", TOOLS)])
def test_conversation_both_ways(corpus, part, items):
    """A conversation of text, or with tools, is the same items in each dialect, and comes back."""
    messages = getattr(corpus, part)
    items = told(corpus, items)
    assert seen(corpus.adapter.to_items(messages)) == items
    assert comparable(corpus.adapter.from_items(items)) == comparable(messages)
    assert seen(corpus.adapter.to_items(corpus.adapter.from_items(items))) == items


@of_all("corpus")
def test_what_is_hidden_comes_back(corpus):
    """What an adapter hid is in the items that a store gives back, and so in the messages."""
    items = stored(corpus.adapter.to_items(corpus.rich))
    back = corpus.adapter.from_items(items)
    again = corpus.adapter.to_items(back)
    assert said(again) == said(items)
    assert comparable(corpus.adapter.from_items(again)) == comparable(back)


@of_all("corpus")
@pytest.mark.parametrize("items", [TEXT, TOOLS], ids=["text", "tools"])
def test_any_slice_can_be_shown(corpus, items):
    """A limit may cut a conversation anywhere; what is left is shown, with nothing added."""
    for start in range(len(items)):
        for end in range(start + 1, len(items) + 1):
            part = told(corpus, items[start:end])
            back = said(shown(corpus, part))
            assert back in (said(part), said(in_order(part)))  # an output whose call was cut waits


@of_all("corpus")
@pytest.mark.parametrize("part", ["text", "tools", "rich"])
def test_items_of_other_dialects(corpus, part):
    """What other adapters made is shown with all it says, whatever they hid in it."""
    for other in others(corpus):
        items = stored(other.adapter.to_items(getattr(other, part)))
        spoken = [one for one in said(told(corpus, items)) if one[1]]
        assert [one for one in said(shown(corpus, items)) if one[1]] == spoken


@of_all("corpus")
def test_objects_of_other_dialects(corpus):
    """An object of another framework is converted by that framework's adapter, among others too."""
    from langchain_core.messages import HumanMessage
    from openai.types.chat import ChatCompletionMessage

    mixed = ["Hi", HumanMessage("Ho"), ChatCompletionMessage(role="assistant", content="Hey")]
    items = corpus.adapter.to_items([*mixed, user("Hu")])
    assert [text_of(item) for item in items] == ["Hi", "Ho", "Hey", "Hu"]


@of_all("corpus")
def test_items_of_unknown_types(corpus):
    """Items that a dialect cannot express do not keep it from showing the others."""
    items = [
        user("Hi"),
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "of_the_future", "id": "x_1", "content": 5},
        assistant("Ho"),
    ]
    back = corpus.adapter.to_items(corpus.adapter.from_items(items))
    assert [text_of(item) for item in back if item.get("role")] == ["Hi", "Ho"]


MALFORMED = [
    (corpus, message)
    for corpus in CORPORA
    for message in [Unknown(), [Unknown()], None, [None], 5, SECRET.encode(), *corpus.malformed]
]


@pytest.mark.parametrize("role", ["user", "assistant"])
@pytest.mark.parametrize(
    ("corpus", "message"), MALFORMED, ids=lambda value: getattr(value, "name", None)
)
def test_malformed_messages(corpus, message, role):
    """What nobody can read is an error of memwrap's own that tells nothing of the content."""
    with pytest.raises(ConversionError) as caught:
        corpus.adapter.to_items(message, role=role)
    lines = traceback.format_exception(type(caught.value), caught.value, None)
    assert SECRET not in "".join(lines)
    assert len(str(caught.value)) < 500


ODD_ITEMS = [
    {"type": "function_call", "name": SECRET},
    {"type": "function_call_output", "output": SECRET},
    {"role": "user", "content": [SECRET]},
    {"role": "user", "content": {"text": SECRET}},
    {"role": [SECRET], "content": SECRET},
    {"type": "message", "content": SECRET},
    {"content": SECRET},
    {},
]


@of_all("corpus")
@pytest.mark.parametrize("item", ODD_ITEMS)
def test_malformed_items(corpus, item):
    """A stored item that cannot be shown is at most an error that tells nothing of the content."""
    try:
        corpus.adapter.from_items([item])
    except ConversionError as error:
        assert SECRET not in "".join(traceback.format_exception(error))


def edited(items):
    """Return the items after an edit of all that is seen of them."""

    def without(value):
        return json.loads(json.dumps(value).replace(EDITED, "0"))

    return [
        {key: value if key == PROVIDER_DATA else without(value) for key, value in item.items()}
        for item in items
    ]


@of_all("corpus")
def test_edit_wins(corpus):
    """After an edit of what items show nothing hidden brings the old text back."""
    items = stored(corpus.adapter.to_items(corpus.rich))
    assert EDITED in json.dumps(seen(items))
    for changed in (edited(items), settled(edited(items))):
        back = corpus.adapter.from_items(changed)
        assert EDITED not in repr(back)
        again = shown(corpus, changed)
        assert EDITED not in json.dumps(again)
        texts = [text for item in again if (text := text_of(item))]
        assert texts == [text for item in changed if (text := text_of(item))]


@of_all("corpus")
def test_store_keeps_nothing_of_an_edited_message(corpus):
    """What was edited is in nothing that is stored of the message."""
    items = stored(corpus.adapter.to_items(corpus.rich))
    assert EDITED not in json.dumps(settled(edited(items)))


@of_all("corpus", corpora=SENDING)
def test_providers_see_nothing_hidden(corpus):
    """What goes to a provider has no notes, no sidecars, and no key that it would refuse."""
    for other in CORPORA:
        items = stored(other.adapter.to_items(other.rich))
        items = [marked(item, note=1) for item in items]
        for message in corpus.adapter.from_items(items):
            left = message.get(PROVIDER_DATA, {})
            assert not [name for name, value in left.items() if is_hidden_data(name, value)]
            assert corpus.keeps_theirs or PROVIDER_DATA not in message
