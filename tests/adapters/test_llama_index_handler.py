"""The handler of a remembered run: awaited, streamed, stopped."""

import asyncio
import gc

import pytest
from corpus.llama_index_model import calling, function_agent
from llama_index.core.agent.workflow import AgentInput, AgentOutput, AgentStream
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.workflow import StopEvent, WorkflowRuntimeError
from llama_index.core.workflow.handler import WorkflowHandler
from support import TIMEOUT, HandWritten, gathered
from workflows.errors import WorkflowCancelledByUser
from workflows.events import WorkflowCancelledEvent, WorkflowFailedEvent

from memwrap import InMemorySession, TurnNotSaved, with_session
from memwrap.adapters.llama_index import RunHandler
from memwrap.items import text_of
from memwrap.middleware import Memory

CALL = ("c1", "Kiel")


async def texts(session):
    return [text_of(item) for item in await session.get_items()]


async def until_stored(session):
    """Wait until a session has items, and who stored them has gone on."""
    async with asyncio.timeout(TIMEOUT):
        while not await session.get_items():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)


class Slow:
    """A tool that takes until it is told to end, and knows what became of it."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.became = None

    async def wait(self) -> str:
        """Wait."""
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.became = "cancelled"
            raise
        self.became = "done"
        return "waited"


def slow_agent(*answers):
    """Return a slow tool, and an agent that calls it first."""
    tool = Slow()
    call = ToolCallBlock(tool_call_id="w", tool_name="wait", tool_kwargs={})
    script, agent = function_agent(
        ChatMessage(role="assistant", blocks=[call]), "Done.", *answers, tools=[tool.wait]
    )
    return tool, agent


async def is_free(agent, session):
    """Tell whether a next turn runs at once."""
    layers = [Memory(on_busy="reject")]
    _, agent = function_agent("Next.")
    await with_session(agent, middleware=layers).run("Next?", session=session)
    return (await texts(session))[-2:] == ["Next?", "Next."]


def test_no_name_is_missing():
    """A handler has each public name of the framework's."""
    _, agent = function_agent()
    theirs = {name for name in dir(WorkflowHandler) if not name.startswith("_")}
    ours = {name for name in dir(RunHandler) if not name.startswith("_")}
    assert theirs <= ours | {"ctx", "run_id"}


async def test_before_and_after_the_end(session):
    """A handler tells whether its run has ended, and what came of it."""
    _, agent = function_agent("Hi.")
    handler = with_session(agent).run("Hello", session=session, run_id="r1")
    assert handler.run_id == "r1"
    assert not handler.is_done()
    assert not handler.done()
    assert handler.get_stop_event() is handler.exception() is None
    result = await handler
    assert await handler is result
    assert handler.is_done()
    assert handler.done()
    assert not handler.cancelled()
    assert handler.exception() is None
    assert type(handler.get_stop_event()) is StopEvent
    assert (await handler.stop_event_result()).result is result


async def test_events_are_the_frameworks(session):
    """The events are those of the framework's own run, in their order."""
    answers = (calling(CALL, text="I look."), ["Calm", "."])
    _, agent = function_agent(*answers)
    theirs = [type(event) async for event in agent.run("Calm?").stream_events()]
    _, agent = function_agent(*answers)
    events = await gathered(with_session(agent).run("Calm?", session=session).stream_events())
    assert [*map(type, events)] == theirs
    assert "".join(e.delta for e in events if isinstance(e, AgentStream))[:7] == "I look."


async def test_events_behind_the_result(session):
    """Events may be read when the run has been awaited, and once."""
    _, agent = function_agent("Hi.")
    handler = with_session(agent).run("Hello", session=session)
    await handler
    assert [*map(type, await gathered(handler.stream_events()))] == [
        *(AgentInput, AgentStream, AgentOutput, StopEvent)
    ]
    with pytest.raises(WorkflowRuntimeError):
        await gathered(handler.stream_events())


async def test_a_run_needs_nobody(session):
    """A run goes on though nobody reads or awaits it, and is stored."""
    _, agent = function_agent(calling(CALL), "Calm.")
    handler = with_session(agent).run("Calm?", session=session)
    await until_stored(session)
    assert handler.is_done()
    assert len(await session.get_items()) == 4


async def test_a_run_that_nobody_holds(session):
    """A run whose handler is gone ends well, too."""
    _, agent = function_agent(calling(CALL), "Calm.")
    with_session(agent).run("Calm?", session=session)
    gc.collect()
    await until_stored(session)
    assert len(await session.get_items()) == 4


async def test_handlers_are_awaitables(session):
    """A handler may be gathered, shielded, waited for, and awaited by several tasks."""
    _, agent = function_agent(*"AB")
    remembering = with_session(agent)
    first = remembering.run("1", session=session)
    second = remembering.run("2", session=InMemorySession("other"))
    assert {*map(str, await asyncio.gather(first, second, first))} == {"A", "B"}
    assert str(await asyncio.wait_for(asyncio.ensure_future(first), 1)) in "AB"


async def test_a_run_is_in_step_with_its_reader(session):
    """A run goes no further than its reader, who may leave it at any event."""
    script, agent = function_agent(calling(CALL), "Calm.")
    events = with_session(agent).run("Calm?", session=session).stream_events()
    await anext(events)
    await asyncio.sleep(0.05)
    assert await session.get_items() == []
    await events.aclose()


async def leave_by_break(handler):
    async for _ in handler.stream_events():
        break


async def leave_by_aclose(handler):
    events = handler.stream_events()
    await anext(events)
    await events.aclose()


async def leave_by_error(handler):
    with pytest.raises(ZeroDivisionError):
        async for _ in handler.stream_events():
            1 / 0  # noqa: B018


async def leave_by_cancel_run(handler):
    await anext(handler.stream_events())
    await handler.cancel_run()


async def leave_by_cancel(handler):
    handler.cancel()
    await asyncio.wait([asyncio.ensure_future(handler.stop_event_result())])


async def leave_by_timeout(handler):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(handler, 0.05)


LEAVES = [
    *(leave_by_break, leave_by_aclose, leave_by_error, leave_by_cancel_run, leave_by_cancel),
    leave_by_timeout,
]


@pytest.mark.parametrize("leave", LEAVES)
@pytest.mark.parametrize("at", ["beginning", "tool"])
async def test_left_early(leave, at, session):
    """A run that is left early stops, stores nothing, and lets the session go."""
    tool, agent = slow_agent()
    handler = with_session(agent).run("Wait", session=session)
    if at == "tool":
        reader = asyncio.create_task(gathered(handler.stream_events()))
        await tool.begun.wait()
        await handler.cancel_run()
        events = await reader
        assert type(events[-1]) is WorkflowCancelledEvent
        assert tool.became == "cancelled"
    async with asyncio.timeout(TIMEOUT):
        if at == "beginning":
            await leave(handler)
        with pytest.raises((WorkflowCancelledByUser, asyncio.CancelledError)):
            await handler
    assert handler.is_done()
    assert handler.cancelled()
    tool.may_end.set()
    assert await is_free(agent, session)
    assert len(await session.get_items()) == 2


async def test_a_cancelled_task_stops_its_run(session):
    """Whoever awaits a run and is cancelled stops it, and a tool that runs is cancelled too."""
    tool, agent = slow_agent()

    async def caller():
        return await with_session(agent).run("Wait", session=session)

    task = asyncio.create_task(caller())
    await tool.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tool.became == "cancelled"
    assert await session.get_items() == []
    assert await is_free(agent, session)


async def test_a_cancelled_reader_stops_its_run(session):
    """A task that reads events and is cancelled stops the run."""
    tool, agent = slow_agent()
    handler = with_session(agent).run("Wait", session=session)
    reader = asyncio.create_task(gathered(handler.stream_events()))
    await tool.begun.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert tool.became == "cancelled"
    assert await session.get_items() == []


async def test_left_at_the_stop_event(session):
    """Whoever leaves at the last event has had it all: the run is stored before."""
    _, agent = function_agent("Hi.")
    handler = with_session(agent).run("Hello", session=session)
    async for event in handler.stream_events():
        if isinstance(event, StopEvent):
            break
    assert await texts(session) == ["Hello", "Hi."]
    assert str(await handler) == "Hi."


async def test_events_that_are_held_are_not_left(session):
    """A run whose events are kept, and read no further, goes on when it is awaited."""
    _, agent = function_agent(calling(CALL), "Calm.")
    handler = with_session(agent).run("Calm?", session=session)
    events = handler.stream_events()
    await anext(events)
    assert str(await handler) == "Calm."
    assert isinstance((await gathered(events))[-1], StopEvent)


async def test_cancel_before_the_beginning(session):
    """A run that is cancelled at once never reaches the model."""
    script, agent = function_agent("Hi.")
    handler = with_session(agent).run("Hello", session=session)
    await handler.cancel_run()
    await handler.cancel_run()
    with pytest.raises(WorkflowCancelledByUser):
        await handler
    assert script.shown == []
    assert [*map(type, await gathered(handler.stream_events()))] == [WorkflowCancelledEvent]


async def test_cancel_behind_the_end(session):
    """Cancelling a run that has ended changes nothing."""
    _, agent = function_agent("Hi.")
    handler = with_session(agent).run("Hello", session=session)
    await handler
    await handler.cancel_run()
    assert str(await handler) == "Hi."
    assert not handler.cancelled()


async def test_a_failed_run(session):
    """As the framework's own, the events end with the failure, and who awaits gets the error."""
    _, agent = function_agent(RuntimeError("no"))
    handler = with_session(agent).run("Hello", session=session)
    events = await gathered(handler.stream_events())
    assert type(events[-1]) is WorkflowFailedEvent
    with pytest.raises(RuntimeError, match="^no$"):
        await handler
    assert str(handler.exception()) == "no"
    assert await session.get_items() == []


class Full(HandWritten):
    """A session that cannot store."""

    async def add_items(self, items):
        raise OSError("disk full")


async def test_a_run_that_cannot_be_stored():
    """The reader of events and who awaits get memwrap's error, with the result in it."""
    _, agent = function_agent("Hi.")
    handler = with_session(agent).run("Hello", session=Full("s"))
    events = []
    with pytest.raises(TurnNotSaved):
        async for event in handler.stream_events():
            events.append(event)
    assert not any(isinstance(event, StopEvent) for event in events)
    with pytest.raises(TurnNotSaved) as caught:
        await handler
    assert "Hi." in repr(caught.value.result)
    assert [text_of(item) for item in caught.value.items] == ["Hello", "Hi."]


async def test_a_layer_that_fails_behind_the_run(session):
    """A run that a layer has failed has no stop event, though the agent had ended well."""

    async def failing(turn, send, handler):
        await handler(turn, send)
        raise ValueError("late")

    _, agent = function_agent("Hi.")
    handler = with_session(agent, middleware=[failing]).run("Hello", session=session)
    events = await gathered(handler.stream_events())
    assert not any(isinstance(event, StopEvent) for event in events)
    with pytest.raises(ValueError, match="late"):
        await handler
    assert await session.get_items() == []


async def test_what_was_delivered_may_be_kept(session):
    """With `keep_delivered` a run that is left keeps calls, outputs and the text by then."""
    _, agent = function_agent(calling(CALL), ["Calm ", "in ", "Kiel."])
    layers = [Memory(on_stop="keep_delivered")]
    remembering = with_session(agent, session=session, middleware=layers)
    async for event in remembering.run("Calm?").stream_events():
        if isinstance(event, AgentStream) and event.response == "Calm in ":
            break
    await until_stored(session)
    items = await session.get_items()
    assert [item.get("type") for item in items] == [
        *(None, "function_call", "function_call_output", "message")
    ]
    assert items[-1]["status"] == "incomplete"


def test_without_an_event_loop(session):
    """As the framework's own, a run needs an event loop."""
    _, agent = function_agent("Hi.")
    with pytest.raises(RuntimeError, match="no running event loop"):
        with_session(agent).run("Hello", session=session)


def test_run_sync(session):
    """A program without an event loop runs an agent by `memwrap.run_sync`."""
    from memwrap import run_sync

    _, agent = function_agent("Hi.")
    assert str(run_sync(agent, "Hello", session=session)) == "Hi."
