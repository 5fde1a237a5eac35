"""Counts of turns in this process, for the strategies of limits."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

from limits.storage import MovingWindowSupport, Storage

__all__ = ["Counts"]

_FIRST_LOOK = 1000  # keys, before those that count nothing any more are forgotten


class Counts(Storage, MovingWindowSupport):
    """Counts turns by key and time; the storage of the library starts a thread for most turns."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._times: dict[str, tuple[int, deque[float]]] = {}
        self._look_at = _FIRST_LOOK
        self._lock = threading.RLock()  # one layer may serve several loops

    def __reduce__(self) -> Any:
        return Counts, ()  # another process has counts of its own

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage raises: nothing."""
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count *amount* more, unless that is more than *limit* in *expiry* seconds."""
        with self._lock:
            times = self._newest(key, expiry)
            if len(times) + amount > limit:
                return False
            times.extend([time.time()] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return when the oldest that counts was counted, and how many count."""
        with self._lock:
            times = self._newest(key, expiry)
            return (times[0] if times else time.time()), len(times)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count without a limit."""
        with self._lock:
            times = self._newest(key, expiry)
            times.extend([time.time()] * amount)
            return len(times)

    def get(self, key: str) -> int:
        """Return how many count."""
        with self._lock:
            expiry, times = self._times.get(key, (0, ()))
            return len(self._newest(key, expiry)) if times else 0

    def get_expiry(self, key: str) -> float:
        """Return when the oldest stops to count."""
        expiry, times = self._times.get(key, (0, ()))
        return (times[0] if times else time.time()) + expiry

    def check(self) -> bool:
        """Tell that the storage works."""
        return True

    def reset(self) -> int:
        """Forget all."""
        count = len(self._times)
        self._times.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._times.pop(key, None)

    def _newest(self, key: str, expiry: int) -> deque[float]:
        """Return the times that still count."""
        found = self._times.get(key)
        if found is None:
            if len(self._times) >= self._look_at:
                self._forget()
            found = self._times[key] = expiry, deque[float]()
        times = found[1]
        begin = time.time() - expiry
        while times and times[0] < begin:
            times.popleft()
        return times

    def _forget(self) -> None:
        now = time.time()
        for key, (expiry, times) in [*self._times.items()]:
            if not times or times[-1] < now - expiry:
                del self._times[key]
        self._look_at = max(_FIRST_LOOK, 2 * len(self._times))
