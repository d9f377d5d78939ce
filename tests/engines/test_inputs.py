"""Inputs are read once, whole, in the right order, or refused."""

import bz2
import gzip
import lzma
import os
import resource
import subprocess
import sys
from datetime import datetime, timedelta

import polars as pl
import pytest

from rollsignal.config.settings import Checks
from rollsignal.errors import DataError, UsageError
from rollsignal.files.find import find_paths, input_of
from tests.support.deciding import decide, inputs
from tests.support.frames import arrow, parquet
from tests.support.shell import CONFIG as YAML
from tests.support.shell import ROOT, Job
from tests.support.tables import CONFIG

TWO = CONFIG._replace(window=2)


def ignore(level, text):
    pass


@pytest.mark.parametrize("write", [parquet, arrow])
def test_a_columnar_file_whose_name_is_a_pattern_is_that_file(tmp_path, write):
    (tmp_path / "x[1]").write_bytes(write(pl.DataFrame({"close": [1.0, 2.0, 3.0]})))
    (tmp_path / "x1").write_bytes(write(pl.DataFrame({"close": [9.0, 9.0]})))
    assert decide([tmp_path / "x[1]"], TWO).tally.rows == 3


@pytest.mark.parametrize("library", [bz2, lzma])
@pytest.mark.parametrize("ending", ["junk", "damaged"])
def test_what_follows_the_first_stream_is_not_dropped(tmp_path, library, ending):
    head, tail = b"close\n1\n2\n3\n", b"4\n5\n6\n"
    second = bytearray(library.compress(tail))
    second[0] ^= 1
    (tmp_path / "bars").write_bytes(
        library.compress(head) + (b"junk" if ending == "junk" else second)
    )
    with pytest.raises(DataError, match="bars: cannot be read as"):
        decide([str(tmp_path / "bars")], TWO, ignore)


def test_blank_lines_before_the_header_take_bounded_memory(tmp_path):
    with gzip.open(tmp_path / "bomb.csv.gz", "wb", 1) as file:
        for _ in range(200):
            file.write(b"\n" * (1 << 20))
    (tmp_path / "config.yaml").write_text(YAML)
    limit = 768 << 20
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "--input", "bomb.csv.gz"],
        check=False,
        cwd=tmp_path,
        timeout=300,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 65, done.stdout


def test_one_file_by_two_paths_is_named_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("close\n1\n2\n")
    (tmp_path / "link.csv").symlink_to("a.csv")
    for given in (["a.csv", "./a.csv"], [".", "a.csv"], ["a.csv", "link.csv"], ["."]):
        with pytest.raises(UsageError):
            find_paths(given)


def test_a_linked_folder_in_a_folder_is_not_left_out(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "b.csv").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").touch()
    (tmp_path / "data" / "day").symlink_to(tmp_path / "real")
    assert len(find_paths([str(tmp_path / "data")])) == 2


def test_an_empty_file_does_not_disturb_the_order_of_the_others(tmp_path):
    texts = {"a": "", "b": "2024-01-03,1\n2024-01-04,2\n", "c": "2024-01-01,1\n2024-01-02,2\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text("time,close\n" + text)
    assert decide([str(tmp_path / name) for name in texts], TWO, ignore).tally.rows == 4


def test_a_warning_is_counted_once_though_the_careful_reader_starts_again(tmp_path):
    (tmp_path / "a").write_text("time,note,close\n2024-01-01 00:00,,1\n2024-01-01 00:09,,2\n")
    start, wide = datetime(2024, 1, 1, 0, 5), "x" * 120
    rows = [f"{start + timedelta(minutes=row):%Y-%m-%d %H:%M},{wide},5\n" for row in range(140_000)]
    rows[-1] = rows[-1].replace(",5\n", ",0\n")
    (tmp_path / "b").write_text("time,note,close\n" + "".join(rows))
    config = TWO._replace(checks=Checks("warn", "warn"))
    result = decide([str(tmp_path / "a"), str(tmp_path / "b")], config, ignore)
    assert result.findings.counts == {"order": 1, "values": 1}


@pytest.mark.parametrize("size", [8, 9, 12, 16])
def test_an_arrow_file_cut_off_early_is_bad_data(tmp_path, size):
    (tmp_path / "bars").write_bytes(arrow(pl.DataFrame({"close": [1.0] * 9}))[:size])
    with pytest.raises(DataError):
        decide([str(tmp_path / "bars")], TWO, ignore)


def test_an_arrow_file_with_its_own_magic_again_at_the_end_is_bad_data(tmp_path):
    (tmp_path / "bars").write_bytes(arrow(pl.DataFrame({"close": [1.0] * 9})) + b"ARROW1")
    with pytest.raises(DataError):
        decide([str(tmp_path / "bars")], TWO, ignore)


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_symbol_from_a_file_name_that_is_not_utf8_is_summarized_or_refused(tmp_path, suffix):
    (tmp_path / os.fsdecode(b"sy\xff.csv")).write_text("close\n1\n2\n")
    job = Job(tmp_path, config=YAML + "columns: {symbol: {from: filename}}\n")
    path = os.fsdecode(os.fsencode(tmp_path) + b"/sy\xff.csv")
    assert job.run(f"--summary={tmp_path}/s.{suffix}", input=path) in (0, 65, 66)


def test_each_file_is_described(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("date;close\n2024-01-01;1\n")
    description = inputs([path], CONFIG).describe(input_of(str(path)))
    assert description == "utf-8, semicolon, close from close, timestamp from date"
