"""multipart/mixed (RFC 2046 section 5.1): how statements travel with their attachments (Communication 1.5.2).

A body is cut as it comes: no more of it is held than one piece and one header. Lines end in CRLF.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from lrs.errors import BodyTooLarge, InvalidRequest

HEADER_LIMIT_BYTES = 4_000
OUTSIDE_LIMIT_BYTES = 64_000
"""Most bytes before the first and behind the last boundary: RFC 2046 has them skipped, so nobody needs many."""
CRLF = b"\r\n"

_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_is_boundary = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]").fullmatch
_is_header_line = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*").fullmatch
_FOLD = re.compile(rb"\r\n[ \t]+")
# What makes a line of a boundary: nothing more but padding, and for the last one two hyphens before it.
_line_end = re.compile(rb"(--)?[ \t]{0,100}\r\n").match
_last_line_end = re.compile(rb"(--)[ \t]{0,100}\Z").match
_perhaps_line_end = re.compile(rb"(?:-|(?:--)?[ \t]{0,100}\r?)\Z").match


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers, their names in lower case, and its data, to be read before the next part is asked for."""

    headers: Mapping[str, str]
    data: Iterator[bytes]


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names, quoted or bare; raises InvalidRequest unless it names one."""
    found: list[str] = [value for name, value in _PARAMETER.findall(content_type) if name.lower() == "boundary"]
    if len(found) != 1:
        raise InvalidRequest("multipart/mixed needs one boundary: send Content-Type: multipart/mixed; boundary=...")
    text = found[0].strip()
    if text.startswith('"'):
        text = _QUOTED_PAIR.sub(r"\1", text[1:-1])
    if not _is_boundary(text):
        raise InvalidRequest(
            "the boundary must have 1 to 70 letters, digits, spaces or '()+_,-./:=? and not end in a space (RFC 2046)"
        )
    return text.encode()


def parts(pieces: Iterable[bytes], boundary: bytes) -> Iterator[Part]:
    """Yield the parts of a body that comes in pieces; what its reader leaves of a part is skipped.

    Raises InvalidRequest where the body is not multipart/mixed, and BodyTooLarge for an endless header.
    """
    cut = _Cut(pieces, boundary)
    _skip(cut.section(), "before the first boundary")
    if cut.is_closed():
        raise InvalidRequest("the body has no part: send the statements as the first, of type application/json")
    while not cut.is_closed():
        section = cut.section()
        yield _part(section)
        for _ in section:
            pass
    _skip(cut.rest(), "behind the last boundary")


def part_head(boundary: str, headers: Mapping[str, str]) -> bytes:
    """Return what stands before the data of a part: the end of what came before, its boundary and its headers."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"\r\n--{boundary}\r\n{lines}\r\n".encode()


def tail(boundary: str) -> bytes:
    """Return what stands behind the last part."""
    return f"\r\n--{boundary}--\r\n".encode()


class _Cut:
    """A body that is cut at the lines of its boundary.

    A line that only begins like the boundary is data: where it were none after all, the hash of the data tells.
    """

    def __init__(self, pieces: Iterable[bytes], boundary: bytes) -> None:
        self._pieces = iter(pieces)
        self._delimiter = CRLF + b"--" + boundary
        self._held = CRLF
        self._is_over = False
        self._is_closed = False

    def is_closed(self) -> bool:
        """Tell whether the last boundary was met."""
        return self._is_closed

    def section(self) -> Iterator[bytes]:
        """Yield what stands before the next line of the boundary, and step behind that line."""
        searched = 0
        while True:
            at = self._held.find(self._delimiter, searched)
            if at < 0:
                yield from self._sure()
                searched = 0
                self._pull_or_refuse()
                continue
            end = at + len(self._delimiter)
            line = _line_end(self._held, end) or (_last_line_end(self._held, end) if self._is_over else None)
            if line:
                before, self._held = self._held[:at], self._held[line.end() :]
                self._is_closed = line[1] is not None
                if before:
                    yield before
                return
            searched = end
            if not self._is_over and _perhaps_line_end(self._held, end):
                searched = at
                self._pull()

    def rest(self) -> Iterator[bytes]:
        """Yield whatever follows."""
        yield self._held
        yield from self._pieces

    def _sure(self) -> Iterator[bytes]:
        """Give out what is held but for an end that may be the beginning of a boundary."""
        kept = len(self._delimiter) - 1
        if len(self._held) > kept:
            sure, self._held = self._held[:-kept], self._held[-kept:]
            yield sure

    def _pull(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            self._is_over = True
        else:
            self._held += piece

    def _pull_or_refuse(self) -> None:
        self._pull()
        if self._is_over:
            line = self._delimiter.strip().decode()
            raise InvalidRequest(f"the body ends without its last boundary, a line of {line}--; lines end in CRLF")


def _skip(pieces: Iterator[bytes], where: str) -> None:
    skipped = 0
    for piece in pieces:
        skipped += len(piece)
        if skipped > OUTSIDE_LIMIT_BYTES:
            raise InvalidRequest(f"more than {OUTSIDE_LIMIT_BYTES} bytes stand {where}: leave them out, or mend it")


def _part(section: Iterator[bytes]) -> Part:
    """Read a part's headers; the rest of its section is its data."""
    head = b""
    for piece in section:
        head += piece
        end = 0 if head.startswith(CRLF) else head.find(CRLF + CRLF) + len(CRLF)
        if end >= len(CRLF) or head.startswith(CRLF):
            _check_size(end)
            return Part(_headers(head[:end]), chain([head[end + len(CRLF) :]], section))
        _check_size(len(head))
    if head and not head.endswith(CRLF):
        raise InvalidRequest("an empty line must stand between the headers of a part and its data")
    return Part(_headers(head), iter(()))


def _check_size(size: int) -> None:
    if size > HEADER_LIMIT_BYTES:
        raise BodyTooLarge(f"the headers of a part have more than {HEADER_LIMIT_BYTES} bytes")


def _headers(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _FOLD.sub(b" ", head).decode("latin-1").split("\r\n")[:-1]:
        match = _is_header_line(line)
        if match is None:
            raise InvalidRequest("a part has a header that is no `Name: value` line; an empty line ends the headers")
        name = match[1].lower()
        if name in found:
            raise InvalidRequest(f"a part has the header {match[1]} twice; send it once")
        found[name] = match[2]
    return found
