"""What the agent is shown of a turn."""

import logging
import warnings

import pytest
from support import CALL, OUTPUT, REASONING

from memwrap import ConversionError, InMemorySession, Turn, TurnError
from memwrap.adapters import chat, plain
from memwrap.items import assistant, system, user
from memwrap.turn import View
from memwrap.view import applied, call_agent, left_out, view_of


def new_turn(history=(), input="Hello", **options):
    turn = Turn(lambda items: items, plain.to_items(input), adapter=plain, **options)
    turn.history = list(history)
    return turn


def test_agent_sees_history_and_input():
    """The agent gets the history, then the input, then the caller's other arguments."""
    seen = []

    def agent(items, *args, **kwargs):
        seen.append((items, args, kwargs))
        return "answer"

    turn = Turn(agent, [user("now")], ("x",), {"tone": "kind"}, adapter=plain)
    turn.history = [user("before"), assistant("answered")]
    assert call_agent(turn) == "answer"
    assert seen == [
        ([user("before"), assistant("answered"), user("now")], ("x",), {"tone": "kind"})
    ]


def test_agent_sees_its_own_dialect():
    """Items reach the agent through the adapter of its dialect."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    turn = Turn(lambda messages: messages, [user("now")], adapter=chat)
    turn.history = [call, {"type": "function_call_output", "call_id": "c", "output": "1"}]
    messages = call_agent(turn)
    assert messages[0]["tool_calls"][0]["function"]["name"] == "f"
    assert messages[2] == {"role": "user", "content": "now"}


def test_agent_gets_a_copy_of_the_input():
    """What the agent does to the items it was given does not change the input."""

    def agent(items):
        items[0]["content"][0]["text"] = "changed"
        items.clear()

    item = {"role": "user", "content": [{"type": "input_text", "text": "said"}]}
    turn = Turn(agent, [item], adapter=plain)
    call_agent(turn)
    assert turn.input == [{"role": "user", "content": [{"type": "input_text", "text": "said"}]}]


def test_before_agent():
    """The functions of before_agent change what the agent sees, in order, and nothing else."""
    turn = new_turn([user("before")])
    turn.before_agent.append(lambda view: View(view.history, [*view.input, user("first")]))
    turn.before_agent.append(lambda view: View(view.history[1:], [*view.input, user("second")]))
    assert call_agent(turn) == [user("Hello"), user("first"), user("second")]
    assert (turn.history, turn.input) == ([user("before")], [user("Hello")])


def test_layers_may_replace_history():
    """What a layer makes of the history is what the agent sees."""
    turn = new_turn([user("1"), user("2"), user("3")])
    turn.history = turn.history[-1:]
    assert call_agent(turn) == [user("3"), user("Hello")]


def test_view_is_a_pair():
    """History and input are told apart, and the history is the turn's own list."""
    turn = new_turn([user("before")])
    view = view_of(turn)
    assert view == View([user("before")], [user("Hello")])
    view.input[0]["content"] = "changed"
    assert turn.input == [user("Hello")]


def test_instructions_of_the_input_come_first():
    """Instructions that a caller sends stand in front of the history, as without memory."""
    turn = new_turn([user("1"), assistant("2")], [system("be brief"), user("3"), system("now")])
    assert view_of(turn) == View(
        [system("be brief"), user("1"), assistant("2")], [user("3"), system("now")]
    )
    alone = new_turn([], [system("be brief"), user("3")])
    assert view_of(alone) == View([], [system("be brief"), user("3")])


def test_view_is_what_a_provider_takes():
    """Open calls and lone reasoning of the history are left out, and the turn keeps them."""
    turn = new_turn([user("1"), REASONING, CALL])
    assert view_of(turn) == View([user("1")], [user("Hello")])
    assert turn.history == [user("1"), REASONING, CALL]


def test_outputs_in_the_input_follow_their_calls():
    """An output that comes with the input stands behind its call, in front of what was said."""
    turn = new_turn([CALL, user("meanwhile")], [OUTPUT, user("go on")])
    assert view_of(turn) == View([CALL], [OUTPUT, user("meanwhile"), user("go on")])


def test_what_layers_make_is_repaired_too():
    """A layer that cuts between a call and its output leaves neither."""
    turn = new_turn([user("1"), CALL, OUTPUT, assistant("2")])
    turn.before_agent.append(lambda view: View(view.history[2:], view.input))
    assert view_of(turn) == View([assistant("2")], [user("Hello")])


def test_put_back_gets_the_pair():
    """What makes the agent's first argument gets history and input, each in its list."""
    given = []
    turn = Turn(
        lambda first: first,
        [user("now")],
        adapter=plain,
        put_back=lambda *pair: given.append(pair) or "first",
    )
    turn.history = [user("before")]
    turn.before_agent.append(lambda view: View(view.history, [system("short"), *view.input]))
    assert call_agent(turn) == "first"
    assert given == [([system("short"), user("before")], [user("now")])]


def no_pair(view):
    """What layers of other libraries return."""
    return [*view.history, *view.input]


@pytest.mark.parametrize(
    "result", [None, [user("x")], ([], []), View([], None), View((), ()), View("a", "b")]
)
def test_functions_return_what_they_take(result):
    """A function of a layer that returns something else is named, and nothing of the content."""

    def my_layer(view):
        return result

    with pytest.raises(TurnError, match=r"my_layer in turn\.before_agent returned") as caught:
        applied(my_layer, View([user("secret")], []), "before_agent")
    assert "View(history, input)" in str(caught.value)
    assert "secret" not in str(caught.value)
    turn = new_turn([user("1")])
    turn.before_agent.append(no_pair)
    with pytest.raises(TurnError, match="no_pair in turn.before_agent returned list"):
        call_agent(turn)


def test_objects_are_named_by_their_class():
    """A callable object has no name of its own."""

    class Shorten:
        def __call__(self, view):
            return view.history

    with pytest.raises(TurnError, match=r"the function \S*Shorten in"):
        applied(Shorten(), View([], []), "before_agent")


class Picky:
    """An adapter that cannot read some items."""

    def to_items(self, messages, role="user"):
        return plain.to_items(messages, role=role)

    def from_items(self, items):
        if any("odd" in item for item in items):
            raise ConversionError("no way to say it")
        return list(items)


def test_unreadable_items_of_the_history_are_left_out():
    """What the adapter cannot show of the past is left out, with a warning that names its place."""
    odd = user("secret") | {"odd": 1}
    turn = Turn(lambda items: items, [user("now")], adapter=Picky(), session=InMemorySession("s"))
    turn.history = [user("1"), odd, user("2")]
    with pytest.warns(UserWarning, match="session 's': item 1 of the history") as caught:
        assert call_agent(turn) == [user("1"), user("2"), user("now")]
    assert "secret" not in str(caught[0].message)
    assert turn.history == [user("1"), odd, user("2")]


def test_unreadable_input_fails_the_turn():
    """The input has to be shown, so what cannot be shown of it is the caller's error."""
    turn = Turn(lambda items: items, [user("now") | {"odd": 1}], adapter=Picky())
    turn.history = [user("1")]
    with pytest.raises(ConversionError, match="no way to say it"):
        call_agent(turn)


def test_left_out_where_warnings_are_errors(caplog):
    """Where warnings are errors, what was left out is logged and the turn goes on."""
    caplog.set_level(logging.WARNING, "memwrap")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        left_out("item 3", "it is odd")
    assert "item 3 is left out of what the agent sees: it is odd" in caplog.text
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        left_out("item 4", "it is odd")
    assert len(caught) == 1
    assert "item 4" not in caplog.text
