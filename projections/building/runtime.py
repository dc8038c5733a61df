"""The runtime: what a worker and an operator do with the projections of a log, each in a line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from projections.building.builds import Build
from projections.building.comparing import Differs
from projections.building.crew import Crew
from projections.building.filling import Overtaken
from projections.building.folding import Folding, Progress, silent
from projections.building.rebuilding import Digests, NothingRetired, Swapped, prune, rebuild, roll_back, verify
from projections.building.retrying import Retried, retry

__all__ = ["Differs", "NothingRetired", "Overtaken", "Progress", "Retried", "Runtime", "Swapped"]


@dataclass(slots=True)
class Runtime(Folding):
    """Folding, and what is done with whole builds; of that, `processes` share the work where the database bears it."""

    processes: int = 1

    def rebuild(
        self,
        log_id: int,
        names: Collection[str],
        progress: Progress = silent,
        *,
        accept: bool = False,
        fresh: bool = False,
    ) -> Swapped:
        """Fold projections anew, compare, and swap: see `rebuilding.rebuild`."""
        with Crew(self, self.processes) as crew:
            return rebuild(self, crew, log_id, names, progress, accept=accept, fresh=fresh)

    def verify(self, log_id: int, progress: Progress = silent) -> Digests:
        """Fold all projections anew and compare with the live ones: see `rebuilding.verify`."""
        with Crew(self, self.processes) as crew:
            return verify(self, crew, log_id, progress)

    def roll_back(self, log_id: int, progress: Progress = silent) -> Swapped:
        """Swap back to the retired builds: see `rebuilding.roll_back`."""
        with Crew(self, self.processes) as crew:
            return roll_back(self, crew, log_id, progress)

    def retry(self, log_id: int, progress: Progress = silent) -> Retried:
        """Fold what is parked once more: see `retrying.retry`."""
        with Crew(self, self.processes) as crew:
            return retry(self, crew, log_id, progress)

    def prune(self, log_id: int) -> list[Build]:
        """Drop all builds that are not live: see `rebuilding.prune`."""
        return prune(self, log_id)
