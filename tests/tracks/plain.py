"""A function around the Responses API."""

from tracks.items import response_of, seen_of
from tracks.said import Call, Script, arguments_of, run_tool

from memwrap import record, with_session


def make(session):
    """Return the agent and its script."""
    script = Script()
    numbers = iter(range(10**6))

    @with_session(session=session)
    async def agent(items):
        items = list(items)
        while True:
            response = response_of(script.next(seen_of(items)), f"plain{next(numbers)}")
            calls = [one for one in response.output if one.type == "function_call"]
            if not calls:
                return response
            outputs = [
                {"type": "function_call_output", "call_id": one.call_id, "output": _run(one)}
                for one in calls
            ]
            record([response, *outputs])
            items += [one.model_dump(exclude_unset=True) for one in response.output] + outputs

    return agent, script


def _run(call):
    return run_tool(Call(call.call_id, call.name, arguments_of(call.arguments)))
