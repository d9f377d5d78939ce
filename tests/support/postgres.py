"""This module runs a PostgreSQL of its own, without a network, and loads signals into it."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.shell import ROOT

SCRIPT = ROOT / "deploy/postgres.sql"
# As text, so that nothing is rounded; a time has no zeros at its end, like those of signals.
ROWS = """\
copy (select to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), symbol,
             close, rolling_mean, signal, digest
      from {schema}.signals order by symbol, "timestamp") to stdout (format csv)"""
TABLES = "select xmin, ctid, * from {0}.signals; select xmin, ctid, * from {0}.runs"


def _newest_binaries() -> Path | None:
    """Return the folder of the programs of PostgreSQL 15 or newer, if there is one."""
    on_path = [Path(path).parent for path in [shutil.which("initdb")] if path]
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    versions = {int(path.parent.name): path for path in folders if path.parent.name.isdigit()}
    newest = [versions[number] for number in sorted(versions, reverse=True) if number >= 15]
    return next(iter([*newest, *on_path]), None)


BINARIES = _newest_binaries()


class Postgres:
    """A server that listens on a socket in its folder; `tables` names the schema of a test."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.tables = "rollsignal"

    def psql(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            env=environment,
        )

    def command(self, *words: str) -> list[str]:
        assert BINARIES
        return [
            str(BINARIES / "psql"),
            "-X",
            f"postgresql://me@/postgres?host={self._folder}",
            *words,
        ]

    def load_command(self, record: Path, signals: Path, *words: str) -> list[str]:
        values = {"record": record, "signals": signals, "schema": self.tables}
        named = [word for name, value in values.items() for word in ("-v", f"{name}={value}")]
        return self.command(*named, *words, "-f", str(SCRIPT))

    def query(self, sql: str) -> str:
        done = self.psql("-At", "-v", "ON_ERROR_STOP=1", "-c", sql)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self) -> list[list[str]]:
        """Return all signals as text: timestamp, symbol, close, mean, signal and digest."""
        return [
            [stamp.rstrip("0").rstrip(".") + "Z", *rest]
            for stamp, *rest in csv.reader(io.StringIO(self.query(ROWS.format(schema=self.tables))))
        ]

    def snapshot(self) -> str:
        """Return both tables with what PostgreSQL changes if a row is only written again."""
        return self.query(TABLES.format(self.tables))


@contextmanager
def running() -> Iterator[Postgres]:
    """Start a server as a user without rights, for PostgreSQL does not run as root."""
    assert BINARIES
    folder = tempfile.mkdtemp(prefix="pg", dir="/tmp")
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data = f"{folder}/data"
    quick = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username=me"]
    made = [str(BINARIES / "initdb"), f"--pgdata={data}", *quick]
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", folder]
    try:
        subprocess.run(made, check=True, capture_output=True, user=user, cwd=folder)
        server = subprocess.Popen(
            [str(BINARIES / "postgres"), "-D", data, *options],
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _ready(Postgres(folder))
        finally:
            server.terminate()
            server.kill() if sys.exc_info()[0] else server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ready(postgres: Postgres) -> Postgres:
    deadline = time.monotonic() + 60
    while postgres.psql("-c", "select 1").returncode:
        assert time.monotonic() < deadline, "PostgreSQL did not start"
    return postgres
