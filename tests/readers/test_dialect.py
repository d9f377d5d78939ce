"""The header: one delimiter, one close column, or a refusal that says what was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import DateAndTime
from rollsignal.config.settings import Columns
from rollsignal.errors import DataError
from rollsignal.readers.dialect import DELIMITERS, Dialect, find_dialect, odd_bytes, split_header
from tests.support.tables import in_quotes

CLOSE = Columns()
words = st.text("abc XY_", min_size=1, max_size=5).filter(str.strip)
names = st.lists(words, max_size=4, unique=True)


def dialect_of(text: str, wanted: Columns = CLOSE) -> Dialect:
    return find_dialect(text, wanted, "bars.csv")


def refusal(text: str, wanted: Columns = CLOSE) -> str:
    with pytest.raises(DataError) as caught:
        dialect_of(text, wanted)
    return caught.value.message


@given(names, st.sampled_from(list(DELIMITERS)), st.booleans(), st.booleans(), st.data())
def test_the_delimiter_and_the_columns_are_found_in_every_style(
    others: list[str], delimiter: str, fields: bool, line: bool, data: st.DataObject
) -> None:
    header = data.draw(st.permutations(["close", *others]))
    text = delimiter.join(map(in_quotes, header) if fields else header)
    text = in_quotes(text) if line and others else text
    dialect = dialect_of(text + "\n1\n")
    assert [name.strip() for name in dialect.header] == [name.strip() for name in header]
    assert dialect.delimiter == (delimiter if others else ",")
    assert (dialect.close, dialect.width) == (header.index("close"), len(header))


@pytest.mark.parametrize("name", ["close", "Close", "CLOSE", " close ", "\tClose", "close\t "])
def test_a_name_counts_in_any_case_and_between_blanks(name: str) -> None:
    assert dialect_of(f"open,{name},high\n").close == 1


@pytest.mark.parametrize("name", ["closе", "clo se", "close_", "close1", "adj close", "", "Ｃlose"])
def test_a_similar_name_is_never_taken(name: str) -> None:
    assert refusal(f"open,{name}\n").startswith("bars.csv line 1: no 'close' column in the header")


def test_an_exact_name_goes_before_the_same_in_another_case_if_the_config_declares_it() -> None:
    assert refusal("Date,Close,close\n") == (
        "bars.csv line 1: 2 columns are named 'close'; keep one"
        " (or name one of 'Close', 'close' in the config under columns, exactly as it is here)"
    )
    assert dialect_of("CLOSE,Close,close\n", Columns(close="close")).close == 2
    assert dialect_of("close,Close\n", Columns(close="Close")).close == 1


@pytest.mark.parametrize(
    ("header", "count"), [("close,close", 2), ("Close, CLOSE", 2), ("close;x;close;close", 3)]
)
def test_two_columns_of_that_name_are_refused(header: str, count: int) -> None:
    beginning = f"bars.csv line 1: {count} columns are named 'close'; keep one"
    assert refusal(header).startswith(beginning)


def test_a_similar_name_is_offered_and_all_names_are_listed() -> None:
    assert refusal("time, Closing ,\x1b\n") == (
        r"bars.csv line 1: no 'close' column in the header: 'time', 'Closing', '\x1b'"
        " (name yours in the config under columns; did you mean Closing?)"
    )


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("date,Bid Close,Ask Close", "set columns: {close: Bid Close} or {close: Ask Close})"),
        ("date,close_eur,x,close_usd", "set columns: {close: close_eur} or {close: close_usd})"),
        ("date,pre_close,closes", "did you mean closes?)"),
        ("date,preclose,x", "(name yours in the config under columns)"),
        ("Date,Close Time", "(name yours in the config under columns)"),
        ("pclose,code,Close%", "(name yours in the config under columns)"),
    ],
)
def test_all_similar_names_are_offered_and_none_of_other_things(header: str, hint: str) -> None:
    assert refusal(header).endswith(hint)


BARS = ["2024-01-01,10,11", "1735689600000,10", "10;11", "2024-01-01 09:30\t10", "AAPL,20240102,7"]


@pytest.mark.parametrize("first", BARS)
def test_a_first_row_that_is_a_bar_is_not_taken_as_names(first: str) -> None:
    hint = "if this is a bar, and no header, set columns: {timestamp: PLACE, close: PLACE} with"
    assert f"(name yours in the config under columns; {hint}" in refusal(first)


@pytest.mark.parametrize("first", ["day,price", "2330,name", "1,2,close x", ",price"])
def test_names_with_numbers_among_them_are_names(first: str) -> None:
    assert "if this is a bar" not in refusal(first)


@pytest.mark.parametrize("stamp", ["2024-01-01", "1735689600000", "20240101", "01/02/2024 10:00"])
def test_a_column_of_timestamps_is_not_called_a_time(stamp: str) -> None:
    wanted = Columns("10", stamp)
    with pytest.raises(DataError, match="which is a time: this is a bar, and no header"):
        find_dialect(f"{stamp},10\n", wanted, "bars.csv")


def test_of_many_names_the_first_twenty_are_listed() -> None:
    message = refusal(",".join(f"n{number}" for number in range(1_030)))
    assert "'n0', 'n1', " in message
    assert message.endswith("'n19' and 1,010 more (name yours in the config under columns)")


def test_a_header_that_two_delimiters_split_is_refused() -> None:
    what = "bars.csv line 1: the header can be split in more than one way, by"
    hint = "(put sep= and the delimiter that it has, such as sep=; into a line above it)"
    assert refusal("close,a;close") == f"{what} comma and semicolon {hint}"
    assert refusal("close|a\tclose") == f"{what} tab and pipe {hint}"


@pytest.mark.parametrize(
    ("before", "line"), [("", 1), ("\n", 2), (" \n\t\n\n", 4), ("sep=,\n", 2), ("\nSep=,\n\n", 4)]
)
def test_blank_lines_and_a_line_that_declares_the_delimiter_are_skipped(
    before: str, line: int
) -> None:
    dialect = dialect_of(before + "open,close\n1,2\n")
    assert (dialect.start, dialect.line, dialect.close) == (len(before), line, 1)
    assert refusal(before + "open,high\n").startswith(f"bars.csv line {line}: ")


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("declared", ["sep={}\n", '"sep={}"\n', "SEP={}\n"])
def test_a_declared_delimiter_is_the_only_one(declared: str, delimiter: str) -> None:
    text = f"a,b;c\td|e{delimiter}close\n"
    assert dialect_of(declared.format(delimiter) + text).delimiter == delimiter
    another = "," if delimiter != "," else ";"
    assert refusal(declared.format(another) + f"open{delimiter}close\n").startswith(
        "bars.csv line 2"
    )


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "sep=;\n", "\n\nsep=,\n\n"])
def test_a_table_without_a_header_is_called_empty(text: str) -> None:
    assert refusal(text) == "bars.csv: no header and no rows: the file is empty or blank"


@pytest.mark.parametrize(
    ("header", "spaced"),
    [
        ("a, b, close", True),
        ('"a", "b", "close"', True),
        ("a; close", True),
        ("a, b,close", False),
        ("a,b,close", False),
        ("a ,close", False),
        ("close", False),
        (" close", False),
    ],
)
def test_blanks_after_the_delimiter_are_seen_where_all_have_them(header: str, spaced: bool) -> None:
    assert dialect_of(header + "\n1, 2, 3\n").spaced is spaced


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ("close,timestamp", 1),
        ("Date,close", 0),
        ("close,Open Time ,x", 1),
        ("date,close,timestamp", 2),
        ("close,GMT TIME", 1),
        ("close,ts_event", 1),
        ("Date/Time,close,date", 0),
        ("close,updated,day", 2),
        ("close,updated,weekday", None),
        ("close", None),
    ],
)
def test_timestamps_are_found_by_their_usual_names(header: str, place: int | None) -> None:
    assert dialect_of(header).timestamp == place


def test_a_named_column_of_timestamps_must_be_there_and_goes_before_the_usual_ones() -> None:
    wanted = Columns(timestamp="day")
    assert dialect_of("timestamp,close, Day", wanted).timestamp == 2
    assert refusal("timestamp,close", wanted).startswith("bars.csv line 1: no 'day' column")


TWO_TIMES = (
    "bars.csv line 1: 2 columns are named 'time'; keep one"
    " (or name one of 'Time', 'time ' in the config under columns, exactly as it is here)"
)


def test_two_columns_of_timestamps_by_one_name_are_refused() -> None:
    assert refusal("Time,time ,close") == TWO_TIMES


IN_UTF8 = (
    "save the file as UTF-8, or set table: {encoding: NAME} with the name of its encoding, such as"
    " cp1252 or gbk"
)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a\0", r"'a\x00', contains a NUL byte"),
        ("\udcff", rf"'\udcff', is not UTF-8 ({IN_UTF8})"),
    ],
)
def test_a_name_with_odd_bytes_is_refused_where_it_may_be_meant(name: str, problem: str) -> None:
    assert refusal(f"day,{name}") == f"bars.csv line 1: the name of column 2, {problem}"


def test_odd_bytes_in_the_name_of_a_column_that_is_not_read_do_not_matter() -> None:
    assert dialect_of("close,\udcff").close == 0
    assert "is not UTF-8" in refusal("close|\udcff")


@given(st.text())
def test_text_of_whole_characters_has_no_odd_bytes_but_nul(text: str) -> None:
    assert (odd_bytes(text) is None) == ("\0" not in text)


@pytest.mark.parametrize("text", ['"a,close\n1,2\n', 'a,"close"x\n', '"a","clo"se"\n'])
def test_a_broken_quote_in_the_header_leaves_no_close_column(text: str) -> None:
    assert split_header(text, ",") == ()
    assert refusal(text).startswith("bars.csv line 1: no 'close' column in the header")


def test_quoted_names_may_hold_delimiters_quotes_and_line_ends() -> None:
    text = '"a,b","c""d","e\nf",close\n'
    assert dialect_of(text).header == ("a,b", 'c"d', "e\nf", "close")
    wrapped = in_quotes('"a,b","c""d",close')
    assert dialect_of(wrapped).header == ("a,b", 'c"d', "close")


@pytest.mark.parametrize(
    ("header", "places"),
    [
        ("Date,Time,Close", (0, 1)),
        ("time,close,date", (2, 0)),
        ("<DATE>\t<TIME>\t<OPEN>\t<CLOSE>", (0, 1)),
        ("<TICKER>,<PER>,<DATE>,<TIME>,<CLOSE>", (2, 3)),
        ("DATE, TIME , close", (0, 1)),
        ("date,time,close,timestamp", (3, None)),
        ("date,close,clock", (0, None)),
        ("close,ts", (1, None)),
    ],
)
def test_a_date_and_a_time_of_day_are_found_together(
    header: str, places: tuple[int | None, int | None]
) -> None:
    dialect = dialect_of(header)
    assert (dialect.timestamp, dialect.clock) == places


def test_the_config_may_name_one_column_or_those_of_date_and_time() -> None:
    alone = dialect_of("date,time,close", Columns(timestamp="time"))
    assert (alone.timestamp, alone.clock) == (1, None)
    wanted = Columns(timestamp=DateAndTime("day", "Minute"))
    together = dialect_of("minute,close,date,time,day", wanted)
    assert (together.timestamp, together.clock) == (4, 0)
    assert refusal("close,day,time", wanted).startswith("bars.csv line 1: no 'Minute' column")


def test_two_times_of_day_by_one_name_are_refused() -> None:
    assert refusal("date,Time,time ,close") == TWO_TIMES


@pytest.mark.parametrize("name", ["<CLOSE>", "<close>", " <Close> "])
def test_a_name_may_stand_in_the_signs_of_metatrader(name: str) -> None:
    assert dialect_of(f"<OPEN>,{name},<VOL>").close == 1
