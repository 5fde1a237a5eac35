import pytest
from agent_framework import Message
from corpus.agent_framework import call, result, thought

from memwrap.adapters import agent_framework
from memwrap.adapters.foreign import foreign_projected
from memwrap.adapters.targets import AGENT_FRAMEWORK
from memwrap.items import assistant, user


def called(call_id, **more):
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"} | more


def output(call_id):
    return {"type": "function_call_output", "call_id": call_id, "output": "1"}


def shown(*items):
    return foreign_projected(items, AGENT_FRAMEWORK)


def test_others_are_put_in_order():
    """Outputs of others stand right behind their calls, and text in between before these."""
    found = shown(user("Hi"), called("c"), assistant("Wait."), output("c"))
    assert found == [user("Hi"), assistant("Wait."), called("c"), output("c")]


def test_own_messages_stay_in_order():
    """A message of the framework's own that says something behind its call stays as it was."""
    own = agent_framework.to_items(
        [Message("assistant", [call("c"), "Wait."]), Message("user", ["Hi"])]
    )
    assert shown(*own, output("c")) == [*own, output("c")]


def test_others_do_not_take_ids_of_own_calls():
    """A call of others gets another id if the framework's own has it, before it or behind it."""
    own = agent_framework.to_items([Message("assistant", [call("c")])])
    for items in ([called("c"), output("c"), *own], [*own, called("c"), output("c")]):
        found = shown(*items)
        ids = [item["call_id"] for item in found if "provider_data" not in item]
        assert len(set(ids)) == 1 and ids[0] != "c"
        assert own[0] in found


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("call_id", ["c", "call of another's", "c" * 90])
def test_halves_of_own_calls_keep_their_ids(is_call, call_id):
    """What a limit, or an edit, left of a call has the id that the rest of it has."""
    said = Message("assistant", [thought(), call(call_id)])
    asked, told = agent_framework.to_items([said, Message("tool", [result(call_id)])])[-2:]
    pair = [asked, output(call_id)] if is_call else [called(call_id), told]
    (message, answer) = agent_framework.from_items([user("Hi"), *pair])[1:]
    assert message.contents[0].call_id == answer.contents[0].call_id
    assert is_call or answer.contents[0].call_id == call_id


def test_what_says_nothing_is_left_out():
    """Blank text of an assistant is left out, and a user's is not."""
    blank = {"type": "message", "role": "assistant", "content": " "}
    assert shown(user(""), blank, assistant(""), called("c")) == [user(""), called("c")]
    assert shown(user(""), assistant(""), assistant("Hi")) == [user(""), assistant("Hi")]


def test_reasoning_and_hosted_tools_of_others_are_left_out():
    """Reasoning is shown where it is the framework's own, and hosted tools' items nowhere."""
    theirs = {"type": "reasoning", "id": "rs_1", "summary": []}
    named = theirs | {"provider_data": {"strands": {}}}
    own = theirs | {"provider_data": {"agent_framework": {}}}
    hosted = {"type": "web_search_call", "id": "ws_1"}
    assert shown(theirs, named, own, hosted, assistant("Hi")) == [own, assistant("Hi")]


@pytest.mark.parametrize("call_id", [["c"], {"a": 1}, 5, None])
def test_odd_ids_do_no_harm(call_id):
    """An id that is no text is shown as it is, and keeps nothing else from being shown."""
    items = [called(call_id), called("d"), output("d")]
    assert len(shown(*items)) == 3
