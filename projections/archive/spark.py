"""The Spark engine: a partition for each bucket, whose task runs `replay_bucket` where Spark puts it.

The driver schedules and holds no logic, and no row of the archive passes through Spark: each task reads one file of the
archive and writes its own. What runs the executors needs Cairn with the extra `archive`, and reaches source and target.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import pyarrow as pa

from projections.archive.replay import Job, Result, finished_files, replay_bucket

SCHEMA: Final = "bucket long, result binary"
LOOK_SECONDS: Final = 1.0
SETTINGS: Final = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


@contextmanager
def session(master: str, settings: Mapping[str, str] | None = None) -> Iterator[Any]:
    """Lend a Spark session on a master's URL (`local[*]`, `spark://host:7077`), which ends with the block.

    Executors run the Python that `PYSPARK_PYTHON` names, else the one at the path of this one.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("cairn replay").master(master)
    for name, value in {**SETTINGS, **(settings or {})}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


def run(spark: Any, job: Job, buckets: Sequence[int], tell: Callable[[int], None]) -> list[Result]:
    """Return the results of these buckets; what a lost executor had not finished, Spark gives to another.

    `tell` hears now and then how many result files there are: of a task Spark says nothing before all are done.
    """
    frame = spark.range(0, len(buckets), 1, max(len(buckets), 1)).mapInArrow(_tasks_of(job, tuple(buckets)), SCHEMA)
    with ThreadPoolExecutor(1) as pool:
        collecting = pool.submit(frame.collect)
        while wait([collecting], LOOK_SECONDS).not_done:
            tell(len(finished_files(job)))
    return [msgspec.json.decode(bytes(row.result), type=Result) for row in collecting.result()]


def _tasks_of(job: Job, buckets: Sequence[int]) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what a task does with the places of its buckets, which are all that Spark hands it."""

    def tasks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                told = msgspec.json.encode(replay_bucket(job, buckets[place]))
                yield pa.RecordBatch.from_pydict({"bucket": [buckets[place]], "result": [told]})

    return tasks
