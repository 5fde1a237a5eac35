"""A LangChain runnable remembers: wrap it, and call it as before."""

import asyncio

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda
from tiny_model import answer

from memwrap import InMemoryStore, with_session

prompt = ChatPromptTemplate([("system", "Be brief."), MessagesPlaceholder("messages")])
model = RunnableLambda(  # any chat model fits here
    lambda value: AIMessage(answer(m.text for m in value.to_messages() if m.type == "human"))
)
chain = with_session(prompt | model | StrOutputParser(), store=InMemoryStore())


async def main():
    print(await chain.ainvoke("My name is Ada.", session="user_123"))
    print(await chain.ainvoke("What is my name?", session="user_123"))
    print(await chain.ainvoke("What is my name?", session="user_456"))
    async for chunk in chain.astream("My city is Turin.", session="user_123"):
        print(chunk)


asyncio.run(main())
print(chain.invoke("What is my city?", session="user_123"))
