"""One file that always holds the newest bars: those that have left it still count."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollsignal.commands.verify import verify
from rollsignal.outputs.record.document import load_record
from tests.support.nights import CONFIG, HEADER, PANEL, Folder, bar

RESTATED = "History was restated: "


def rows(begin: int, end: int) -> list[str]:
    return [bar(number) for number in range(begin, end)]


def two_nights(folder: Folder, second: list[str], first: list[str] | None = None) -> str:
    """Run over the first twelve bars, then with other ones in the same file; return the error."""
    path = folder.write("newest.csv", first or rows(0, 12))
    assert folder.continued([path]) is None
    folder.write("newest.csv", second)
    error = folder.continued([path])
    return error.message if error else ""


def is_as_whole(folder: Folder, end: int) -> bool:
    return folder.equals_a_run_over([folder.write("whole.csv", rows(0, end))])


@pytest.mark.parametrize("begin", [1, 5, 11])
def test_bars_that_have_left_the_file_still_count(tmp_path: Path, begin: int) -> None:
    folder = Folder(tmp_path)
    assert two_nights(folder, rows(begin, 20)) == ""
    what = f"newest.csv: {begin} bar{'s' * (begin > 1)} of earlier runs have left it"
    assert any(what in text for text in folder.told)
    assert not any("may be missing" in text for text in folder.told)
    assert is_as_whole(folder, 20)


def test_a_file_from_which_bars_have_left_may_grow_and_lose_more_of_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert two_nights(folder, rows(4, 20)) == ""
    with open(tmp_path / "newest.csv", "a") as file:
        file.write("".join(rows(20, 25)))
    assert folder.continued([str(tmp_path / "newest.csv")]) is None
    assert [file.left for file in folder.state().inputs] == [4]
    folder.write("newest.csv", rows(18, 30))
    assert folder.continued([str(tmp_path / "newest.csv")]) is None
    assert [file.left for file in folder.state().inputs] == [18]
    assert is_as_whole(folder, 30)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ([*rows(3, 6), *rows(7, 15)], "1 bar of A from 2024-01-01T00:06:00Z on, gone"),
        ([bar(3), bar(5, "7"), *rows(7, 15)],
         "3 bars of A from 2024-01-01T00:04:00Z on, 2 of them gone"),
        ([*rows(3, 5), bar(5, "7"), *rows(6, 15)], "1 bar of A from 2024-01-01T00:05:00Z on"),
        (rows(3, 10), "2 bars of A from 2024-01-01T00:10:00Z on, gone"),
        ([], "12 bars of A from 2024-01-01T00:00:00Z on, gone"),
    ],
    ids=["gone inside", "gone and changed", "changed", "gone at the end", "empty"],
)  # fmt: skip
def test_a_bar_that_should_still_be_there_is_restated(
    tmp_path: Path, second: list[str], message: str
) -> None:
    assert two_nights(Folder(tmp_path), second) == RESTATED + message


def test_each_series_leaves_at_its_own_bar(tmp_path: Path) -> None:
    folder = Folder(tmp_path, PANEL)
    first = [bar(number, symbol=symbol) for number in range(12) for symbol in "AB"]
    # The file has lost a bar of A, but not that of B at the same time.
    assert two_nights(folder, [*first[13:], bar(12), bar(12, symbol="B")], first) == ""
    assert folder.state().accounts["A"].tally.rows == 13


def test_a_series_that_has_left_altogether_still_counts(tmp_path: Path) -> None:
    folder = Folder(tmp_path, PANEL)
    first = [*(bar(number, symbol="C") for number in range(4)), *rows(4, 12)]
    assert two_nights(folder, rows(8, 15), first) == ""
    assert folder.state().accounts["C"].tally.rows == 4


def test_a_series_that_the_file_should_still_have_is_gone(tmp_path: Path) -> None:
    folder = Folder(tmp_path, PANEL)
    first = [bar(number, symbol=symbol) for number in range(12) for symbol in "AC"]
    message = two_nights(folder, rows(8, 15), first)
    # Those before the first bar of the file may have left it.
    assert message == RESTATED + "3 bars of C from 2024-01-01T00:09:00Z on, gone"


@pytest.mark.parametrize(("begin", "is_told"), [(12, False), (13, True), (40, True)])
def test_a_file_without_the_last_known_bar_may_lack_some(
    tmp_path: Path, begin: int, is_told: bool
) -> None:
    folder = Folder(tmp_path)
    assert two_nights(folder, rows(begin, begin + 5)) == ""
    what = f"between 2024-01-01T00:11:00Z and 2024-01-01T00:{begin}:00Z"
    assert any("may be missing " + what in text for text in folder.told) == is_told


def test_nothing_is_missing_that_another_file_has(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    paths = [folder.write("newest.csv", rows(0, 12)), str(tmp_path / "between.csv")]
    assert folder.continued(paths[:1]) is None
    folder.write("newest.csv", rows(20, 30))
    folder.write("between.csv", rows(12, 20))
    assert folder.continued(paths) is None
    assert not any("may be missing" in text for text in folder.told)
    assert is_as_whole(folder, 30)


def test_a_bar_that_waits_may_leave_the_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path, CONFIG + "open_bars: 1\n")
    assert two_nights(folder, rows(12, 20)) == ""
    assert not any("may be missing" in text for text in folder.told)
    assert folder.state().accounts["A"].tally.rows == 19
    folder.write("newest.csv", rows(30, 40))
    assert folder.continued([str(tmp_path / "newest.csv")]) is None
    what = "the bar of A at 2024-01-01T00:19:00Z has left it while it waited, and counts as it was"
    assert any(what in text for text in folder.told)
    what = "between 2024-01-01T00:19:00Z and 2024-01-01T00:30:00Z"
    assert any("may be missing " + what in text for text in folder.told)


def test_what_has_left_its_file_cannot_be_decided_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path, CONFIG + "on_restatement: recompute\n")
    assert two_nights(folder, rows(4, 15)) == ""
    state = (tmp_path / "s.state").read_bytes()
    folder.write("newest.csv", [*rows(5, 10), bar(10, "7"), *rows(11, 18)])
    error = folder.continued([str(tmp_path / "newest.csv")])
    assert error is not None
    assert error.exit_code == 66
    assert "5 bars that the state has read have left their files" in error.message
    assert (tmp_path / "s.state").read_bytes() == state
    # With a file of those bars all is there.
    others = folder.write("others.csv", rows(0, 5))
    assert folder.continued([str(tmp_path / "newest.csv"), others]) is None
    whole = [*rows(0, 10), bar(10, "7"), *rows(11, 18)]
    assert folder.equals_a_run_over([folder.write("whole.csv", whole)])


def test_a_bar_that_is_gone_is_left_out_when_all_is_decided_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path, CONFIG + "on_restatement: recompute\n")
    assert two_nights(folder, [*rows(0, 6), *rows(7, 15)]) == ""
    assert folder.state().accounts["A"].tally.rows == 14


def test_verify_says_what_it_cannot_read_again(tmp_path: Path) -> None:
    folder, record = Folder(tmp_path), tmp_path / "r.json"
    assert two_nights(folder, rows(4, 15)) == ""
    flags = {"state": str(tmp_path / "s.state"), "record": str(record)}
    assert folder.run([str(tmp_path / "newest.csv")], "part", **flags) is None
    assert [file.left for file in load_record(str(record)).inputs] == [4]
    verified = verify(str(record))
    assert verified.exit_code == 65
    found = "4 bars that counted have left it, so they cannot be read again"
    assert found in [point["found"] for point in verified.document["points"]]  # type: ignore[attr-defined]


def test_a_file_of_other_bars_by_the_same_name_is_restated(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    other = [bar(number, "7") for number in range(3, 12)]
    assert two_nights(folder, other) == RESTATED + "9 bars of A from 2024-01-01T00:03:00Z on"
    assert HEADER in (tmp_path / "newest.csv").read_text()
