"""A run that continues a state, or decides a range, keeps a record that can be derived again."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rollsignal.commands.verify import verify
from rollsignal.outputs.record.document import Record, load_record
from tests.support.nights import CONFIG, PANEL, Folder, bar

ENGINES = ("local", "plain")


class Nights(Folder):
    """A folder where every run keeps a record."""

    def night(self, *paths: str, **flags: str) -> Record:
        flags = flags or {"state": str(self.path / "s.state")}
        assert self.run(paths, "part", record=self.record, **flags) is None
        return load_record(self.record)

    @property
    def record(self) -> str:
        return str(self.path / "r.json")

    def wrong(self, engine: str = "local") -> list[str]:
        points = verify(self.record, 3, engine).document["points"]
        assert isinstance(points, list)
        return [point["point"] for point in points if not point["holds"]]


def test_the_record_of_a_continued_run_has_all_files_and_is_that_of_a_whole_run(
    tmp_path: Path,
) -> None:
    folder = Nights(tmp_path)
    rows = [bar(number) for number in range(30)]
    paths = [folder.write("1.csv", rows[:20]), folder.write("2.csv", rows[20:])]
    folder.night(paths[0])
    record = folder.night(paths[1])
    assert [(entry.file.path, entry.rows, entry.compared_by) for entry in record.inputs] == [
        (paths[0], 20, "state"),
        (paths[1], 10, "stat"),
    ]
    assert [entry.form is None for entry in record.inputs] == [True, False]
    assert str(tmp_path / "s.state") in [file.path for file in record.outputs]
    whole = folder.night(*paths, since="2024-01-01")
    assert (record.tally, record.digest, record.series) == (
        whole.tally,
        whole.digest,
        whole.series,
    )


@hypothesis_settings(max_examples=12)
@given(st.data(), st.sampled_from([CONFIG, PANEL]))
def test_the_record_of_any_nights_holds_on_every_engine(data: st.DataObject, config: str) -> None:
    symbols = "AB" if config == PANEL else "A"
    rows = [bar(number, symbol=symbol) for number in range(24) for symbol in symbols]
    cuts = [*sorted(data.draw(st.sets(st.integers(6, len(rows) - 1), max_size=3))), len(rows)]
    with TemporaryDirectory() as name:
        folder, before = Nights(name, config), 0
        for number, cut in enumerate(cuts):
            # A vendor sends bars again that it has sent before.
            again = data.draw(st.integers(0, min(before, 4)))
            path = folder.write(f"{number}.csv", rows[before - again : cut])
            folder.night(path)
            before = cut
        for engine in ENGINES:
            assert folder.wrong(engine) == []


def test_a_file_known_by_its_bytes_under_another_name_is_derived_once(tmp_path: Path) -> None:
    folder = Nights(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    folder.night(path)
    copy = folder.write("copy.csv", [bar(number) for number in range(9)])
    later = folder.write("2.csv", [bar(number) for number in range(9, 12)])
    assert len(folder.night(copy, later).inputs) == 3
    assert folder.wrong() == []


def test_a_later_change_in_a_file_of_an_earlier_night_does_not_hold(tmp_path: Path) -> None:
    folder = Nights(tmp_path)
    first = folder.write("1.csv", [bar(number) for number in range(9)])
    folder.night(first)
    folder.night(folder.write("2.csv", [bar(number) for number in range(9, 19)]))
    Path(first).write_text(Path(first).read_text().replace(bar(5), bar(5, "90")))
    assert folder.wrong() == ["input", "tally", "digest"]
    Path(first).unlink()
    assert folder.wrong() == ["input", "tally", "digest"]


def test_bars_of_a_file_that_is_gone_are_derived_from_another_that_has_them(
    tmp_path: Path,
) -> None:
    folder = Nights(tmp_path)
    rows = [bar(number) for number in range(9)]
    first = folder.write("1.csv", rows)
    folder.night(first)
    Path(first).unlink()
    folder.night(folder.write("2.csv", [*rows, bar(9)]))
    assert folder.wrong() == ["input"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("config", [CONFIG, PANEL])
def test_the_record_of_a_range_holds_and_has_the_range_alone(
    tmp_path: Path, config: str, engine: str
) -> None:
    folder = Nights(tmp_path, config)
    symbols = "AB" if config == PANEL else "A"
    rows = [bar(number, symbol=symbol) for number in range(80) for symbol in symbols]
    record = folder.night(folder.write("1.csv", rows), since="2024-01-02")
    assert (record.asked.since, record.asked.until) == ("2024-01-02", None)
    assert record.tally is not None
    assert record.tally.rows == 30 * len(symbols)
    assert folder.wrong(engine) == []


@pytest.mark.parametrize("changed", ["no", "input", "state"])
def test_a_state_that_nothing_has_changed_for_is_left_alone(tmp_path: Path, changed: str) -> None:
    folder = Nights(tmp_path)
    first = folder.write("1.csv", [bar(number) for number in range(9)])
    second = folder.write("2.csv", [bar(number) for number in range(9, 19)])
    flags = {"state": str(tmp_path / "s.state")}
    folder.night(first)
    before = folder.night(second)
    # What an earlier night read may be gone.
    Path(first).unlink()
    if changed == "input":
        Path(second).write_text(Path(second).read_text() + bar(19))
    if changed == "state":
        (tmp_path / "s.state").write_text("")
    error = folder.run([second], "part", record=folder.record, if_changed=True, **flags)
    assert (error is None) == (changed != "state")
    now = load_record(folder.record)
    assert (now == before) == (changed == "no")
    if changed == "input":
        assert now.tally is not None
        assert now.tally.rows == 20


def test_the_bars_beside_the_state_are_in_the_record_and_missed_when_they_are_lost(
    tmp_path: Path,
) -> None:
    folder = Nights(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    bars, state = tmp_path / "s.state.0.bars", {"state": str(tmp_path / "s.state")}
    written = folder.night(path).outputs[-1]
    assert (written.path, written.size, written.sha256) == (str(bars), 9 * 25, None)
    assert folder.wrong() == []
    whole = bars.read_bytes()
    bars.write_bytes(whole + b"of a run that did not end")
    assert folder.wrong() == []
    bars.write_bytes(whole[:-1])
    assert folder.wrong() == ["output"]
    bars.unlink()
    assert folder.wrong() == ["output"]
    error = folder.run([path], "part", record=folder.record, if_changed=True, **state)
    assert error is not None
    assert (error.exit_code, "is gone" in error.message) == (65, True)


def test_a_restatement_that_is_decided_again_is_in_the_record(tmp_path: Path) -> None:
    folder = Nights(tmp_path, CONFIG + "on_restatement: recompute\n")
    rows = [bar(number) for number in range(9)]
    path = folder.write("1.csv", rows)
    folder.night(path)
    folder.write("1.csv", [*rows[:4], bar(4, "90"), *rows[5:]])
    record = folder.night(path)
    assert any("history was restated: 1 bar" in warning for warning in record.warnings)
    assert folder.wrong() == []
