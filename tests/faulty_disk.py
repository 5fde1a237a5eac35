"""A disk that fails when told to and remembers what was written, between SQLite and its files.

It is a SQLite VFS over the default one, for all connections of the process that are opened after
it was made. A process keeps it to its end, so only the interpreters that tests start make one.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import ctypes.util
import threading
from typing import Any, NamedTuple

_FULL = 13
_ERRORS = {
    "open": 14,
    "read": 10 | 1 << 8,
    "write": 10 | 3 << 8,
    "sync": 10 | 4 << 8,
    "truncate": 10 | 6 << 8,
    "delete": 10 | 10 << 8,
    "map": 10 | 21 << 8,
}

KINDS = frozenset(_ERRORS)
"""The calls that can fail; "map" is of the index of the write-ahead log, which holds no data."""

_CREATED_LOG = {0x4 | 0x800, 0x4 | 0x80000}  # flags of a journal or write-ahead log

_Pointer = ctypes.c_void_p
_int = ctypes.c_int
_Open = ctypes.CFUNCTYPE(_int, _Pointer, _Pointer, _Pointer, _int, _Pointer)
_Delete = ctypes.CFUNCTYPE(_int, _Pointer, _Pointer, _int)
_Transfer = ctypes.CFUNCTYPE(_int, _Pointer, _Pointer, _int, ctypes.c_int64)
_Truncate = ctypes.CFUNCTYPE(_int, _Pointer, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(_int, _Pointer, _int)
_Map = ctypes.CFUNCTYPE(_int, _Pointer, _int, _int, _int, _Pointer)


class _VFS(ctypes.Structure):
    _fields_ = (
        ("version", _int),
        ("file_size", _int),
        ("longest_path", _int),
        ("next", _Pointer),
        ("name", ctypes.c_char_p),
        ("data", _Pointer),
        ("open", _Pointer),
        ("delete", _Pointer),
        ("others", _Pointer * 13),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", _int),
        ("close", _Pointer),
        ("read", _Pointer),
        ("write", _Pointer),
        ("truncate", _Pointer),
        ("sync", _Pointer),
        ("others", _Pointer * 7),
        ("map", _Pointer),
        ("rest", _Pointer * 5),
    )


class Event(NamedTuple):
    """What happened to a file, or was noted in between.

    Attributes:
        kind: "write", "truncate", "sync", "delete", "settle" (deletions before it have reached
            the disk) or "note".
        name: The path of the file.
        offset: Where the data begin, or how long the file is now.
        value: What was written, or noted.
    """

    kind: str
    name: str = ""
    offset: int = 0
    value: Any = None


class Disk:
    """The disk under all connections that are opened from now on.

    Attributes:
        events: What happened to files, in its order.
        calls: How many calls that could have failed there were since `fail`.
        struck: The kinds of the calls that failed since `fail`.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()
        self._names: dict[int, str] = {}
        self._new: set[int] = set()
        self._tables: dict[int, _Methods] = {}
        self._kept: list[Any] = []  # SQLite calls them as long as the process lives
        self.repair()
        self._install()

    def fail(self, *kinds: str, at: int = 1, forever: bool = False, full: bool = False) -> None:
        """Let calls fail, from the *at*-th of these kinds (default: all) on.

        Args:
            kinds: What fails.
            at: Which call is the first.
            forever: Whether all later ones fail too, until the `repair`.
            full: Whether a write fails for want of space.
        """
        with self._lock:
            self._kinds = frozenset(kinds) or KINDS
            self._at, self._forever, self._full = at, forever, full
            self.calls = 0
            self.struck: list[str] = []

    def repair(self) -> None:
        """Let nothing fail any more."""
        self.fail(at=2**60)

    def note(self, value: Any) -> None:
        """Put *value* between the events."""
        self._remember(Event("note", value=value))

    def _remember(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)

    def _verdict(self, kind: str) -> int:
        with self._lock:
            if kind not in self._kinds:
                return 0
            self.calls += 1
            if self.calls < self._at or (self.calls > self._at and not self._forever):
                return 0
            self.struck.append(kind)
        return _FULL if self._full and kind == "write" else _ERRORS[kind]

    def _install(self) -> None:
        library = _library()
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_VFS)
        original = library.sqlite3_vfs_find(None)
        vfs = _copy(original.contents)
        open_, delete = _Open(vfs.open), _Delete(vfs.delete)

        def faulty_open(_: int, name: int, file: int, flags: int, out: int) -> int:
            if code := self._verdict("open"):
                # Tells SQLite that there is nothing to close.
                _Pointer.from_address(file).value = None
                return code
            code = open_(ctypes.addressof(original.contents), name, file, flags, out)
            methods = _Pointer.from_address(file)
            if code == 0 and methods.value:
                self._names[file] = ctypes.string_at(name).decode() if name else ""
                if any(flags & log == log for log in _CREATED_LOG):
                    self._new.add(file)
                else:
                    self._new.discard(file)
                methods.value = ctypes.addressof(self._faulty(methods.value))
            return code

        def faulty_delete(_: int, name: int, durable: int) -> int:
            if code := self._verdict("delete"):
                return code
            code = delete(ctypes.addressof(original.contents), name, durable)
            if code == 0:
                self._remember(Event("delete", ctypes.string_at(name).decode()))
                if durable:
                    self._remember(Event("settle"))
            return code

        self._put(vfs, open=_Open(faulty_open), delete=_Delete(faulty_delete))
        vfs.name = b"faulty"
        self._kept += [original, vfs]
        assert library.sqlite3_vfs_register(ctypes.byref(vfs), 1) == 0

    def _put(self, table: Any, **functions: Any) -> None:
        for name, function in functions.items():
            self._kept.append(function)
            setattr(table, name, ctypes.cast(function, _Pointer).value)

    def _faulty(self, address: int) -> _Methods:
        """Return the methods of a file with the hook before them."""
        if address not in self._tables:
            table = _copy(_Methods.from_address(address))
            self._put(
                table,
                read=self._reading(_Transfer(table.read)),
                write=self._writing(_Transfer(table.write)),
                truncate=self._truncating(_Truncate(table.truncate)),
                sync=self._syncing(),
            )
            if table.map:  # files that cannot be shared have none
                self._put(table, map=self._mapping(_Map(table.map)))
            self._tables[address] = table
        return self._tables[address]

    def _reading(self, read: Any) -> Any:
        def faulty(file: int, buffer: int, amount: int, offset: int) -> int:
            return self._verdict("read") or read(file, buffer, amount, offset)

        return _Transfer(faulty)

    def _writing(self, write: Any) -> Any:
        def faulty(file: int, buffer: int, amount: int, offset: int) -> int:
            failure = self._verdict("write")
            done = amount // 2 if failure else amount  # what fails may have been done in part
            code = write(file, buffer, done, offset)
            if code == 0:
                data = ctypes.string_at(buffer, done)
                self._remember(Event("write", self._names[file], offset, data))
            return failure or code

        return _Transfer(faulty)

    def _truncating(self, truncate: Any) -> Any:
        def faulty(file: int, length: int) -> int:
            code = self._verdict("truncate") or truncate(file, length)
            if code == 0:
                self._remember(Event("truncate", self._names[file], length))
            return code

        return _Truncate(faulty)

    def _syncing(self) -> Any:
        def faulty(file: int, _: int) -> int:
            # The real disk is not waited for: these files need not outlive the test.
            code = self._verdict("sync")
            if code == 0:
                self._remember(Event("sync", self._names[file]))
                # SQLite synchronises the folder too, with the first sync of a log it has opened.
                if file in self._new:
                    self._new.remove(file)
                    self._remember(Event("settle"))
            return code

        return _Sync(faulty)

    def _mapping(self, map_: Any) -> Any:
        def faulty(file: int, region: int, size: int, extend: int, out: int) -> int:
            return self._verdict("map") or map_(file, region, size, extend, out)

        return _Map(faulty)


def _library() -> ctypes.CDLL:
    """Return the SQLite that Python's own module calls."""
    for name in (_sqlite3.__file__, None, ctypes.util.find_library("sqlite3")):
        library = ctypes.CDLL(name)
        if hasattr(library, "sqlite3_vfs_find"):
            return library
    raise RuntimeError("the functions of SQLite are not visible")


def _copy(table: Any) -> Any:
    return type(table).from_buffer_copy(table)
