"""Statements in a file, one after the other: a JSON array, one statement, or NDJSON, plain or gzipped.

What is held in memory is bounded by the largest statement that the server takes, not by the file.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from lrs.errors import InvalidJson, InvalidRequest, Problem

Stream: TypeAlias = "io.BufferedReader[Any]"

CHUNK = 256 * 1024
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = " \t\r\n"
_raw_decode = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode


@dataclass(frozen=True, slots=True)
class Item:
    """A statement as it came, and where it stood."""

    place: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """An open file of statements: its name, its bytes (unzipped), how far it was read, its length (0: unknown)."""

    name: str
    stream: Stream
    done: Callable[[], int]
    total: int


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """Open a file, or standard input for `-`; raises InvalidRequest when it cannot be read."""
    try:
        with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
            total = 0 if name == "-" else Path(name).stat().st_size
            known_as = "stdin" if name == "-" else Path(name).name
            yield Source(known_as, _unzipped(file), file.tell if total else lambda: 0, total)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidRequest(f"{name} cannot be read: {error}") from error


def _unzipped(file: IO[bytes]) -> Stream:
    buffered = io.BufferedReader(cast("io.RawIOBase", file), CHUNK)
    if buffered.peek(2)[:2] != GZIP_MAGIC:
        return buffered
    return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=buffered)), CHUNK)


def items(stream: Stream, limit_bytes: int) -> Iterator[Item]:
    """Yield the statements of a stream; raises InvalidRequest where it cannot be told where one ends."""
    if stream.peek(3)[:3] == BYTE_ORDER_MARK:
        stream.read(3)
    first = _first_character(stream)
    if first == b"[":
        return _elements(stream, limit_bytes)
    return _lines(stream, limit_bytes)


def _first_character(stream: Stream) -> bytes:
    """Return the first character that is no white space, which is left in the stream; nothing at its end."""
    while ahead := stream.peek(1):
        rest = ahead.lstrip()
        if rest:
            return rest[:1]
        stream.read(len(ahead))
    return b""


def _lines(stream: Stream, limit_bytes: int) -> Iterator[Item]:
    """Yield each line as a statement; or all lines as one, where the first by itself is no JSON."""
    number, is_first = 0, True
    while line := _line(stream, limit_bytes, number + 1):
        number += 1
        text = line.strip()
        if text and is_first and not _is_whole(text):
            rest = stream.read(limit_bytes)
            if _is_whole(text + b"\n" + rest):
                yield Item(f"line {number}", text + b"\n" + rest.strip())
                return
            yield Item(f"line {number}", text)
            stream = _before(rest, stream)
        elif text:
            yield Item(f"line {number}", text)
        is_first = is_first and not text


def _line(stream: Stream, limit_bytes: int, number: int) -> bytes:
    line = stream.readline(limit_bytes + 1)
    if len(line) > limit_bytes:
        raise InvalidRequest(f"line {number} is longer than {limit_bytes} bytes; CAIRN_BODY_LIMIT_BYTES says how long")
    return line


class _Joined(io.RawIOBase):
    """Bytes that were read too far, and then the rest of the stream."""

    def __init__(self, ahead: bytes, rest: IO[bytes]) -> None:
        self._ahead, self._rest = io.BytesIO(ahead), rest

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        found = self._ahead.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _before(ahead: bytes, rest: Stream) -> Stream:
    return io.BufferedReader(_Joined(ahead, rest), CHUNK)


def _is_whole(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _elements(stream: Stream, limit_bytes: int) -> Iterator[Item]:
    """Yield the elements of an array, whatever they are."""
    window = _Window(stream, limit_bytes)
    window.skip("[")
    if window.next_character() == "]":
        return
    while True:
        window.next_character()
        yield Item(f"line {window.line}", window.value())
        separator = window.next_character()
        window.skip(separator)
        if separator == "]":
            return
        if separator != ",":
            raise window.unreadable("a comma, or the end of the array, must stand here")


class _Window:
    """The part of a text that is looked at: it grows until a value is whole, and forgets what was read."""

    def __init__(self, stream: IO[bytes], limit_bytes: int) -> None:
        self.line = 1
        self._stream, self._limit = stream, limit_bytes
        self._decoded = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at, self._is_at_end = "", 0, False

    def next_character(self) -> str:
        """Return the next character that is no white space; raises InvalidRequest at the end of the text."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self.line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow(CHUNK):
                raise self.unreadable("the file ends inside its array")

    def skip(self, character: str) -> None:
        """Go behind a character."""
        self.next_character()
        self._at += len(character)

    def value(self) -> bytes:
        """Return the text of the value that begins here."""
        while True:
            try:
                _, end = _raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at <= self._limit and self._grow(max(CHUNK, len(self._text) - self._at)):
                    continue
                raise self.unreadable(f"no statement can be read: {error}") from error
            if end == len(self._text) and self._grow(CHUNK):
                continue
            found = self._text[self._at : end]
            self.line += found.count("\n")
            self._at = end
            return found.encode()

    def unreadable(self, why: str) -> InvalidJson:
        """Return the error that tells where a text cannot be read on."""
        return InvalidJson("the array cannot be read on from here", [Problem(f"line {self.line}", why)])

    def _grow(self, size: int) -> bool:
        """Read more and forget what is done with; whether there was more."""
        if self._is_at_end:
            return False
        more = self._stream.read(size)
        self._is_at_end = len(more) == 0
        try:
            text = self._decoded.decode(more, final=self._is_at_end)
        except UnicodeDecodeError as error:
            raise self.unreadable(f"is not UTF-8: {error.reason}") from error
        self._text, self._at = self._text[self._at :] + text, 0
        return not self._is_at_end
