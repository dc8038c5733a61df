"""The manifest: what an archive holds, as of which position, and what each file must be like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from lrs.errors import InvalidRequest
from projections.archive.storage import Place, write

NAME: Final = "manifest.json"
FORMAT: Final = "cairn-archive/1"
"""The number rises when a reader of the old files would misread the new ones; more columns are no reason."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its path, rows, size, the SHA-256 of its bytes, and the digest of its rows however they are packed."""

    path: str
    rows: int
    size: int
    sha256: str
    rows_sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """The log that was archived, and the last position of it that is in the archive."""

    slug: str
    name: str
    origin: str
    position: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the database's own build could not fold: positions, and learners, each with the first position left out."""

    positions: tuple[int, ...] = ()
    learners: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """An archive; `evidence` and `statements` have a file for each bucket, in their order (`statements` may be empty).

    `mastery` is the digest of the database's own mastery build at the position: a replay must come to the same.
    """

    format: str
    log: Source
    bits: int
    mastery: str
    left_out: LeftOut
    acts: Part
    learners: Part
    competencies: Part
    evidence: tuple[Part, ...]
    statements: tuple[Part, ...]

    @property
    def evidence_rows(self) -> int:
        """How many rows of evidence there are, begun or ended."""
        return sum(one.rows for one in self.evidence)

    def parts(self) -> Iterator[Part]:
        """Yield every file."""
        yield from (self.acts, self.learners, self.competencies, *self.evidence, *self.statements)


def manifest_of(place: Place) -> Manifest:
    """Return the manifest of an archive; raises InvalidRequest when there is none, or one of another format."""
    try:
        text = place.read(NAME)
    except FileNotFoundError:
        raise InvalidRequest(f"{place.url} holds no {NAME}: give the folder of a finished archive") from None
    try:
        told = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        written = msgspec.json.decode(told.get("format", msgspec.Raw(b'""')))
        if written != FORMAT:
            raise InvalidRequest(f"{place.url} is {written or 'no archive'}; this version reads {FORMAT}")
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{place.url}/{NAME} cannot be read: {error}") from error


def keep(place: Place, manifest: Manifest) -> None:
    """Write the manifest, which makes the files around it an archive."""
    write(place, NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
