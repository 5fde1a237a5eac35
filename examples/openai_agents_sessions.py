"""The sessions of the OpenAI Agents SDK, block by block as in its guide, kept by memwrap.

Only the import of the session differs: `SQLiteSession` comes from memwrap. The runner is the real
one; a scripted model answers, so that everything runs offline.
"""

import asyncio
import contextlib
import inspect
import tempfile
from typing import Any, NamedTuple

from agents import Agent, RunConfig, Runner, SessionSettings, function_tool, set_tracing_disabled
from agents.memory import OpenAIResponsesCompactionSession
from agents.testing import ScriptedModel, assistant_message, function_call

import memwrap
from memwrap import InMemoryStore, Session, SQLiteSession

set_tracing_disabled(True)

BRIDGE = "What city is the Golden Gate Bridge in?"
STATE = "What state is it in?"
POPULATION = "What's the population?"


class Seen(NamedTuple):
    """What happened: the agent's answers, what each model call was shown, what is stored."""

    answers: list[str]
    shown: list[list[Any]]
    stored: list[Any]


def scripted(*steps):
    """Make a model that takes these steps: a string is an answer, a list is output as it is."""
    return ScriptedModel(
        [assistant_message(step, item_id=f"msg_{number}")] if isinstance(step, str) else step
        for number, step in enumerate(steps)
    )


def assistant(*steps, name="Assistant", **options):
    options.setdefault("model", scripted(*steps))
    return Agent(name=name, instructions="Reply very concisely.", **options)


def show(agent, question, result):
    shown = len(agent.model.last_call.input)
    print(f"   user: {question}")
    print(f"   {agent.name}: {result.final_output}   ({shown} items shown)")
    return result.final_output


async def ask(agent, question, **options):
    result = await Runner.run(agent, question, **options)
    return show(agent, question, result)


async def seen(answers, session, *agents):
    shown = [call.input for agent in agents for call in agent.model.calls]
    return Seen(answers, shown, await session.get_items() if session is not None else [])


async def quick_start():
    """Three turns of one conversation."""
    agent = assistant("San Francisco", "California", "Approximately 39 million")
    session = SQLiteSession("conversation_123")
    answers = [await ask(agent, text, session=session) for text in (BRIDGE, STATE, POPULATION)]
    return await seen(answers, session, agent)


def quick_start_sync():
    """The same with the synchronous runner."""
    agent = assistant("San Francisco", "California", "Approximately 39 million")
    session = SQLiteSession("conversation_123")
    answers = []
    for text in (BRIDGE, STATE, POPULATION):
        result = Runner.run_sync(agent, text, session=session)
        answers.append(show(agent, text, result))
    return asyncio.run(seen(answers, session, agent))


async def resume_after_approval():
    """A run that waits for an approval goes on with another object for the same session."""
    deleted = []

    @function_tool(needs_approval=True)
    def delete_files(folder: str) -> str:
        deleted.append(folder)
        return "2 files deleted"

    call = function_call("delete_files", {"folder": "/tmp"}, call_id="call_1")  # noqa: S108
    agent = assistant([call], "Done: 2 files deleted.", tools=[delete_files])
    question = "Delete temporary files that are no longer needed."
    result = await Runner.run(agent, question, session=SQLiteSession("cleanup", "approvals.db"))
    waiting = [approval.name for approval in result.interruptions]
    print(f"   waits for an approval of {waiting}, deleted so far: {deleted}")

    state = result.to_state()
    for approval in result.interruptions:
        state.approve(approval)
    session = SQLiteSession("cleanup", "approvals.db")
    result = await Runner.run(agent, state, session=session)
    show(agent, question, result)
    return await seen([*waiting, *deleted, result.final_output], session, agent)


async def merge_input():
    """A callback decides what the model sees of the history; the store keeps all of it."""

    def keep_recent_history(history, new_input):
        return history[-2:] + new_input

    agent = assistant("Noted.", "Noted too.", "Only the second.")
    session = SQLiteSession("conversation_123")
    answers = [await ask(agent, text, session=session) for text in ("First.", "Second.")]
    config = RunConfig(session_input_callback=keep_recent_history)
    answers.append(await ask(agent, "What is recent?", session=session, run_config=config))
    return await seen(answers, session, agent)


async def limit_history():
    """Settings limit how much history is fetched: for one run, or for all of a session's."""
    agent = assistant("Noted.", "Noted too.", "Of the last item only.", "Of the last two.")
    session = SQLiteSession("conversation_123")
    answers = [await ask(agent, text, session=session) for text in ("First.", "Second.")]
    config = RunConfig(session_settings=SessionSettings(limit=1))
    answers.append(await ask(agent, "Summarize.", session=session, run_config=config))

    limited = SQLiteSession("conversation_123", session_settings=SessionSettings(limit=2))
    await limited.add_items(await session.get_items())
    answers.append(await ask(agent, "Summarize again.", session=limited))
    return await seen(answers, session, agent)


async def basic_operations():
    """Add, read, pop and clear items by hand."""
    session = SQLiteSession("user_123", "operations.db")
    before = await session.get_items()
    await session.add_items(
        [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi there!"}]
    )
    items = await session.get_items()
    last = await session.pop_item()
    left = await session.get_items()
    await session.clear_session()
    print(f"   {len(before)} items, then {len(items)}; popped {last}, {len(left)} left")
    return Seen([], [before, items, [last], left], await session.get_items())


async def correct_a_question():
    """Take the last answer and its question back, and ask anew."""
    agent = assistant("4", "5")
    session = SQLiteSession("correction_example")
    answers = [await ask(agent, "What's 2 + 2?", session=session)]
    await session.pop_item()
    await session.pop_item()
    answers.append(await ask(agent, "What's 2 + 3?", session=session))
    return await seen(answers, session, agent)


async def no_memory():
    """Without a session each run stands alone."""
    agent = assistant("San Francisco", "Which place do you mean?")
    answers = [await ask(agent, text) for text in (BRIDGE, STATE)]
    return await seen(answers, None, agent)


async def in_memory():
    """Without a path the conversation lives in the object: another of its name is empty."""
    agent = assistant("Hello!", "Hello again!")
    session = SQLiteSession("user_123")
    answers = [await ask(agent, "Hello", session=session)]
    answers.append(await ask(agent, "Hello", session=SQLiteSession("user_123")))
    return await seen(answers, session, agent)


async def on_file():
    """With a path it lives in the file: another object of its name goes on with it."""
    agent = assistant("Hello!", "Hello again!")
    answers = [await ask(agent, "Hello", session=SQLiteSession("user_123", "conversations.db"))]
    session = SQLiteSession("user_123", "conversations.db")
    answers.append(await ask(agent, "Hello", session=session))
    return await seen(answers, session, agent)


async def several_sessions():
    """Sessions on one file do not see each other."""
    agent = assistant("Which account?", "None.")
    session_1 = SQLiteSession("user_123", "several.db")
    session_2 = SQLiteSession("user_456", "several.db")
    answers = [await ask(agent, "Help me with my account", session=session_1)]
    answers.append(await ask(agent, "What are my charges?", session=session_2))
    return await seen(answers, session_2, agent)


async def shared_session():
    """Two agents share one conversation."""
    support_agent = assistant("Billing can help.", name="Support")
    billing_agent = assistant("Five euros.", name="Billing")
    session = SQLiteSession("user_123")
    answers = [await ask(support_agent, "Help me with my account", session=session)]
    answers.append(await ask(billing_agent, "What are my charges?", session=session))
    return await seen(answers, session, support_agent, billing_agent)


class ListSession:
    """A session of one's own: an id and the four methods."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.items: list[Any] = []

    async def get_items(self, limit: int | None = None) -> list[Any]:
        begin = 0 if limit is None else max(len(self.items) - limit, 0)
        return self.items[begin:]

    async def add_items(self, items: list[Any]) -> None:
        self.items.extend(items)

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


async def custom_session():
    """The runner takes a session of one's own, and so does memwrap."""
    agent = assistant("Hello!", "Hello again!")
    session = ListSession("my_session")
    answers = [await ask(agent, "Hello", session=session)]
    result = await memwrap.run(agent, "Hello", session=session)
    answers.append(show(agent, "Hello", result))
    return await seen(answers, session, agent)


class TenantSession:
    """A session that asks the run's context whose conversation it is."""

    session_settings = None

    def __init__(self, session_id: str, store: InMemoryStore) -> None:
        self.session_id = session_id
        self.store = store

    def _of(self, wrapper: Any) -> Session:
        return self.store.session(f"{wrapper.context}:{self.session_id}")

    async def get_items(self, limit: int | None = None, *, wrapper: Any = None) -> list[Any]:
        return await self._of(wrapper).get_items(limit)

    async def add_items(self, items: list[Any], *, wrapper: Any = None) -> None:
        await self._of(wrapper).add_items(items)

    async def pop_item(self, *, wrapper: Any = None) -> Any:
        return await self._of(wrapper).pop_item()

    async def clear_session(self, *, wrapper: Any = None) -> None:
        await self._of(wrapper).clear_session()


async def session_with_context():
    """The run's context reaches a session that declares `wrapper`, and memwrap keeps the items."""
    agent = assistant("Hello!", "Hello!", "Hello again!")
    store = InMemoryStore()
    session = TenantSession("chat", store)
    tenants = ("acme", "zenith", "acme")
    answers = [await ask(agent, "Hello", session=session, context=tenant) for tenant in tenants]
    return await seen(answers, store.session("acme:chat"), agent)


async def clear():
    """A cleared session begins anew."""
    agent = assistant("San Francisco", "Which place do you mean?")
    session = SQLiteSession("user_123", "cleared.db")
    answers = [await ask(agent, BRIDGE, session=session)]
    await session.clear_session()
    answers.append(await ask(agent, STATE, session=session))
    return await seen(answers, session, agent)


async def compaction():
    """The SDK's compacting session keeps its items in a session of memwrap."""
    agent = assistant("Hello!", "Hello again!")
    underlying = SQLiteSession("conversation_123")
    session = OpenAIResponsesCompactionSession("conversation_123", underlying)
    answers = [await ask(agent, "Hello", session=session) for _ in range(2)]
    return await seen(answers, underlying, agent)


async def complete_example():
    """A whole conversation, kept in a file."""
    agent = assistant("San Francisco", "California", "About 39 million")
    session = SQLiteSession("conversation_123", "conversation_history.db")
    questions = (BRIDGE, STATE, "What's the population of that state?")
    answers = [await ask(agent, text, session=session) for text in questions]
    return await seen(answers, session, agent)


BLOCKS = [
    *(quick_start, quick_start_sync, resume_after_approval, merge_input, limit_history),
    *(basic_operations, correct_a_question, no_memory, in_memory, on_file, several_sessions),
    *(shared_session, custom_session, session_with_context, clear, compaction, complete_example),
]


def main():
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in BLOCKS:
            print(block.__doc__)
            if inspect.iscoroutinefunction(block):
                asyncio.run(block())
                continue
            with asyncio.Runner() as runner:
                runner.get_loop()  # run_sync takes this loop instead of one that it leaves open
                block()


if __name__ == "__main__":
    main()
