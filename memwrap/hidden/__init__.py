"""What items hold besides what they show, under ``provider_data``; nothing else knows that key.

data      reads, notes and strips it
template  encodes values as references to what is seen
sidecar   restores a message, tied to what its items show
"""

__all__: list[str] = []
