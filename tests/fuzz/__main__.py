"""The long run: `python -m tests.fuzz --inputs 200000`, two processes, on SQLite and PostgreSQL.

Every batch has a seed of its own; what fails is told with its seed and kept as a file that the test run takes
once it is moved to `tests/fuzz/found/`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from tests.fuzz.running import Tally, run

PROCESSES = 2


def main() -> None:
    """Send inputs until there were enough of them or the time is up; exit 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after so long, whatever was reached")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first seed; told in the output")
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"), help="folder for what fails")
    asked = parser.parse_args()
    deadline = time.time() + asked.minutes * 60
    print(f"seed {asked.seed}, {asked.inputs} inputs, {PROCESSES} processes", flush=True)
    whole = Tally()
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        share = asked.inputs // PROCESSES
        jobs = [
            pool.submit(run, dialect, share, asked.seed + number * 1_000_000, deadline)
            for number, dialect in enumerate(("sqlite", "postgresql"))
        ]
        for job in as_completed(jobs):
            tally = job.result()
            whole.counts.update(tally.counts)
            whole.wrong += tally.wrong
    report(whole, asked.failures)
    sys.exit(1 if whole.wrong else 0)


def report(tally: Tally, folder: Path) -> None:
    """Print what was answered, by family and status; keep one request of each kind of failure."""
    print(f"\n{tally.counts.total()} inputs")
    for family in sorted({family for family, _ in tally.counts}):
        by_status = {status: number for (one, status), number in sorted(tally.counts.items()) if one == family}
        told = ", ".join(f"{status}: {number}" for status, number in by_status.items())
        print(f"  {family:<12} {sum(by_status.values()):>7}   {told}")
    print(f"{len(tally.wrong)} wrong")
    kinds = Counter((sentence[:120], origin.partition(" ")[0]) for sentence, origin, _ in tally.wrong)
    for (sentence, family), number in kinds.most_common():
        first = next(one for one in tally.wrong if (one[0][:120], one[1].partition(" ")[0]) == (sentence, family))
        print(f"  {number} × {sentence} ({first[1]})")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{sha256(first[2].encode()).hexdigest()[:12]}.json").write_text(first[2])


if __name__ == "__main__":
    main()
