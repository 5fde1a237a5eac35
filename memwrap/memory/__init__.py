"""How a turn is remembered.

layer   `Memory`: waits for the session, loads, runs, stores
locks   one turn at a time for each session, within this process
commit  the one append of a turn
history what a turn takes of its past
replay  the answer of a turn that has been stored
repeats which answers were given again
pieces  of what types an answer was
undo    takes turns back

`fingerprints` tells inputs apart, with a key.
"""

__all__: list[str] = []
