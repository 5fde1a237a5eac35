"""Hidden data: what items do not show of a message, under ``provider_data``.

No other package knows that key.

data        reads, adds and strips hidden data
template    encodes values as references to visible items: by encoder, decoder, tags
sidecar     restores a message, as long as its items are unchanged
comparison  compares items and values
"""

__all__: list[str] = []
