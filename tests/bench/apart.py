"""Work in a process of its own, so that its memory and its CPU time are its own too, and two cores can both work."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Generic, NamedTuple, ParamSpec, Self, TypeVar

from tests.bench.figures import Tell

P = ParamSpec("P")
T = TypeVar("T")


class Cost(NamedTuple):
    """What a process used: seconds on the clock and of CPU, and the most memory it ever held."""

    wall: float
    cpu: float
    peak_mb: float


class Failed(Exception):
    """A process of the bench ended with an error; the message is the error's."""


class Apart(Generic[T]):
    """A call at work in a process of its own; the process is ended with the context, whatever happens."""

    def __init__(self, tell: Tell, function: Callable[..., T], *args: Any) -> None:
        self._tell = tell
        context = get_context("spawn")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(sender, function, args), daemon=True)
        self._process.start()
        sender.close()

    def result(self) -> tuple[T, Cost]:
        """Wait for what the call returns, passing its progress on; raises Failed."""
        while True:
            try:
                kind, *told = self._receiver.recv()
            except EOFError:
                raise Failed("a process of the bench was ended from outside") from None
            if kind == "progress":
                self._tell(*told)
            elif kind == "error":
                raise Failed(told[0])
            else:
                return told[0], told[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()
        self._receiver.close()


def apart(tell: Tell, function: Callable[..., T], *args: Any) -> tuple[T, Cost]:
    """Return what `function(tell, *args)` returns, called in a process of its own, and what that process used."""
    with Apart(tell, function, *args) as work:
        return work.result()


def _work(sender: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begun = time.perf_counter()
    try:
        found = function(lambda *told: sender.send(("progress", *told)), *args)
    except Exception as error:
        sender.send(("error", f"{type(error).__name__}: {error}"))
        return
    cost = Cost(time.perf_counter() - begun, time.process_time(), _peak_mb())
    sender.send(("result", found, cost))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
