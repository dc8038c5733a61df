"""Where an archive lies: a folder, or what fsspec reaches (`s3://…`, `memory://…`), with files that appear whole."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import fsspec
from fsspec.core import url_to_fs

from lrs.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a file system; paths inside it are relative, with slashes."""

    url: str
    system: fsspec.AbstractFileSystem
    root: str

    def path(self, name: str) -> str:
        """Return the file system's own path of a file in this place."""
        return f"{self.root}/{name}"

    def read(self, name: str) -> bytes:
        """Return a small file's bytes; raises FileNotFoundError."""
        found: bytes = self.system.cat_file(self.path(name))
        return found

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none where there is no such folder, seen afresh."""
        self.system.invalidate_cache()
        if not self.system.isdir(self.path(folder)):
            return []
        found = self.system.ls(self.path(folder), detail=False)
        return sorted(str(one).rstrip("/").rpartition("/")[2] for one in found)

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        if self.system.exists(self.path(name)):
            self.system.rm_file(self.path(name))

    def within(self, folder: str) -> Place:
        """Return a folder of this place as a place."""
        return Place(f"{self.url}/{folder}", self.system, self.path(folder))


def place_at(url: str) -> Place:
    """Return the place that a path or an address stands for; raises InvalidRequest when nothing here can reach it."""
    try:
        system, root = url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise InvalidRequest(f"{url} cannot be reached: {error} (for s3:// install the extra `s3`)") from error
    root = str(root).rstrip("/")
    return Place(system.unstrip_protocol(root), system, root)


@dataclass(slots=True)
class Hashing:
    """A file that is written once from its beginning, hashed on the way."""

    file: IO[bytes]
    sha256: Any = field(default_factory=hashlib.sha256)
    closed: bool = False

    def write(self, data: Any) -> int:
        """Write and hash some bytes."""
        self.sha256.update(data)
        return self.file.write(data)

    def tell(self) -> int:
        """Return how many bytes have been written."""
        return self.file.tell()

    def flush(self) -> None:
        """Do nothing yet: what is half written is of no use to anybody."""

    def close(self) -> None:
        """Take no more; the file itself is closed by who opened it."""
        self.closed = True


@contextmanager
def written(place: Place, name: str) -> Iterator[Hashing]:
    """Yield a file that gets its name once it is whole: nobody ever reads a part of it, whoever dies meanwhile."""
    path = place.path(name)
    partial = f"{path.rpartition('/')[0]}/.{uuid.uuid4().hex}.part"
    place.system.makedirs(path.rpartition("/")[0], exist_ok=True)
    try:
        with place.system.open(partial, "wb") as file:
            yield Hashing(file)
        place.system.mv(partial, path)
    except BaseException:
        if place.system.exists(partial):
            place.system.rm_file(partial)
        raise


def write(place: Place, name: str, data: bytes) -> None:
    """Write a small file, whole."""
    with written(place, name) as file:
        file.write(data)
