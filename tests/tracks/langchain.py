"""LangChain: a runnable that runs the tools of its model."""

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from tracks.said import Call, Output, Script, Text, run_tool

from memwrap import with_session


def make(session):
    """Return the agent and its script."""
    script = Script()
    model = ScriptedModel(script=script)

    async def loop(messages):
        added = []
        while True:
            answer = await model.ainvoke([*messages, *added])
            added.append(answer)
            if not answer.tool_calls:
                return added
            for call in answer.tool_calls:
                said = Call(call["id"], call["name"], call["args"])
                added.append(ToolMessage(run_tool(said), tool_call_id=call["id"]))

    agent = with_session(RunnableLambda(loop), session=session)
    return agent.ainvoke, script


class ScriptedModel(BaseChatModel):
    """A chat model that answers by a script."""

    script: object

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **options):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **options):
        step = self.script.next(_seen(messages))
        content = [{"type": "reasoning", "reasoning": step.thought}] if step.thought else []
        content += [{"type": "text", "text": step.text}] if step.text else []
        calls = [{"id": c.id, "name": c.name, "args": c.arguments} for c in step.calls]
        message = AIMessage(content or "", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


def _seen(messages):
    seen = []
    for message in messages:
        if message.type == "tool":
            seen.append(Output(message.tool_call_id, message.text))
            continue
        if message.text:
            role = {"ai": "assistant", "human": "user"}[message.type]
            seen.append(Text(role, message.text))
        for call in getattr(message, "tool_calls", ()):
            seen.append(Call(call["id"], call["name"], call["args"]))
    return seen
