"""What a run reads: files, folders and patterns, each found once and in the order of its name."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import NO_SYMBOLS, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.errors import DataError, InputError, JobError, UsageError
from rollsignal.files.find import find_paths, input_of, partitions_of
from rollsignal.files.formats import FORMATS, NAME_SUFFIXES, columnar_format, text_format
from rollsignal.files.open import open_input
from rollsignal.readers.opening import symbol_of
from tests.support.tables import CONFIG

BY_FILE = CONFIG._replace(columns=Columns(symbol=SymbolFrom(filename=True)))
BY_COLUMN = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
WITHOUT = CONFIG._replace(columns=Columns(symbol=NO_SYMBOLS))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with files at several depths."""
    monkeypatch.chdir(tmp_path)
    for path in (
        *("b.csv", "a.csv", "B.csv", "c.txt", ".hidden.csv", "_SUCCESS", "10.csv", "9.csv"),
        *("day/2.csv", "day/1.csv", "day/_x/3.csv", "day/.git/4.csv", "day/more/5.csv"),
        *("_temporary/6.csv", ".cache/7.csv", "zoo/8.csv"),
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    return tmp_path


ALL = ["9.csv", "10.csv", "B.csv", "a.csv", "b.csv", "c.txt"]


@pytest.mark.usefixtures("folder")
def test_a_folder_stands_for_its_files_and_those_below_but_hidden_ones() -> None:
    below = ["day/1.csv", "day/2.csv", "day/more/5.csv", "zoo/8.csv"]
    assert find_paths(["."]) == [f"./{name}" for name in [*ALL, *below]]
    assert find_paths(["day"]) == ["day/1.csv", "day/2.csv", "day/more/5.csv"]
    assert find_paths(["day/"]) == find_paths(["day"])


@pytest.mark.usefixtures("folder")
def test_a_hidden_folder_that_is_named_is_read() -> None:
    assert find_paths(["_temporary", ".cache"]) == ["_temporary/6.csv", ".cache/7.csv"]
    assert find_paths(["_SUCCESS"]) == ["_SUCCESS"]


@pytest.mark.usefixtures("folder")
def test_a_pattern_stands_for_the_files_that_match_in_the_order_of_names_and_numbers() -> None:
    assert find_paths(["*.csv"]) == ["9.csv", "10.csv", "B.csv", "a.csv", "b.csv"]
    assert find_paths(["[ab].csv"]) == ["a.csv", "b.csv"]
    assert find_paths(["?.csv"]) == ["9.csv", "B.csv", "a.csv", "b.csv"]
    assert find_paths(["*"]) == ["9.csv", "10.csv", "B.csv", "_SUCCESS", "a.csv", "b.csv", "c.txt"]
    assert find_paths(["day/**/*.csv"]) == [
        *("day/1.csv", "day/2.csv", "day/_x/3.csv", "day/more/5.csv"),
    ]
    assert find_paths(["**/5.*"]) == ["day/more/5.csv"]
    assert find_paths(["*/?.csv"]) == ["_temporary/6.csv", "day/1.csv", "day/2.csv", "zoo/8.csv"]


@pytest.mark.parametrize("name", ["x[1].csv", "a*.csv", "?.csv", "[ab].csv", "**"])
def test_a_file_whose_name_is_a_pattern_is_that_file(folder: Path, name: str) -> None:
    (folder / name).touch()
    assert find_paths([name]) == [name]


def test_a_folder_whose_name_is_a_pattern_is_that_folder(folder: Path) -> None:
    (folder / "d*").mkdir()
    (folder / "d*" / "only.csv").touch()
    assert find_paths(["d*"]) == ["d*/only.csv"]


def test_a_dangling_link_whose_name_is_a_pattern_is_not_searched_for(folder: Path) -> None:
    (folder / "[ab].csv").symlink_to("nowhere")
    assert find_paths(["[ab].csv"]) == ["[ab].csv"]


@pytest.mark.usefixtures("folder")
def test_inputs_keep_the_order_in_which_they_are_given() -> None:
    assert find_paths(["zoo", "b.csv", "day/more", "[c]*"]) == [
        *("zoo/8.csv", "b.csv", "day/more/5.csv", "c.txt"),
    ]


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (["*.parquet"], "Input data file not found (pattern: *.parquet)"),
        (["a.csv", "[x-z].csv"], "Input data file not found (pattern: [x-z].csv)"),
        (["empty"], "Input folder has no files (path: empty)"),
        (["hidden"], "Input folder has no files (path: hidden)"),
        (["empt?"], "Input data file not found (pattern: empt?)"),
    ],
)
def test_a_path_without_files_is_an_input_error(
    folder: Path, given_: list[str], message: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "hidden").mkdir()
    (folder / "hidden" / ".a.csv").touch()
    with pytest.raises(InputError) as caught:
        find_paths(given_)
    assert str(caught.value) == message


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("twice", "name"),
    [
        (["a.csv", "a.csv"], "a.csv"),
        (["a.csv", "*.csv"], "a.csv"),
        (["day", "day/1.csv"], "day/1.csv"),
        (["day", "day/"], "day/1.csv"),
        (["day/*.csv", "day/more/5.csv", "day/**/5.csv"], "day/more/5.csv"),
        (["-", "-"], "-"),
    ],
)
def test_a_file_that_is_named_twice_is_a_usage_error(twice: list[str], name: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_paths(twice)
    assert caught.value.message == f"{name} is read twice; name it once"


def test_a_plain_path_is_taken_as_it_is_whether_or_not_it_exists() -> None:
    assert find_paths(["no/such.csv", "data.csv"]) == ["no/such.csv", "data.csv"]
    assert find_paths([]) == []


def problem_of(path: str) -> str:
    with pytest.raises(JobError) as caught:
        open_input(path)
    return f"{type(caught.value).__name__}: {caught.value.message}"


def test_a_path_that_is_not_a_file_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path)
    at.bind("socket")
    at.close()
    assert problem_of("nothing.csv") == "InputError: Input data file not found"
    assert problem_of(".") == "InputError: Input data file is a directory, not a regular file"
    assert problem_of("/dev/null") == "InputError: Input data file is a device, not a regular file"
    assert problem_of("socket").startswith("InputError: Input data file cannot be opened")


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"PAR1....", "parquet"),
        (b"ARROW1\0\0", "arrow"),
        (b"PAR", None),
        (b"ARROW", None),
        (b"", None),
        (b"close\n1\n", None),
        (b"close\nPAR1", None),
    ],
)
def test_the_first_bytes_decide_which_columnar_format_it_is(head: bytes, form: str | None) -> None:
    assert columnar_format(head) == form


OBJECTS = ['{"close":1}\n', ' \n\t{ "close": 1', "{}", "{", "{\n", '{\n  "close": 1\n}', '{"']
ARRAYS = ['[{"close":1}]', "[]", " [ ]\n", "[", "[\n  {", "[[1]]"]
TABLES = [
    "time,close\n",
    "close\n1\n",
    "{close}\n1\n",
    "[close]\n",
    '"{""close""}"\n',
    "",
    "\n",
    "5",
]


@pytest.mark.parametrize("beginning", OBJECTS + ARRAYS)
def test_a_text_that_begins_as_json_is_json_whatever_its_name_and_the_wish(
    beginning: str,
) -> None:
    for path in ("bars", "bars.csv", "-"):
        for wanted in (None, *FORMATS):
            assert text_format(beginning, path, wanted) == "ndjson"


@pytest.mark.parametrize("beginning", TABLES)
def test_any_other_text_is_what_is_wanted_or_what_its_name_says_or_csv(beginning: str) -> None:
    named = ["a.ndjson", "a.JSONL", "x/a.ndjson.gz", "a.b.jsonl.zst"]
    for path in [
        *named,
        "a.csv",
        "a.ndjson.csv",
        "a.ndjson/b",
        "ndjson",
        "jsonl",
        "-",
        "a.parquet",
    ]:
        assert text_format(beginning, path, "csv") == "csv"
        assert text_format(beginning, path, "ndjson") == "ndjson"
        expected = "ndjson" if path in named else "csv"
        assert text_format(beginning, path, None) == expected
        assert text_format(beginning, path, "parquet") == expected


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("BTC.csv", "BTC"),
        ("day/BTC.csv", "BTC"),
        ("BTC.csv.gz", "BTC"),
        ("BTC.TSV.ZST", "BTC"),
        ("BTC.ndjson", "BTC"),
        ("BTC.jsonl.gz", "BTC"),
        ("BTC.json.gz", "BTC"),
        ("BTC.parquet", "BTC"),
        ("BRK.B.csv", "BRK.B"),
        ("BRK.B", "BRK.B"),
        ("BTC", "BTC"),
        ("btc-usd_1h.2024.txt.bz2", "btc-usd_1h.2024"),
        ("=x.csv", "=x"),
        ("é .pq", "é "),
        (".csv", ".csv"),
        ("a.csv/b.xml", "b.xml"),
        ("-", "-"),
    ],
)
def test_the_symbol_of_a_file_is_its_name_without_the_usual_suffixes(
    path: str, symbol: str
) -> None:
    assert symbol_of(input_of(path), BY_FILE) == symbol
    assert symbol_of(input_of(path), BY_COLUMN) is None
    assert symbol_of(input_of(path), CONFIG) is None


@given(
    st.text("AZaz09-_. ", min_size=1, max_size=8),
    st.lists(st.sampled_from(sorted(NAME_SUFFIXES)), max_size=3),
)
def test_any_number_of_usual_suffixes_is_taken_off(name: str, suffixes: Sequence[str]) -> None:
    name = f"x{name}.q"
    assert symbol_of(input_of("folder.csv/" + name + "".join(suffixes)), BY_FILE) == name


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("bars/symbol=BTC/date=2024-01-01/part-0.parquet", "BTC"),
        ("bars/date=2024-01-01/symbol=BTC/part-0.parquet", "BTC"),
        ("symbol=BTC/a.csv", "BTC"),
        ("/symbol=BTC/a=b=c/a.csv", "BTC"),
        ("Symbol =BTC/a.csv", "BTC"),
        ("symbol=BTC/SYMBOL=x/a.csv", "BTC"),
        ("symbol=BRK%2FB/a.csv", "BRK/B"),
        ("symbol=%C3%A9%20x/a.csv", "é x"),
        ("symbol= é /a.csv", "é"),
        ("symb%6Fl=a%3Db/a.csv", "a=b"),
        ("symbol=a=b/a.csv", "a=b"),
        ("symbol=100%/a.csv", "100%"),
        ("symbol=%FF/a.csv", "\\xff"),
        (os.fsdecode(b"symbol=\xff/a.csv"), "\\udcff"),
        ("symbol=BTC", None),
        ("symbol=BTC.csv", None),
        ("x/symbol=BTC.csv", None),
        ("symbols=BTC/a.csv", None),
        ("symbol/BTC/a.csv", None),
        ("BTC/a.csv", None),
        ("-", None),
    ],
)
def test_a_folder_named_like_the_symbol_column_gives_the_symbol_of_its_files(
    path: str, symbol: str | None
) -> None:
    assert symbol_of(input_of(path), BY_COLUMN) == symbol
    assert symbol_of(input_of(path), WITHOUT) is None
    if "SYMBOL" not in path:
        assert symbol_of(input_of(path), CONFIG) == symbol


@pytest.mark.parametrize("key", ["Ticker", "ts_code", " Coin ", "product_id"])
def test_a_folder_with_a_usual_name_gives_the_symbol_of_its_files(key: str) -> None:
    assert symbol_of(input_of(f"bars/{key}=BTC/year=2024/a.csv"), CONFIG) == "BTC"
    assert symbol_of(input_of(f"bars/{key}=BTC/year=2024/a.csv"), BY_COLUMN) is None


@pytest.mark.parametrize("value", ["", " ", "%20", "__HIVE_DEFAULT_PARTITION__"])
def test_a_folder_that_says_that_there_is_no_symbol_is_refused(value: str) -> None:
    path = f"bars/symbol={value}/a.csv"
    with pytest.raises(DataError) as caught:
        symbol_of(input_of(path), BY_COLUMN)
    shown = "" if value == "" else " " if "_" not in value else value
    assert caught.value.message == f"{path}: the symbol is missing in the path: symbol={shown}"


def test_two_folders_named_like_the_symbol_column_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        symbol_of(input_of("symbol=A/symbol=B/a.csv"), BY_COLUMN)
    assert caught.value.message == (
        "the path symbol=A/symbol=B/a.csv: 2 folders are named 'symbol'; keep one"
    )


def test_two_folders_with_usual_names_are_refused_with_what_to_set() -> None:
    with pytest.raises(DataError) as caught:
        symbol_of(input_of("symbol=A/code=B/a.csv"), CONFIG)
    assert caught.value.message == (
        "symbol=A/code=B/a.csv: 'symbol' in the path and 'code' in the path may each be the symbol;"
        " say which (set columns: {symbol: symbol} or the like, or {symbol: none} if all bars are"
        " one series)"
    )


values = st.text(min_size=1, max_size=6).filter(lambda text: "\0" not in text)


@given(st.dictionaries(values, values, max_size=3))
def test_names_and_values_in_a_path_are_read_as_other_programs_escape_them(
    columns: dict[str, str],
) -> None:
    folders = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in columns.items()]
    path = "/".join(["/data", *folders, "part=0.parquet"])
    assert partitions_of(path) == list(columns.items())


def by_pattern(pattern: str) -> JobConfig:
    return CONFIG._replace(columns=Columns(symbol=SymbolFrom(pattern=pattern)))


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("spot/BTCUSDT-1m-2024-01.zip", "BTCUSDT"),
        ("/data/BTCUSDT/1m/BTCUSDT-1m-2024-01-31.csv", "BTCUSDT"),
        ("BTCUSDT-1m-/BTCUSDT-1m-2024.csv", "BTCUSDT"),
        ("s3://bucket/1INCH-1m-a.csv", "1INCH"),
        ("https://host/1INCH-1m-a.csv?X=AA-1m-", "1INCH"),
    ],
)
def test_a_pattern_finds_the_symbol_in_the_path_as_given(path: str, symbol: str) -> None:
    assert symbol_of(input_of(path), by_pattern("([A-Z0-9]+)-1m-")) == symbol


@pytest.mark.parametrize(
    ("path", "pattern", "problem"),
    [
        ("btc-1m-1.csv", "([A-Z]+)-1m-", "does not match the path"),
        ("-", "([A-Z]+)-1m-", "does not match the path"),
        ("A-1m-/B-1m-2.csv", "([A-Z]+)-1m-", "finds several symbols in the path: 'A' and 'B'"),
        ("-1m-2.csv", "([A-Z]*)-1m-", "finds an empty symbol in the path"),
        ("x-1m-2.csv", "([A-Z]+)?-1m-", "finds an empty symbol in the path"),
        (" -1m-2.csv", "([A-Z ]+)-1m-", "finds an empty symbol in the path"),
    ],
)
def test_a_path_that_a_pattern_does_not_fit_is_refused_by_name(
    path: str, pattern: str, problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        symbol_of(input_of(path), by_pattern(pattern))
    what = f"{input_of(path).name}: columns.symbol.pattern {pattern!r} {problem}"
    assert caught.value.message == what


BY_FOLDER = CONFIG._replace(columns=Columns(symbol=SymbolFrom(folder=True)))


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("BTC/a.csv", "BTC"),
        ("./BTC/2024.csv.gz", "BTC"),
        ("/bars/spot/BRK.B/a", "BRK.B"),
        ("s3://bucket/bars/BTC/a.parquet", "BTC"),
        ("https://host/bars/BRK%20B/a.csv?sig=x/y", "BRK B"),
    ],
)
def test_the_folder_that_a_file_is_in_gives_its_symbol(path: str, symbol: str) -> None:
    assert symbol_of(input_of(path), BY_FOLDER) == symbol


@pytest.mark.parametrize("path", ["a.csv", "./a.csv", "../a.csv", "/a.csv", "-", " /a.csv"])
def test_a_path_without_a_folder_is_refused_if_the_folder_is_the_symbol(path: str) -> None:
    with pytest.raises(DataError, match="no folder in the path as given"):
        symbol_of(input_of(path), BY_FOLDER)
