"""The careful reader: right about every usual copy of a table, and never quietly wrong."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import DateAndTime, SymbolFrom
from rollsignal.config.settings import Checks, Columns
from rollsignal.core.ledger import Missing
from rollsignal.core.quality import Finding
from rollsignal.errors import DataError, InputError
from rollsignal.files.find import input_of
from rollsignal.readers.opening import OpenedFile
from rollsignal.readers.text import TextReader
from tests.support import oracle
from tests.support.tables import (
    CONFIG,
    Bars,
    Table,
    in_quotes,
    opened,
    plain_batches,
    read,
    refusal,
    tables,
)

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]
POLICIES: list[Missing] = ["skip", "gap"]
UNCHECKED = CONFIG._replace(checks=Checks(order="off", duplicates="off"))
MINUTE_NS = 60 * 10**9
START_NS = 1_704_067_200 * 10**9

HEADER = "timestamp,open,close,volume"
ROWS = [
    "2024-01-01 00:00:00,100,100.10,7.5",
    "2024-01-01 00:01:00,100,100.25,7",
    "2024-01-01 00:02:00,101,99.5,8",
]
CLEAN = "\n".join([HEADER, *ROWS, ""])
CLOSES = oracle.prices(["100.10", "100.25", "99.5"])
TIMES = [START_NS + minute * MINUTE_NS for minute in range(3)]


def each_line(change: Callable[[str], str], header: bool = True) -> str:
    """Change the data lines, and the header too if wanted."""
    return "\n".join([change(HEADER) if header else HEADER, *map(change, ROWS), ""])


def in_order(*columns: int) -> str:
    """Put the columns into another order."""
    lines = [line.split(",") for line in CLEAN.splitlines()]
    return "".join(",".join(line[column] for column in columns) + "\n" for line in lines)


USUAL = {
    "as it should be": CLEAN,
    "every line in one pair of quotes": each_line(in_quotes),
    "the data lines in one pair of quotes": each_line(in_quotes, header=False),
    "the header in one pair of quotes": CLEAN.replace(HEADER, in_quotes(HEADER)),
    "every line in quotes, its fields too": each_line(
        lambda line: in_quotes(",".join(map(in_quotes, line.split(","))))
    ),
    "a byte order mark": "\ufeff" + CLEAN,
    "a byte order mark before quotes": "\ufeff" + each_line(in_quotes),
    "CRLF": CLEAN.replace("\n", "\r\n"),
    "lone CR": CLEAN.replace("\n", "\r"),
    "blank lines at the end": CLEAN + "\n \n\n",
    "commas after every row": each_line(lambda line: line + ",,", header=False),
    "a tab after every row": each_line(lambda line: line + "\t", header=False),
    "tabs after every row of a table with tabs": each_line(
        lambda line: line + "\t\t", header=False
    ).replace(",", "\t"),
    "blanks after every row": each_line(lambda line: line + "  ", header=False),
    "no last line end": CLEAN.rstrip("\n"),
    "capitals and blanks in the header": CLEAN.replace(HEADER, " TimeStamp ,OPEN, Close ,Volume"),
    "every field in quotes": each_line(lambda line: ",".join(map(in_quotes, line.split(",")))),
    "semicolons": CLEAN.replace(",", ";"),
    "tabs": CLEAN.replace(",", "\t"),
    "pipes": CLEAN.replace(",", "|"),
    "a blank after each comma": CLEAN.replace(",", ", "),
    "a blank after each comma, and quotes": each_line(
        lambda line: ", ".join(map(in_quotes, line.split(",")))
    ),
    "columns reordered": in_order(2, 3, 0, 1),
    "the close last": in_order(0, 1, 3, 2),
    "columns left out": in_order(2, 0),
    "more columns": each_line(lambda line: line + ",x,,y"),
    "columns without a name": each_line(lambda line: f",{line},"),
    "other words with quotes inside": CLEAN.replace("7.5", '"a ""b"", c"').replace(
        ",8\n", ',6" x\n'
    ),
    "hash signs": CLEAN.replace("7.5", "#1").replace(",8\n", ",#\n"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", USUAL)
def test_a_usual_copy_of_a_table_is_read_as_it_was_meant(form: str, encoding: str) -> None:
    data = USUAL[form].removeprefix("\ufeff" if encoding != "utf-8" else "").encode(encoding)
    assert read(data) == Bars(CLOSES, TIMES, [2, 3, 4])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("\n" + CLEAN, [3, 4, 5]),
        ("\r\n \r\n" + CLEAN, [4, 5, 6]),
        ("sep=,\n" + CLEAN, [3, 4, 5]),
        ('"sep=;"\r\n' + CLEAN.replace(",", ";"), [3, 4, 5]),
        ("SEP=\t\n\n" + CLEAN.replace(",", "\t"), [4, 5, 6]),
        (CLEAN.replace("\n2024", "\n\n2024"), [3, 5, 7]),
        (CLEAN.replace("\n2024", "\n \t \n2024"), [3, 5, 7]),
        (CLEAN.replace("\n", "\r\r\n"), [3, 5, 7]),
        (each_line(in_quotes).replace("\n", "\n\n"), [3, 5, 7]),
        (CLEAN.replace("7.5", '"two\nlines"'), [2, 4, 5]),
        (CLEAN.replace("7.5", '"two\r\nlines"').replace(",7\n", ',"\n\n\n"\r\n'), [2, 4, 8]),
        (CLEAN.replace("volume", '"vol\nume"'), [3, 4, 5]),
    ],
)
def test_a_row_is_on_the_line_that_an_editor_shows(text: str, lines: list[int]) -> None:
    assert read(text) == Bars(CLOSES, TIMES, lines)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", ""])
def test_a_table_may_have_only_closes(end: str) -> None:
    closes = oracle.prices(["99.5", "100.10", "100.25"])
    assert read("close\n99.5\n100.10\n100.25" + end) == Bars(closes, [], [2, 3, 4])
    assert read('"close"\n"99.5"\n"100.10"\n"100.25"' + end) == Bars(closes, [], [2, 3, 4])


@given(tables(), st.sampled_from(ENCODINGS))
def test_a_table_in_any_allowed_dialect_is_read_as_it_was_meant(
    table: Table, encoding: str
) -> None:
    assert read(table.text.encode(encoding)) == table.bars


@settings(max_examples=20)
@given(tables())
def test_where_no_check_looks_at_timestamps_they_are_not_read(table: Table) -> None:
    assert read(table.text, UNCHECKED) == table.bars._replace(times_ns=[])


def test_blank_lines_may_fill_more_than_a_piece() -> None:
    for blank in ("\n", " \t\n", "\r\n"):
        text = blank * 200_000 + "sep=;\n\nopen;close\n" + blank * 200_000 + "1;2\n3;4"
        assert read(text) == Bars([Fraction(2), Fraction(4)], [], [400_004, 400_005])


def test_a_blank_line_may_hold_blanks_where_blanks_follow_the_delimiter() -> None:
    assert read("a, close\n1, 5\n  \n2, 6\n") == Bars([Fraction(5), Fraction(6)], [], [2, 4])


def test_a_header_alone_below_a_blank_line_is_an_empty_table() -> None:
    assert read("\nclose,open") == Bars([], [], [])


@pytest.mark.parametrize("blank", [" ", "\t", " \t "])
def test_a_blank_last_line_without_its_end_cuts_no_close(blank: str) -> None:
    for text in ("open,close\n1,100.25\n2,7\n", "close\n100.25\n7\n"):
        assert read(text + blank).closes == oracle.prices(["100.25", "7"])


def test_lines_and_closes_stay_right_from_piece_to_piece() -> None:
    """Two megabytes come in several pieces, which cut between any two lines."""
    rows = [(f"{row * 7 % 1000}.{row % 10}", row) for row in range(40_000)]
    plain = "".join(f"{close},note {row}\n" for close, row in rows)
    quoted = "".join(f'"{close}","two\nlines {row}"\n' for close, row in rows)
    wrapped = "".join(f'"{close},note {row}"\n' for close, row in rows)
    closes = oracle.prices([close for close, _ in rows])
    for text, lines in (
        (plain, range(2, 40_002)),
        (plain.replace("\n", "\r\n"), range(2, 40_002)),
        (wrapped, range(2, 40_002)),
        (plain.replace("\n", "\n\n"), range(2, 80_002, 2)),
        (quoted, range(2, 80_002, 2)),
    ):
        assert read("close,note\n" + text) == Bars(closes, [], list(lines))


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_bad_close_far_down_is_named_with_its_line(quote: str) -> None:
    rows = [f"{quote}{row}.5,note{quote}\n" for row in range(40_000)]
    rows[34_567] = f"{quote}1O0,note{quote}\n"
    expected = "bars.csv line 34569: close is '1O0', not a number"
    assert refusal("close,note\n" + "".join(rows)) == expected


def test_rows_before_a_bad_one_are_yielded_first() -> None:
    text = CLEAN + "2024-01-01 00:03:00,1,2\n"
    with opened(text) as reader:
        batches = plain_batches(reader)
        assert [batch.cells for batch in [next(batches)]] == [["100.10", "100.25", "99.5"]]
        with pytest.raises(DataError, match="line 5: 3 fields instead of 4"):
            next(batches)


def with_close(cell: str) -> str:
    """Put a cell in place of the second close, on line 3."""
    return CLEAN.replace("100.25", cell)


BAD_CLOSES = [
    *("n.a.", "1O0", "1e", "infin", "0x10", "1_000", "$100.25", "100.25 USD", "€100", "5%", "(5)"),
    *(
        "1 000.25",
        "1'000",
        "100\u00a0",
        "--5",
        "1.2.3",
        "TRUE",
        "#REF!",
        "٥",
        "2024-01-01 00:01:00",
    ),
]


@pytest.mark.parametrize("cell", BAD_CLOSES)
def test_a_close_that_is_not_a_number_is_refused_with_its_line_column_and_text(cell: str) -> None:
    assert refusal(with_close(cell)).startswith(f"bars.csv line 3: close is {cell!r}, not a number")


@pytest.mark.parametrize(
    ("cell", "shown", "what"),
    [
        ("7" * 4001, f"'{'7' * 40}…' (4,001 characters)", "a number with more than 4,000 digits"),
        ("1e401", "'1e401'", "a number with an exponent outside -400 to 400"),
        ("1e308", "'1e308'", "a number not between -10^308 and 10^308"),
        ('"1,000.25"', "'1,000.25'", "not a number (write a point before decimals"),
        ('"100,25"', "'100,25'", "not a number (write a point before decimals"),
        ("", "''", "not a number (set missing: skip"),
        ("NaN", "'NaN'", "not a number (set missing: skip"),
        ("-", "'-'", "not a number (set missing: skip"),
        ('"1\n2"', r"'1\n2'", "not a number"),
        ("\x1b[2J", r"'\x1b[2J'", "not a number"),
        ("1\0", r"'1\x00'", "contains a NUL byte"),
        ("x" * 50, f"'{'x' * 40}…' (50 characters)", "not a number"),
    ],
)
def test_a_bad_close_is_shown_shortened_and_escaped_with_what_to_do(
    cell: str, shown: str, what: str
) -> None:
    assert refusal(with_close(cell)).startswith(f"bars.csv line 3: close is {shown}, {what}")


SINGLE = "close\n1\n2\n"
REFUSED = {
    "a short row": (CLEAN + "2024-01-01 00:03:00,1,2\n", "line 5: 3 fields instead of 4"),
    "a row with a comma too many": (
        CLEAN.replace("100.25", "100,25"),
        "line 3: 5 fields instead of 4 as the header has: '2024-01-01 00:01:00 | 100 | 100 | 25",
    ),
    "a number with a thousands separator": (
        CLEAN.replace("100.25", "1,000.25"),
        "line 3: 5 fields instead of 4",
    ),
    "decimal commas everywhere": (
        each_line(lambda line: line.replace(".", ","), header=False),
        "line 2: 6 fields instead of 4",
    ),
    "decimal commas between semicolons": (
        CLEAN.replace(",", ";").replace(".", ","),
        "line 2: close is '100,10', not a number (write a point",
    ),
    "an unnamed index column": (
        each_line(lambda line: "0," + line, header=False),
        "line 2: 5 fields instead of 4 as the header has: '0 | 2024-01-01 00:00:00",
    ),
    "a footer": (CLEAN + "Total: 3 rows\n", "line 5: 1 field instead of 4"),
    "a footer of the same width": (
        CLEAN + "Total,301,299.85,22.5\n",
        "line 5: timestamp is 'Total', not a timestamp",
    ),
    "a bad time above a bad close": (
        "time,close\n2024-01-01,1\nnever,2\n2024-01-03,x\n",
        "line 3: time is 'never', not a timestamp",
    ),
    "a bad time above a missing close": (
        "time,close\n2024-01-01,1\nnever,2\n2024-01-03,\n",
        "line 3: time is 'never', not a timestamp",
    ),
    "a bad time below a bad close": (
        "time,close\n2024-01-01,1\n2024-01-02,x\nnever,3\n",
        "line 3: close is 'x', not a number",
    ),
    "a footer in the close column": (CLEAN + ",,Source: x,\n", "line 5: close is 'Source: x'"),
    "a comment": (
        CLEAN.replace("\n2024-01-01 00:01", "\n# x\n2024-01-01 00:01"),
        "line 3: 1 field",
    ),
    "a repeated header": (
        CLEAN + HEADER + "\n",
        "line 5: close is 'close', not a number (the header again: are two tables in one file?)",
    ),
    "a second table": (CLEAN + "\n\nday,close\n1,2\n", "line 7: 2 fields instead of 4"),
    "a row in quotes among others": (
        CLEAN.replace(ROWS[1], in_quotes(ROWS[1])),
        "line 3: 1 field instead of 4",
    ),
    "a row without quotes among others": (
        each_line(in_quotes).replace(in_quotes(ROWS[1]), ROWS[1]),
        "line 3: not wrapped in quotes",
    ),
    "two close columns": (
        "close,open,close\n1,2,3\n",
        "line 1: 2 columns are named 'close'; keep one",
    ),
    "two close columns by any case": (
        "Close,open, CLOSE\n1,2,3\n",
        "line 1: 2 columns are named 'close'; keep one",
    ),
    "a similar name": (
        "time,closing,adj_close\n1,2,3\n",
        "line 1: no 'close' column in the header: 'time', 'closing', 'adj_close'"
        " (name yours in the config under columns; if these are the closes, set columns:"
        " {close: closing} or {close: adj_close})",
    ),
    "no header": ("\n".join(ROWS), "line 1: no 'close' column in the header: '2024-01-01"),
    "a NUL in another column": (
        CLEAN.replace("7.5", "7\0"),
        r"line 2: volume is '7\x00', contains",
    ),
    "a NUL in the header": (CLEAN.replace("open", "\0"), r"line 1: the name of column 2, '\x00'"),
    "a NUL among trailing fields": (
        each_line(lambda line: line + ",", header=False).replace("7.5,", "7.5,\0"),
        r"line 2: field 5 is '\x00', contains a NUL byte",
    ),
    "a quote never closed": (CLEAN.replace("7.5", '"7.5'), "line 2: a quote"),
    "a quote never closed in the last row": (CLEAN.replace(",8\n", ',"8\n'), "line 4: a quote"),
    "text after a closing quote": (CLEAN.replace("100.25", '"100".25'), "line 3: text follows"),
    "a quote that swallows a row": (
        CLEAN.replace("100.10", '"100.10').replace("100.25", '100.25"'),
        "line 2: a quoted field holds a",
    ),
    "a quote that swallows two rows": (
        CLEAN.replace("7.5", '"7.5').replace(",8\n", ',8"\n'),
        "line 2: a quoted field holds a",
    ),
    "a quote that swallows a row of a file without a last line end": (
        't,n,x,close\n1,n,b,7\n2,"note,a,5\n3,note2",b,6',
        "line 3: a quoted field holds a row",
    ),
    "a quote that swallows a wrapped row": (
        '"t,n,x,close"\n"1,n,b,7"\n"2,""note,a,5"\n"3,note2"",b,6"\n"4,n,b,7"\n',
        "line 3: a quote opened here is never closed",
    ),
    "a quote that swallows a wrapped row before a blank line": (
        '"t,n,x,close"\n"1,""note,a,5"\n"2,note2"",b,6"\n\n"3,n,b,7"\n',
        "line 2: a quote opened here is never closed",
    ),
    "a line end within a wrapped row": (
        '"t,close"\n"1,7"\n"""2\n"",8"\n',
        "line 3: ",
    ),
    "a quote that swallows the header": (
        CLEAN.replace("volume", '"volume').replace("7.5", '7.5"'),
        "line 1: ",
    ),
    "trailing commas that are not everywhere": (
        CLEAN.replace(ROWS[0], ROWS[0] + ","),
        "line 3: 4 fields instead of 5 as the rows above",
    ),
    "a value below a trailing comma": (
        each_line(lambda line: line + ",", header=False).replace("99.5,8,", "99.5,8,9"),
        "line 4: 5 fields where the header has 4: '2024-01-01 00:02:00 | 101",
    ),
    "a file cut within its last row": (CLEAN.removesuffix(",99.5,8\n"), "line 4: 2 fields"),
    "a file cut within its last quotes": (
        each_line(in_quotes).removesuffix('.5,8"\n'),
        "line 4: a quote opened here is never closed",
    ),
    "a close cut in its decimals": (
        "open,close\n1,100.25\n2,100.2",
        "line 3: close is '100.2', with fewer decimals than all above and without a line end",
    ),
    "a close cut in its whole digits": (
        "open,close\n1,100\n2,10",
        "line 3: close is '10', shorter than all above and without a line end",
    ),
    "a close cut in its exponent": (
        "open,close\n1,1.25e-7\n2,2.5e-8\n2,1.25",
        "line 4: close is '1.25', without the exponent that all above have and without a line end",
    ),
    "a time cut in its seconds": (
        "close,time\n1,2024-01-01 00:00:30\n2,2024-01-01 00:01:30\n3,2024-01-01 00:02",
        "line 4: time is '2024-01-01 00:02', shorter than all above and without a line end",
    ),
    "a time cut in its minutes": (
        "close,time\n1,2024-01-01 9:30\n2,2024-01-01 10:00\n3,2024-01-01 10",
        "line 4: time is '2024-01-01 10', shorter than all above and without a line end",
    ),
    "a time of day cut in a column of its own": (
        "date,close,time\n2024-01-01,1,00:00:30\n2024-01-01,2,00:01:30\n2024-01-01,3,00:02",
        "line 4: time is '00:02', shorter than all above and without a line end",
    ),
    "a count of seconds that is cut": (
        "close,time\n1,1735689600\n2,1735689660\n3,173568972",
        "line 4: time is '173568972', shorter than all above and without a line end",
    ),
    "a blank line among closes": (SINGLE + "\n3\n", "line 4: a blank line among closes"),
    "blank lines among closes": (SINGLE + "\n\n3\n", "line 4: a blank line among closes"),
    "a blank line before closes": ("close\n\n1\n2\n", "line 2: a blank line among closes"),
    "a second column below one": ("close\n1,5\n2,5\n", "line 2: 2 fields instead of 1"),
    "another delimiter below one column": ("close\n1;5\n", "line 2: close is '1;5', not a number"),
    "a bad timestamp": (
        CLEAN.replace("2024-01-01 00:01:00", "2024-01-32 00:01:00"),
        "line 3: timestamp is '2024-01-32 00:01:00', not a valid date",
    ),
    "a header that can be read in two ways": (
        "close,a;close\n1,2;3\n",
        "line 1: the header can be split in more than one way",
    ),
    "a name that would move the cursor": (
        "clo\x1b[2Jse\n1\n",
        r"line 1: no 'close' column in the header: 'clo\x1b[2Jse' (name yours in the config under"
        r" columns; did you mean clo\x1b[2Jse?)",
    ),
    "nothing": ("", "no header and no rows: the file is empty or blank"),
    "a byte order mark alone": ("\ufeff", "no header and no rows: the file is empty or blank"),
    "blank lines alone": ("\n \r\n\t\n", "no header and no rows: the file is empty or blank"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_bad_table_is_refused_with_its_line(fault: str) -> None:
    text, expected = REFUSED[fault]
    separator = " " if expected.startswith("line") else ": "
    assert refusal(text).startswith(f"bars.csv{separator}{expected}")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            CLEAN.replace("2024-01-01 00:00:00", "caf\xe9").encode("latin-1"),
            r"line 2: timestamp is 'caf\udce9', is not",
        ),
        (with_close("100\xa3").encode("latin-1"), r"line 3: close is '100\udca3', is not UTF-8"),
        (
            CLEAN.replace("close", "\xff").encode("latin-1"),
            r"line 1: the name of column 3, '\udcff', ",
        ),
        (CLEAN.encode("utf-16-le"), r"line 1: the name of column 1, 't\x00i\x00m"),
        (CLEAN.encode("utf-16")[:-1], ": not UTF-16 as its first bytes say"),
        (CLEAN.encode("utf-32")[:-2], ": not UTF-32 as its first bytes say"),
        (b"\xff\xfe" + "close\n".encode("utf-16-le") + b"\x00\xdc", ": not UTF-16"),
    ],
)
def test_bytes_that_are_not_text_in_a_read_column_are_refused(data: bytes, expected: str) -> None:
    separator = " " if expected.startswith("line") else ""
    assert refusal(data).startswith(f"bars.csv{separator}{expected}")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cell", ["", " ", "NaN", "n/a", "null", "-", '""'])
def test_a_missing_close_is_none_where_the_config_allows_it(policy: Missing, cell: str) -> None:
    config = CONFIG._replace(missing=policy)
    assert read(with_close(cell), config).closes == [CLOSES[0], None, CLOSES[2]]
    assert read("close\n1\nNaN\n3\n", config).closes == [1, None, 3]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cell", BAD_CLOSES)
def test_what_is_neither_number_nor_missing_is_refused_under_every_policy(
    policy: Missing, cell: str
) -> None:
    config = CONFIG._replace(missing=policy)
    assert refusal(with_close(cell), config).startswith(f"bars.csv line 3: close is {cell!r}, not")


def test_the_config_names_the_columns() -> None:
    config = CONFIG._replace(columns=Columns(close="Adj Close", timestamp="when"))
    text = "close,adj close,timestamp,WHEN\n1,2,x,1970-01-01\n"
    assert read(text, config) == Bars([Fraction(2)], [0], [2])
    assert refusal("close,timestamp\n1,x\n", config).startswith(
        "bars.csv line 1: no 'Adj Close' column in the header: 'close', 'timestamp'"
    )


def test_the_config_says_how_timestamps_are_written() -> None:
    text = "Date,close\n01/02/2024 10:00,1\n02/02/2024 10:00,2\n"
    assert refusal(text) == (
        "bars.csv line 2: Date is '01/02/2024 10:00', ambiguous"
        ' (set timestamp_format: "%d/%m/%Y %H:%M" or "%m/%d/%Y %H:%M")'
    )
    day_first = CONFIG._replace(timestamp_format="%d/%m/%Y %H:%M")
    hours = [(datetime(2024, 2, day, 10) - datetime(1970, 1, 1)) for day in (1, 2)]
    times_ns = [passed // timedelta(microseconds=1) * 1000 for passed in hours]
    assert read(text, day_first) == Bars([Fraction(1), Fraction(2)], times_ns, [2, 3])
    assert refusal(text.replace("02/02/2024 10:00", "2024-02-02 10:00"), day_first) == (
        "bars.csv line 3: Date is '2024-02-02 10:00', not in the format \"%d/%m/%Y %H:%M\""
        " (remove the row if it is not a bar, as a second header, or set table: {footer: skip} if"
        " it is a footer;"
        " else correct its time)"
    )


TWO_COLUMNS = {
    "MetaTrader 5": "<DATE>\t<TIME>\t<OPEN>\t<CLOSE>\t<TICKVOL>\n"
    "2024.01.31\t09:30:00\t1\t1.5\t7\n2024.01.31\t09:31:00\t1\t1.25\t7\n",
    "Stooq": "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<CLOSE>\n"
    "AAPL.US,5,20240131,093000,1,1.5\nAAPL.US,5,20240131,093100,1,1.25\n",
    "columns apart": "time,close,date\n09:30,1.5,2024-01-31\n 09:31 ,1.25,2024-01-31\n",
    "in quotes": '"Date","Time","Close"\n'
    '"31/01/2024","9:30 AM","1.5"\n"31/01/2024","9:31 AM",1.25\n',
}


@pytest.mark.parametrize("source", TWO_COLUMNS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_date_and_a_time_of_day_in_two_columns_are_one_timestamp(
    source: str, encoding: str
) -> None:
    passed = [datetime(2024, 1, 31, 9, minute) - datetime(1970, 1, 1) for minute in (30, 31)]
    times_ns = [time // timedelta(microseconds=1) * 1000 for time in passed]
    expected = Bars([Fraction(3, 2), Fraction(5, 4)], times_ns, [2, 3])
    assert read(TWO_COLUMNS[source].encode(encoding)) == expected


def test_a_date_and_a_time_of_day_are_named_together() -> None:
    text = "Date,Time,close\n2024-01-31,09:30,1\n2024-01-31,25:30,2\n"
    with opened(text) as reader:
        assert reader.describe().endswith("timestamp from Date and Time")
    assert refusal(text).startswith(
        "bars.csv line 3: Date and Time is '2024-01-31 25:30', not a valid time of day"
        " (remove the row"
    )
    for blank in ("", " "):
        assert refusal(text.replace("25:30", blank)).startswith(
            "bars.csv line 3: Date and Time is '2024-01-31' without a time (name the right column"
        )
    assert refusal(text.replace("2024-01-31,25:30", ",09:31")).startswith(
        "bars.csv line 3: Date and Time is ' 09:31', not a timestamp"
    )
    assert read(text, UNCHECKED).closes == [1, 2]


def test_a_pattern_for_two_columns_has_a_blank_between_them() -> None:
    config = CONFIG._replace(
        columns=Columns(timestamp=DateAndTime("day", "at")), timestamp_format="%d.%m.%Y %H%M"
    )
    bars = read("day,at,date,close\n01.02.2024,0930,x,1\n", config)
    assert bars == read("time,close\n2024-02-01 09:30,1\n")


def test_symbols_are_read_from_the_column_that_the_config_names() -> None:
    config = CONFIG._replace(columns=Columns(symbol=SymbolFrom("Ticker")))
    with opened("close, ticker \n1,A\n2, B \n3,A\n", config) as reader:
        assert [batch.symbols for batch in reader.batches()] == [["A", "B", "A"]]
    message = "bars.csv line 3: the symbol is empty"
    assert refusal("close,ticker\n1,A\n2,\n", config) == message
    assert refusal("close,symbol\n1,A\n", config).startswith("bars.csv line 1: no 'Ticker' column")


def test_symbols_may_come_from_the_name_of_the_file() -> None:
    config = CONFIG._replace(columns=Columns(symbol=SymbolFrom(filename=True)))
    with opened(CLEAN, config) as reader:
        assert reader.symbol == "bars"
    with opened(CLEAN) as reader:
        assert reader.symbol is None


def test_an_exact_name_goes_before_one_in_another_case_if_the_config_declares_it() -> None:
    for name, close in (("Close", 1), ("close", 2), ("CLOSE", 3)):
        config = CONFIG._replace(columns=Columns(close=name))
        assert read("Close,close,CLOSE\n1,2,3\n", config).closes == [close]
    assert "3 columns are named 'close'" in refusal("Close,close,CLOSE\n1,2,3\n")


def test_a_column_without_a_printable_name_is_called_by_its_number() -> None:
    config = CONFIG._replace(columns=Columns(close="x" * 41))
    assert refusal(f"{'x' * 41}\n1O0\n", config).startswith("bars.csv line 2: column 1 is '1O0'")


def test_the_error_for_a_bar_out_of_order_names_its_line_and_what_to_do() -> None:
    with opened(CLEAN.replace("\n2024", "\n\n2024")) as reader:
        (batch,) = plain_batches(reader)
        problem = reader.order_problem(batch, Finding("duplicates", 1, "is twice there"))
    _, _, message = problem.message.rpartition("/")
    expected = (
        "timestamp is twice there"
        " (for one series keep one of the rows, or set duplicates: same if they are equal, or last"
        " if the last one counts, or columns: {timestamp: [DATE, TIME]} if times of day have a"
        " column of their own; for several set columns: {symbol: NAME})"
    )
    assert message == f"bars.csv line 5: {expected}"


def test_the_format_and_columns_of_a_file_are_described() -> None:
    with opened(CLEAN.replace(",", ";").encode("utf-16")) as reader:
        assert reader.describe() == "utf-16, semicolon, close from close, timestamp from timestamp"
    with opened("CLOSE\x1b,close\n1,2\n") as reader:
        assert reader.describe() == "utf-8, comma, close from close, timestamp from none"


def test_long_fields_and_long_lines_do_not_hurt() -> None:
    for cell in ("x" * (1 << 20), '"' + "x\n" * (1 << 19) + '"', "x" * (32 << 20)):
        assert read(f"note,close\n{cell},1\nb,2\n", UNCHECKED).closes == [1, 2]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.mkdir(), "a directory"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (lambda path: path.symlink_to("/dev/null"), "a device"),
    ],
)
def test_inputs_that_may_never_end_or_answer_are_refused_at_once(
    make: Callable[[Path], None], kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "bars.csv"
    make(path)
    with pytest.raises(InputError) as caught:
        TextReader(OpenedFile(input_of(str(path))), CONFIG, 1 << 40)
    assert caught.value.message == f"Input data file is {kind}, not a regular file"


def test_a_socket_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    with pytest.raises(InputError, match="Input data file not found") as caught:
        TextReader(OpenedFile(input_of(str(path))), CONFIG, 1 << 40)
    assert caught.value.detail == f"path: {path}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        with pytest.raises(InputError, match="Input data file "):
            TextReader(OpenedFile(input_of(str(path))), CONFIG, 1 << 40)
