"""The measured time and memory are those of the process alone."""

import sys

import pytest

from bench.processes import Run, measure, median, side_by_side, wall_ratio


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_the_peak_is_that_of_the_process_and_not_of_its_parent() -> None:
    held = bytearray(300_000_000)
    assert measure(python("pass")).peak_mb < 100
    assert measure(python("held = b'x' * 200_000_000")).peak_mb > 200
    assert len(held) == 300_000_000


def test_the_cpu_time_is_that_of_the_process() -> None:
    run = measure(python("import time\nwhile time.process_time() < 0.2: pass"))
    assert run.cpu_s >= 0.2
    assert run.wall_s > 0


def test_a_process_that_fails_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="oh no"):
        measure(python("raise SystemExit('oh no')"))


def test_processes_take_turns(tmp_path) -> None:
    order = tmp_path / "order"
    commands = {name: python(f"open({str(order)!r}, 'a').write({name!r})") for name in "abc"}
    assert {name: len(runs) for name, runs in side_by_side(commands, 2).items()} == {
        "a": 2,
        "b": 2,
        "c": 2,
    }
    assert order.read_text() == "abcabc"


def test_a_process_that_fails_is_left_out_of_the_turns() -> None:
    measured = side_by_side({"good": python("pass"), "bad": python("raise SystemExit(3)")}, 2)
    assert {name: len(runs) for name, runs in measured.items()} == {"good": 2}


def test_ratios_are_taken_turn_by_turn() -> None:
    ours = [Run(1, 1, 1), Run(20, 1, 1), Run(3, 1, 1)]
    others = [Run(2, 1, 1), Run(40, 1, 1), Run(2, 1, 1)]
    assert wall_ratio(ours, others) == 0.5
    assert median(ours) == Run(3, 1, 1)
