"""Doubles for tests of agents and middleware, and the contract that every session has to keep.

    class TestMySession(SessionContract):
        def session(self, session_id):
            return MySession(session_id)

Run by pytest, this tells what `MySession` does otherwise than agents rely on.
"""

from memwrap.testing.doubles import FlakySession, ScriptedAgent
from memwrap.testing.session_contract import ODD_ITEMS, SessionContract

__all__ = ["ODD_ITEMS", "FlakySession", "ScriptedAgent", "SessionContract"]
