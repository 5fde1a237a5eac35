"""Doubles for tests of agents and middleware, and the contracts of sessions, adapters and layers.

    class TestMySession(SessionContract):
        def session(self, session_id):
            return MySession(session_id)

Run by pytest, this tells what `MySession` does otherwise than agents rely on. `AdapterContract`
does the same for an adapter, `LayerContract` for a layer, and `StoreContract` for a store.
"""

from memwrap.testing.adapter_contract import AdapterContract
from memwrap.testing.doubles import FlakySession, ScriptedAgent
from memwrap.testing.layer_contract import LayerContract
from memwrap.testing.session_contract import ODD_ITEMS, SessionContract
from memwrap.testing.store_contract import StoreContract

__all__ = [
    "ODD_ITEMS",
    "AdapterContract",
    "FlakySession",
    "LayerContract",
    "ScriptedAgent",
    "SessionContract",
    "StoreContract",
]
