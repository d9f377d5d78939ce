"""Files of one series are read in the order of time, in whatever order they are listed."""

from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import NO_TIMESTAMPS, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.engines.inputs import in_time_order
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from tests.support.tables import CONFIG

BY_FILE = CONFIG._replace(columns=Columns(symbol=SymbolFrom(filename=True)))
UNTIMED = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
BY_COLUMN = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
names = st.text("abc", min_size=1, max_size=3)
times = st.dictionaries(names, st.integers(-(2**70), 2**70), min_size=1)


def in_order(
    paths: Sequence[str], config: JobConfig, first_ns: Callable[[str], int | None]
) -> list[str]:
    files = [input_of(path) for path in paths]
    return [file.path for file in in_time_order(files, config, lambda file: first_ns(file.path))]


def ordered(begins: Mapping[str, int | None], config: JobConfig = CONFIG) -> list[str]:
    return in_order(list(begins), config, begins.__getitem__)


@pytest.mark.parametrize("config", [CONFIG, BY_COLUMN])
@given(times)
def test_files_are_read_in_the_order_of_their_first_timestamps(
    config: JobConfig, begins: dict[str, int]
) -> None:
    paths = ordered(begins, config)
    assert sorted(paths) == sorted(begins)
    assert [begins[path] for path in paths] == sorted(begins.values())


@given(st.data(), st.lists(names, min_size=1, unique=True))
def test_the_order_of_the_listing_is_irrelevant(data: st.DataObject, paths: list[str]) -> None:
    begins = {path: number for number, path in enumerate(paths)}
    listed = data.draw(st.permutations(paths))
    assert in_order(listed, CONFIG, begins.__getitem__) == paths


@given(st.dictionaries(names, st.none() | st.integers(), min_size=1))
def test_files_are_read_in_the_order_given_if_one_has_no_timestamp(
    begins: dict[str, int | None],
) -> None:
    begins["zzzz"] = None
    assert ordered(begins, UNTIMED) == list(begins)


@given(st.dictionaries(names, st.none() | st.integers(), min_size=1))
def test_several_files_without_timestamps_are_refused_unless_the_config_says_so(
    begins: dict[str, int | None],
) -> None:
    begins |= {"yyyy": None, "zzzz": None}
    with pytest.raises(DataError, match="have no timestamps, so nothing tells the order"):
        ordered(begins)


def test_files_of_the_same_time_keep_their_order() -> None:
    assert ordered({"b": 1, "a": 1, "c": 0}) == ["c", "b", "a"]


def test_files_of_a_symbol_each_are_ordered_within_their_symbol() -> None:
    begins = {"2/B.csv": 5, "2/A.csv": 9, "1/A.csv": 2, "1/B.csv.gz": 1}
    assert ordered(begins, BY_FILE) == ["1/B.csv.gz", "2/B.csv", "1/A.csv", "2/A.csv"]
    assert ordered(begins) == ["1/B.csv.gz", "1/A.csv", "2/B.csv", "2/A.csv"]


def test_a_symbol_without_timestamps_does_not_disturb_the_others() -> None:
    begins = {"1/A.csv": None, "2/A.csv": 3, "1/B.csv": 7, "2/B.csv": 6}
    assert ordered(begins, BY_FILE) == ["1/A.csv", "2/A.csv", "2/B.csv", "1/B.csv"]


@pytest.mark.parametrize("paths", [["a.csv"], ["x/A.csv", "x/B.csv", "y/C.csv"]])
def test_the_only_file_of_a_series_is_not_opened(paths: Sequence[str]) -> None:
    opened: list[str] = []
    config = BY_FILE if len(paths) > 1 else CONFIG
    assert in_order(paths, config, opened.append) == paths
    assert opened == []


def test_each_file_is_opened_once() -> None:
    opened: list[str] = []

    def first_ns(path: str) -> int:
        opened.append(path)
        return -len(opened)

    assert in_order(["a", "b", "c"], CONFIG, first_ns) == ["c", "b", "a"]
    assert opened == ["a", "b", "c"]


def test_no_files_stay_no_files() -> None:
    assert in_order([], CONFIG, lambda path: 0) == []
