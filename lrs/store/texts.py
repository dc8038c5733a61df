"""Statements' texts as the database keeps them: compressed against a vocabulary of xAPI, which is numbered.

A text as stored begins with the number of its vocabulary, or is the text itself where that is shorter. The vocabulary
is written by hand, from the standards alone: one trained on a district's statements would hold pieces of them, which
an erasure could not reach. A published one never changes; the next gets the next number.
"""

from __future__ import annotations

from importlib.resources import files
from threading import local
from typing import Any, Final

import zstandard
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

LEVEL: Final = 3
NEWEST: Final = 1
FIRST_OF_A_TEXT: Final = 9
"""JSON begins with a tab at the lowest, so every number below this one can be a vocabulary's."""


def _vocabulary(number: int) -> zstandard.ZstdCompressionDict:
    words = files("lrs.store").joinpath(f"vocabulary_{number}.txt").read_bytes()
    return zstandard.ZstdCompressionDict(words, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


_words: Final = {number: _vocabulary(number) for number in range(1, NEWEST + 1)}
_words[NEWEST].precompute_compress(level=LEVEL)
_mark: Final = bytes([NEWEST])


class _Tools(local):
    """The compressor and the decompressors of one thread: they must not be shared."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(dict_data=_words[NEWEST], write_checksum=False).compress
        self.unpack = {
            number: zstandard.ZstdDecompressor(dict_data=words).decompress for number, words in _words.items()
        }


_tools: Final = _Tools()


def packed(text: bytes) -> bytes:
    """Return a statement's text as it is stored."""
    short = _mark + _tools.pack(text)
    return short if len(short) < len(text) else text


def unpacked(stored: bytes) -> bytes:
    """Return the text of what is stored; raises zstandard.ZstdError when it is damaged."""
    number = stored[0]
    return _tools.unpack[number](stored[1:]) if number < FIRST_OF_A_TEXT else stored


class StatementText(TypeDecorator[bytes]):
    """A column of statements' texts: packed on the way in, unpacked on the way out."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Pack a text."""
        return None if value is None else packed(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Unpack a text."""
        return None if value is None else unpacked(bytes(value))
