"""A model for LlamaIndex's agents that answers from a script, and knows what it was shown."""

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM

__all__ = ["AGENTS", "Script", "calling", "flow_of", "function_agent", "look", "react_agent"]


def calling(*calls, text=""):
    """Return an answer that calls tools; each call is an id and a port."""
    blocks = [TextBlock(text=text)] if text else []
    blocks += [
        ToolCallBlock(tool_call_id=call_id, tool_name="look", tool_kwargs={"port": port})
        for call_id, port in calls
    ]
    return ChatMessage(role="assistant", blocks=blocks)


class Script:
    """What a model answers, one after the other: texts, messages, errors, functions of messages.

    Attributes:
        shown: What the model was shown, call by call: roles and texts.
        messages: The same as whole messages.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.shown = []
        self.messages = []
        self.model = MockFunctionCallingLLM(response_generator=self, is_chat_model=True)

    def __call__(self, messages, **options):
        self.messages.append([message.model_copy(deep=True) for message in messages])
        self.shown.append([(message.role.value, message.content) for message in messages])
        answer = self.answers.pop(0) if self.answers else "..."
        if callable(answer):
            answer = answer(messages)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, list):
            return self.stream(answer)
        return answer if isinstance(answer, ChatMessage) else ChatMessage(answer, role="assistant")

    async def stream(self, words):
        """Yield an answer as it grows."""
        for count in range(1, len(words) + 1):
            yield ChatMessage("".join(words[:count]), role="assistant")


def look(port: str) -> dict:
    """Look at the sea."""
    if port == "Atlantis":
        raise LookupError(port)
    return {"at": port, "sea": "calm"}


def function_agent(*answers, **options):
    """Return a script and an agent that calls functions."""
    script = Script(*answers)
    options = {"tools": [look], "system_prompt": "Be kind."} | options
    return script, FunctionAgent(llm=script.model, **options)


def react_agent(*answers, **options):
    """Return a script and an agent that writes its steps as text."""
    script = Script(*answers)
    return script, ReActAgent(llm=script.model, **({"tools": [look]} | options))


def flow_of(*answers, **options):
    """Return a script and a workflow of one agent."""
    script, agent = function_agent(*answers)
    return script, AgentWorkflow(agents=[agent], **options)


AGENTS = {"function": function_agent, "workflow": flow_of}
