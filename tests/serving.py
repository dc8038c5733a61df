"""The real web server in processes of its own, over the databases of some settings."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from lrs.cli import server_arguments
from lrs.settings import Settings

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Server:
    """The web server in processes of its own, which can be killed at once."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """The address of its xAPI resources."""
        return f"http://127.0.0.1:{self.port}/xapi"

    def kill(self) -> None:
        """Kill every process of the server; none of them gets to say or write another byte."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def is_up(self) -> bool:
        """Whether it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(settings: Settings) -> Iterator[Server]:
    """Start the server and wait until it answers; whatever is left of it is killed at the end."""
    chosen = replace(settings, port=_free_port())
    environment = {f"CAIRN_{one.name.upper()}": str(getattr(chosen, one.name)) for one in fields(chosen)}
    command = [sys.executable, "-m", "granian", *server_arguments(chosen)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True, stderr=subprocess.DEVNULL
    )
    server = Server(chosen.port, process)
    try:
        while not server.is_up():
            assert process.poll() is None, "the server did not start"
            time.sleep(0.02)
        yield server
    finally:
        server.kill()
