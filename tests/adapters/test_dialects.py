import agents
import pytest
from agents.testing import assistant_message
from langchain_core.messages import AIMessage
from langchain_core.prompt_values import StringPromptValue
from langchain_core.runnables import RunnableLambda
from openai.types.chat import ChatCompletionMessage, ChatCompletionUserMessageParam
from openai.types.responses import ResponseOutputMessage

from memwrap.adapters import adapter_for, chat, langchain, openai_agents, plain


class MyRunnable(RunnableLambda):
    pass


class MyAgent(agents.Agent):
    pass


class MyMessage(ChatCompletionMessage):
    pass


class Imposter:
    """Has all that an agent of the SDK has but its module."""

    name = "x"
    new_items = ()

    def invoke(self, input):
        pass

    def model_dump(self, **options):
        return {"role": "assistant", "content": "x"}


@pytest.mark.parametrize(
    ("value", "adapter"),
    [
        (agents.Agent(name="x"), openai_agents),
        (MyAgent(name="x"), openai_agents),
        (agents.RunConfig(), openai_agents),
        (RunnableLambda(str), langchain),
        (MyRunnable(str), langchain),
        (AIMessage("x"), langchain),
        (StringPromptValue(text="x"), langchain),
        (ChatCompletionMessage(role="assistant"), chat),
        (MyMessage(role="assistant"), chat),
        (assistant_message("x"), plain),
        (ResponseOutputMessage.model_construct(), plain),
        (ChatCompletionUserMessageParam(role="user", content="x"), None),
        (Imposter(), None),
        (Imposter, None),
        ({"role": "user"}, None),
        (len, None),
        ("x", None),
        (None, None),
    ],
)
def test_adapter_is_told_by_the_module(value, adapter):
    """An object's adapter is told by where its type, or a base of it, was defined."""
    assert adapter_for(value) is adapter


@pytest.mark.parametrize("prefix", ["agents", "langchain", "openai.types.chat", "pydantic_ai"])
def test_names_that_only_begin_alike(prefix):
    """A module whose name goes on where a framework's ends is another one."""
    kind = type("Thing", (), {"__module__": f"{prefix}_of_mine.things"})
    assert adapter_for(kind()) is None


def test_unhashable_objects_have_adapters_too():
    """Objects that cannot be hashed, or compare oddly, are told by their types all the same."""

    class Odd(AIMessage):
        __hash__ = None

        def __eq__(self, other):
            raise ValueError

    assert adapter_for(Odd("x")) is langchain


def test_package_of_the_users_named_agents(script, tmp_path):
    """A package named `agents` of the user's own is not mistaken for the SDK."""
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "__init__.py").write_text("from agents.bots import Bot, Reply\n")
    (folder / "bots.py").write_text(
        """
class Bot:
    async def __call__(self, items):
        return f"{len(items)} items"

class Reply:
    new_items = []
"""
    )
    said = script(
        """
import asyncio
from agents import Bot, Reply
from memwrap import ConversionError, InMemorySession, with_session
from memwrap.adapters import adapter_for, plain

session = InMemorySession("x")
bot = with_session(Bot(), session=session)
print(adapter_for(Bot()), asyncio.run(bot("Hi")), asyncio.run(bot("Hi")))
try:
    plain.to_items(Reply(), role="assistant")
except ConversionError as error:
    print("gave agents.bots.Reply," in str(error))
""",
        flags=("-W", "error"),
    )
    assert said == "None 1 items 3 items\nTrue\n"


WORKFLOWS = """
import asyncio
from workflows.events import Reply
from memwrap import InMemorySession, with_session

session = InMemorySession("s")

@with_session(session=session)
async def agent(items):
    return Reply(3)

print(asyncio.run(agent("Hi")), asyncio.run(session.get_items())[1]["content"])
"""


def test_package_of_the_users_named_workflows(script, tmp_path):
    """A result that a project's own package defines is a value, whatever the package is called."""
    package = tmp_path / "workflows"
    package.mkdir()
    (package / "__init__.py").touch()
    lines = ["from dataclasses import dataclass", "@dataclass", "class Reply:", "    number: int"]
    (package / "events.py").write_text("\n".join(lines))
    assert script(WORKFLOWS) == 'Reply(number=3) {"number":3}\n'
