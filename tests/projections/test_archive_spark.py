"""The Spark engine, on this machine and on a standalone cluster of which a worker is killed in mid-job.

Skipped without PySpark and Java, unless CAIRN_TEST_NEEDS_SPARK forbids that.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from projections.archive import local
from projections.archive.columns import rows_digest
from projections.archive.manifest import Manifest, keep
from projections.archive.replay import Replayed, job_of, together
from projections.archive.storage import place_at
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from tests.projections.archives import synthetic

LEARNERS, BITS = 320, 6
SECONDS = 300.0
LOOPBACK = "127.0.0.1"
IS_THERE = bool(shutil.which("java")) and importlib.util.find_spec("pyspark") is not None

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(
        not IS_THERE and not os.environ.get("CAIRN_TEST_NEEDS_SPARK"),
        reason="needs Java 17 and the extra `spark`",
    ),
]


@dataclass(frozen=True)
class Scene:
    """An archive, a candidate rule in a file, and what the local engine makes of both."""

    url: str
    rule: Path
    manifest: Manifest
    plain: Replayed
    candidate: Replayed


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """An archive whose manifest names the digest that the local engine comes to."""
    folder = tmp_path_factory.mktemp("spark")
    rule = folder / "candidate.json"
    rule.write_text(json.dumps({**DEFAULT_RULE_DOCUMENT, "version": 2, "method": {"name": "highest"}}))
    url = str(folder / "archive")
    manifest = synthetic(url, LEARNERS, BITS)
    job = job_of(url, str(folder / "local"), [rule.read_text()])
    candidate = together(manifest, local.run(job, range(1 << BITS), 1))
    manifest = replace(manifest, mastery=candidate.digest)
    keep(place_at(url), manifest)
    plain = candidate._replace(agrees=True, differences="", counts={})
    return Scene(url, rule, manifest, plain, candidate)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which every JVM starts quickly and speaks to this machine only."""
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    return {**os.environ, "CAIRN_DATA_DIR": str(folder), "SPARK_LOCAL_IP": LOOPBACK, "JDK_JAVA_OPTIONS": quick}


def replaying(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start `cairn replay … --engine spark`."""
    command = [str(Path(sys.executable).parent / "cairn"), "replay", *words, "--engine", "spark"]
    return subprocess.Popen(
        command, env=environment(folder), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def told(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a replay that goes well and return what it told."""
    out, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    return out


def test_spark_on_this_machine_comes_to_the_local_digest(scene: Scene, tmp_path: Path) -> None:
    out = told(replaying(tmp_path, scene.url, "--master", "local[2]", "-o", str(tmp_path / "out")))
    assert scene.plain.digest in out
    assert "as the database's own" in out
    assert len(list((tmp_path / "out" / "decisions").iterdir())) == 1 << BITS


def test_a_what_if_on_a_cluster_survives_the_loss_of_a_worker(scene: Scene, tmp_path: Path) -> None:
    target = tmp_path / "out"
    with cluster(tmp_path) as (master, workers):
        process = replaying(tmp_path, scene.url, "--master", master, "--rule", str(scene.rule), "-o", str(target))
        wait_for(lambda: list((target / "decisions").glob("[0-9]*")), process)
        os.killpg(workers[0].pid, signal.SIGKILL)
        at_the_kill = len(list((target / "decisions").glob("[0-9]*")))
        out = told(process)
    assert at_the_kill < 1 << BITS
    assert scene.candidate.digest in out
    assert scene.candidate.differences in out
    own = Path(place_at(scene.url).root).parent / "local"
    for folder in ("decisions", "differences"):
        assert rows_in(target / folder) == rows_in(own / folder)


def rows_in(folder: Path) -> dict[str, str]:
    """Return the digest of the rows of each file of a folder that is whole."""
    return {one.name: rows_digest(pq.read_table(one)) for one in folder.glob("[0-9]*")}


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Run a standalone master and two workers on loopback; yield the master's URL and the workers."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    master = f"spark://{LOOPBACK}:{port}"
    web = ("--webui-port", "0", "--host", LOOPBACK)
    with ExitStack() as stack:
        log = stack.enter_context((folder / "cluster.log").open("wb"))
        stack.enter_context(daemon(folder, log.fileno(), "master.Master", *web, "--port", str(port)))
        wait_for(lambda: is_open(port))
        size = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work"))
        workers = [
            stack.enter_context(daemon(folder, log.fileno(), "worker.Worker", *web, *size, master)) for _ in range(2)
        ]
        wait_for(lambda: (folder / "cluster.log").read_bytes().count(b"Successfully registered with master") == 2)
        yield master, workers


@contextmanager
def daemon(folder: Path, log: int, name: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part of the cluster in a process group of its own, which is ended with the block."""
    import pyspark

    home = Path(pyspark.__file__).parent
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *words]
    process = subprocess.Popen(
        command, env=environment(folder), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_open(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_for(is_so: object, process: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so; fail when it takes too long, or when the process ends before."""
    assert callable(is_so)
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < SECONDS
        assert process is None or process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
