"""Failed attempts to sign in, by address, in the memory of one process: guessing becomes slow, nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_FAILURES = 10
WINDOW_SECONDS = 300.0
MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class Throttle:
    """The moments of recent failures by address; `now` is in seconds of a clock that never goes back."""

    failures: dict[str, list[float]] = field(default_factory=dict)

    def wait_seconds(self, address: str, now: float) -> int:
        """Return how long an address has to wait before it may try again; 0 when it may."""
        recent = self._recent(address, now)
        return 0 if len(recent) < MOST_FAILURES else int(recent[-MOST_FAILURES] + WINDOW_SECONDS - now) + 1

    def note_failure(self, address: str, now: float) -> None:
        """Remember one failure; when too many addresses are known, forget those that failed longest ago."""
        self.failures[address] = [*self._recent(address, now), now][-MOST_FAILURES:]
        if len(self.failures) > MOST_ADDRESSES:
            oldest_first = sorted(self.failures, key=lambda one: self.failures[one][-1])
            for one in oldest_first[: MOST_ADDRESSES // 2]:
                self.failures.pop(one, None)

    def forget(self, address: str) -> None:
        """Forget the failures of an address that has signed in."""
        self.failures.pop(address, None)

    def _recent(self, address: str, now: float) -> list[float]:
        return [moment for moment in self.failures.get(address, ()) if now - moment < WINDOW_SECONDS]
