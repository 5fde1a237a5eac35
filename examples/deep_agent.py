"""An agent of deepagents remembers: it is a compiled graph, and needs no adapter of its own."""

import asyncio

from deepagents import create_deep_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from memwrap import InMemoryStore, with_session


class Model(BaseChatModel):
    """Stands for a real model: writes what it is told into a file, and reads it there."""

    @property
    def _llm_type(self):
        return "offline"

    def bind_tools(self, *_tools, **_options):
        return self

    def _generate(self, messages, *_args, **_options):
        last, heard = messages[-1], [one.text for one in messages if one.type == "human"]
        if last.type == "tool":
            answer = AIMessage("It is in the file.")
        elif last.text.endswith("?"):
            answer = AIMessage(f"You told me: {heard[0]}")
        else:
            args = {"file_path": "/name.txt", "content": last.text}
            call = {"name": "write_file", "args": args, "id": "call_1", "type": "tool_call"}
            answer = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=answer)])


async def main():
    store = InMemoryStore()
    agent = with_session(create_deep_agent(model=Model()), store=store)
    for text in ("My name is Ada.", "What is my name?"):
        state = await agent.ainvoke({"messages": text}, session="deep")
        print(state["messages"][-1].text)
    items = await store.session("deep").get_items()
    print([item.get("type", item.get("role")) for item in items])


asyncio.run(main())
