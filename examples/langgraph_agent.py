"""A LangGraph graph, or an agent of `create_agent`, remembers: wrap it, without a checkpointer."""

import asyncio

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from tiny_model import answer

from memwrap import InMemoryStore, with_session


def model(state):  # any chat model fits here
    said = [message.text for message in state["messages"] if message.type == "human"]
    if state["messages"][-1].type == "human" and "time" in said[-1]:
        call = {"name": "clock", "args": {}, "id": "call_1", "type": "tool_call"}
        return {"messages": [AIMessage("", tool_calls=[call])]}
    return {"messages": [AIMessage(answer(said))]}


def tools(state):
    (call,) = state["messages"][-1].tool_calls
    return {"messages": [ToolMessage("12:00", tool_call_id=call["id"])]}


builder = StateGraph(MessagesState)
builder.add_node(model)
builder.add_node(tools)
builder.add_edge(START, "model")
builder.add_conditional_edges(
    "model", lambda state: "tools" if state["messages"][-1].tool_calls else END
)
builder.add_edge("tools", "model")

store = InMemoryStore()
graph = with_session(builder.compile(), store=store, key="thread_id")


async def main():
    config = {"configurable": {"thread_id": "user_123"}}
    await graph.ainvoke({"messages": "My name is Ada. What time is it?"}, config)
    state = await graph.ainvoke({"messages": "What is my name?"}, config)
    print(state["messages"][-1].text)
    async for update in graph.astream({"messages": "My city is Turin."}, config):
        print(update["model"]["messages"][-1].text)
    for item in await store.session("user_123").get_items():
        print(item.get("role") or item["type"])


asyncio.run(main())
