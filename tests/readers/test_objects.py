"""Lines of JSON: each is one object, read as written; the first bad line is reported."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollsignal.readers.objects import read_objects

NUMBER = r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,5})?"
numbers = st.from_regex(NUMBER, fullmatch=True).map(lambda text: (text, text))
values = st.one_of(st.none(), st.booleans(), st.text(max_size=5))
nested = st.one_of(values, st.lists(values), st.dictionaries(st.text(max_size=2), values))


@st.composite
def objects(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """Draw an object as a line of text, and its content, with numbers as text."""
    blank = draw(st.sampled_from(["", "", " ", "\t", "  "]))
    raw = draw(st.booleans())
    written = nested.map(lambda value: (json.dumps(value, ensure_ascii=not raw), value))
    record = draw(st.dictionaries(st.text(max_size=3), st.one_of(numbers, written), max_size=4))
    pairs = [f"{json.dumps(key)}{blank}:{blank}{text}" for key, (text, _) in record.items()]
    line = blank + "{" + f"{blank},{blank}".join(pairs) + "}" + blank
    return line, {key: value for key, (_, value) in record.items()}


@given(st.lists(st.one_of(objects(), st.sampled_from([("", None), (" \t", None)]))), st.booleans())
def test_every_line_is_read_as_it_stands_and_blank_ones_are_left_out(
    rows: list[tuple[str, dict[str, object] | None]], ended: bool
) -> None:
    text = "\n".join(line for line, _ in rows) + "\n" * ended
    result = read_objects(text, 7, suspect=False)
    holding = [(line, record) for line, (_, record) in enumerate(rows, 7) if record is not None]
    assert list(zip(result.lines, result.records, strict=True)) == holding
    assert result.problem == ""


# Some of these lines, joined, are one object, or as many objects as there are lines.
PIECES = [
    *('{"a":1}', '{"a":2,"b":3}', "{}", '{"a":1},{"b":2}', '{"a":1},null,{"b":2}', "", " "),
    *('{"a":[{"b":1}', '{"c":2}]}', '{"a":1', '"b":2}', '{"a":{"b":1}', '{"c":2}}', "null", "1"),
    *('{"a":1,"a":1}', '{"a":{"b":1,"b":2}}', '{"a":1,"\\u0061":1}', '{"a" :1,"a" :2}'),
    *(
        '{"a":"',
        '"}',
        '{"a":"}',
        '{"}',
        '{"a":"\\":"}',
        '{"a":"x","b":"\\":"}',
        "]",
        "[",
        '{"a":1}]',
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=5))
@example(['{"a":1', '"b":2}', '{"a":1},{"b":2}'])
@example(['{"a":[{}', "{}]}", '{"a":1},{"b":2}'])
@example(['{"a" :1,"a" :2,"b":"\\":"}'])
@example(['{"a"\t:1,"a"\t:2,"b":"\\":"}'])
def test_lines_read_at_once_are_what_each_is_alone(lines: list[str]) -> None:
    text = "\n".join(lines)
    result = read_objects(text, 1, suspect=False)
    records, numbers, bad = [], [], 0
    for number, line in enumerate(lines, start=1):
        alone = read_objects(line, 1, suspect=True)
        if alone.problem:
            bad = number
            break
        records += alone.records
        numbers += [number] * len(alone.records)
    assert (result.records, list(result.lines), result.bad_line) == (records, numbers, bad)


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text('{}[]":,a1 \t\\', max_size=8))))
def test_a_line_is_taken_if_and_only_if_it_is_one_object_without_a_key_twice(
    lines: list[str],
) -> None:
    result = read_objects("\n".join(lines), 1, suspect=False)
    taken = [line for line in lines if line.strip(" \t")][: len(result.records)]
    assert [_by_definition(line) for line in taken] == result.records
    if result.problem:
        assert _by_definition(lines[result.bad_line - 1]) is None


def _by_definition(line: str) -> object:
    """Read one line; None unless it is an object without a key twice."""

    def once(pairs: list[tuple[str, object]]) -> object:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        result = json.loads(line, object_pairs_hook=once, parse_int=str, parse_float=str)
    except ValueError:
        return None
    return result if isinstance(result, dict) else None


@pytest.mark.parametrize("form", ["1.10", "100.000", "1e5", "1E+05", "-0", "-0.0", "9" * 5000])
def test_a_number_is_the_text_as_written(form: str) -> None:
    assert read_objects(f'{{"a":{form}}}', 1, suspect=False).records == [{"a": form}]
    assert read_objects(f'{{"a": {form} }}\n', 1, suspect=True).records == [{"a": form}]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_words_for_numbers_that_json_lacks_are_text(word: str) -> None:
    assert read_objects(f'{{"a":{word}}}', 1, suspect=False).records == [{"a": word}]


CUT = (
    "the object does not end on its line: is the file cut off, or the object on several lines?"
    " (if the file is one JSON document: --format json)"
)
ARRAY = "not a JSON object but an array (write one object a line, or all bars into one array)"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("5", "'5', not a JSON object"),
        ("null", "'null', not a JSON object"),
        ('"{}"', "'\"{}\"', not a JSON object"),
        ("time,close", "'time,close', not a JSON object"),
        ("\ufeff{}", "'\\ufeff{}', not a JSON object"),
        ("[{},", f"'[{{}},', {ARRAY}"),
        ("[1, 2]", f"'[1, 2]', {ARRAY}"),
        ("{", CUT),
        ('{"a": 1', CUT),
        ('{"a": 1,', CUT),
        ('{"a": 1.', CUT),
        ('{"a": "x', CUT),
        ('{"a": "x"', CUT),
        ('{"a": tr', CUT),
        ('{"a": [1}', "not JSON from character 9 on: '}'"),
        ('{"a": 01}', "not JSON from character 8 on: '1}'"),
        ('{"a": .5}', "not JSON from character 7 on: '.5}'"),
        ('{"a": +1}', "not JSON from character 7 on: '+1}'"),
        ("{'a': 1}", "not JSON from character 2 on: \"'a': 1}\""),
        ('{"a": "\t"}', "not JSON from character 8 on: '\\t\"}'"),
        ("{} {}", "the object is followed by '{}'"),
        ("{}x", "the object is followed by 'x'"),
        ("{}]", "the object is followed by ']'"),
        ('{"a": 1, "b": 2, "a": 1}', "the key 'a' appears twice in one object; keep one"),
        ('{"a": {"b": 1, "\\u0062": 2}}', "the key 'b' appears twice in one object; keep one"),
        ('{"a":' * 100_000, "an object that is nested too deeply"),
    ],
)
def test_a_line_that_is_not_an_object_is_reported_with_the_reason(line: str, problem: str) -> None:
    for text in (f'{{"a":1}}\n\n{line}\n{{"a":3}}\n', f'{{"a":1}}\n\n{line}'):
        result = read_objects(text, 8, suspect=False)
        assert (result.records, list(result.lines)) == ([{"a": "1"}], [8])
        assert (result.bad_line, result.problem) == (10, problem)


def test_bytes_that_are_not_text_are_refused_wherever_they_are() -> None:
    result = read_objects('{"a":1}\n{"a":2,"b":"\udcff"}\n', 1, suspect=True)
    problem = (
        "the line is not UTF-8 (save the file as UTF-8, or set table: {encoding: NAME} with the"
        " name of its encoding, such as cp1252 or gbk)"
    )
    assert (result.records, result.bad_line, result.problem) == ([{"a": "1"}], 2, problem)
