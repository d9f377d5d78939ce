"""Facts about state files: a state is read back exactly as it was written, or refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal import __version__
from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.kernel import Account, Carry, LastBar, Tally, advance
from rollsignal.core.ticks import Ticks
from rollsignal.errors import ConfigError, DataError, DiskError, InputError, JobError, OutputError
from rollsignal.outputs.state.document import (
    SCHEMA,
    ReadFile,
    Segment,
    State,
    kept_account,
    load_state,
    save_state,
)
from rollsignal.outputs.state.settings import changed_settings, check_settings, kept_settings
from tests.support import strategies
from tests.support.disk import files_no_larger_than
from tests.support.tables import CONFIG

texts = st.text(st.characters(exclude_categories=()))
edges = st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**5000, -(10**5000), 0])
wholes = st.one_of(st.integers(), edges)
maybe = st.one_of(st.none(), wholes)
counts = st.integers(0)
carries = st.builds(Carry, counts, counts, st.lists(wholes).map(tuple))
tallies = st.builds(Tally, counts, counts, counts, counts, counts)
lasts = st.one_of(st.none(), st.builds(LastBar, maybe, maybe, counts, counts))
accounts = st.builds(Account, carries, tallies, lasts, maybe, maybe, texts)
stamps = st.lists(wholes, max_size=2).map(tuple)
inputs = st.lists(st.builds(ReadFile, texts, counts, texts, counts, stamps), max_size=3)
segments = st.lists(st.builds(Segment, counts, texts), max_size=2)
states = st.builds(
    State,
    st.just(kept_settings(CONFIG)),
    st.dictionaries(texts, accounts, max_size=4),
    st.integers(0, 2**128 - 1),
    inputs.map(tuple),
    st.lists(texts, max_size=3).map(tuple),
    segments.map(tuple),
    counts,
    texts,
)

SMALL = State(
    kept_settings(CONFIG),
    {"é\udcff": Account(Carry(3, 2, (10**30, 5)), Tally(2), last_ns=60)},
    7,
    (ReadFile("a.csv", 9, "ab" * 32, 2, (0, 60)),),
)


def test_a_kept_account_does_not_show_the_decimals_of_bars_long_gone() -> None:
    account = Account(Carry(3, 4, (15000, 20)), Tally(5), LastBar(15000, -500, 5, 3), 1, 2, "a.csv")
    kept = kept_account(account)
    assert kept.carry == Carry(3, 3, (1500, 2))
    assert kept.last == LastBar(150, -5, 3, 3)
    assert kept[3:] == account[3:]
    none = account._replace(carry=Carry(3, 4), last=LastBar(None, None, 4, 3))
    assert kept_account(none)[0:3:2] == (Carry(3), LastBar(None, None, 0, 3))


def saved(folder: Path, state: State = SMALL) -> Path:
    path = folder / "run.state"
    save_state(str(path), state)
    return path


def sealed(*lines: str) -> bytes:
    """Add the checksum of a state to lines, as a forger would."""
    body = "".join(line + "\n" for line in lines).encode()
    return body + f'{{"sha256":"{hashlib.sha256(body).hexdigest()}"}}\n'.encode()


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_state(str(path))
    assert caught.value.exit_code == 65
    return caught.value.message.removeprefix(str(path))


@given(states)
def test_what_is_saved_is_loaded_exactly(state: State) -> None:
    with TemporaryDirectory() as folder:
        assert load_state(str(saved(Path(folder), state))) == state


@given(states, st.data())
def test_equal_states_are_equal_bytes(state: State, data: st.DataObject) -> None:
    reordered = state._replace(
        accounts=dict(data.draw(st.permutations(list(state.accounts.items())))),
        settings=dict(data.draw(st.permutations(list(state.settings.items())))),
    )
    with TemporaryDirectory() as folder:
        content = saved(Path(folder), state).read_bytes()
        assert saved(Path(folder), reordered).read_bytes() == content


@given(st.data(), strategies.series(gaps=True), st.integers(1, 6))
def test_a_series_continues_from_a_state_as_if_it_had_never_stopped(
    data: st.DataObject, bars: strategies.Series, window: int
) -> None:
    cut = data.draw(st.integers(0, len(bars.ticks)))
    _, carry = advance(Carry(window), Ticks(bars.ticks[:cut], bars.scale))
    state = SMALL._replace(accounts={"A": Account(carry)})
    with TemporaryDirectory() as folder:
        loaded = load_state(str(saved(Path(folder), state)))
    assert loaded is not None
    decided, end = advance(loaded.accounts["A"].carry, Ticks(bars.ticks[cut:], bars.scale))
    whole, end_of_whole = advance(Carry(window), Ticks(bars.ticks, bars.scale))
    assert (decided.margins, end.tail) == (whole.margins[cut:], end_of_whole.tail)


def test_a_state_is_lines_of_json_and_the_checksum_of_the_lines_above(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path, SMALL._replace(accounts={}))
    head, seal = (json.loads(line) for line in path.read_text().splitlines())
    assert (head["rollsignal_state"], head["program"]) == (SCHEMA, __version__)
    above = path.read_bytes().splitlines(keepends=True)[0]
    assert seal == {"sha256": hashlib.sha256(above).hexdigest()}


def test_without_a_file_there_is_no_state(tmp_path: Path) -> None:
    assert load_state(str(tmp_path / "none")) is None
    assert load_state(str(tmp_path / "no/such/folder")) is None


def test_the_target_of_a_dangling_link_becomes_the_place_of_the_state(tmp_path: Path) -> None:
    (tmp_path / "run.state").symlink_to("there")
    assert load_state(str(tmp_path / "run.state")) is None
    saved(tmp_path)
    assert load_state(str(tmp_path / "there")) == SMALL


def test_any_changed_bit_is_detected(tmp_path: Path) -> None:
    path = saved(tmp_path)
    content = path.read_bytes()
    for index in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[index] ^= 1 << bit
            assert refusal(path, bytes(changed))


def test_any_lost_or_doubled_byte_is_detected(tmp_path: Path) -> None:
    path = saved(tmp_path)
    content = path.read_bytes()
    for index in range(len(content)):
        assert refusal(path, content[:index] + content[index + 1 :])
        assert refusal(path, content[:index] + content[index : index + 1] + content[index:])


def test_a_state_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    content = path.read_bytes()
    for length in range(len(content)):
        assert refusal(path, content[:length])


def edited(content: bytes) -> bytes:
    return content.replace(b'"window":3', b'"window":4')


def with_another_line_end(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def with_a_line_twice(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[:2], *lines[1:]])


def test_the_message_about_a_damaged_state_names_the_file_of_bars_too(tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError) as caught:
        load_state(str(path))
    assert caught.value.detail == (
        "put a copy in its place, with the .bars file that belongs to it,"
        " or remove it and read all bars again"
    )


def twice(content: bytes) -> bytes:
    return content * 2


@pytest.mark.parametrize("change", [edited, with_another_line_end, with_a_line_twice, twice])
def test_a_state_that_was_edited_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    path = saved(tmp_path)
    assert refusal(path, change(path.read_bytes())) == (
        " is damaged: it is cut off, or was changed after it was written"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"close\n1\n",
        b'{"version": "v1"}',
        b"PAR1\x15\x04\xff",
        b'{"rollsignal_state":1',
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path / "file", content) == " is not a rollsignal state file"


def test_only_the_beginning_of_a_file_of_another_kind_is_read(tmp_path: Path) -> None:
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 2**40)
    with pytest.raises(DataError, match="is not a rollsignal state file"):
        load_state(str(tmp_path / "huge"))


@pytest.mark.parametrize("schema", [0, SCHEMA + 1, 999])
def test_a_state_of_another_schema_is_distinguished_from_a_damaged_one(
    tmp_path: Path, schema: int
) -> None:
    content = sealed(f'{{"rollsignal_state":{schema},"whatever":[]}}')
    assert refusal(tmp_path / "file", content) == (
        f" is a state file of schema {schema}; rollsignal {__version__} reads schema {SCHEMA}"
    )


HEAD = f'{{"rollsignal_state":{SCHEMA},"program":"","settings":{{}},"inputs":[]'


@pytest.mark.parametrize(
    "lines",
    [
        (HEAD + "}", ""),
        (HEAD + "}", "null"),
        (HEAD + "}", "[]"),
        (HEAD + "}", '{"symbol":"A"}'),
        (HEAD + "}", '{"symbol":"A","digest":"x","carry":{},"tally":{},"last":null}'),
        (HEAD + '}"',),
        (HEAD.replace("[]", '[{"path":"a","sise":1}]') + "}",),
        (HEAD.replace("settings", "setting") + "}",),
        (HEAD.replace('""', '{"hex":"x"}') + "}",),
    ],
)
def test_a_file_with_the_checksum_but_not_the_content_of_a_state_is_refused(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    message = refusal(tmp_path / "file", sealed(*lines))
    assert message.startswith(" has a valid checksum, but is not a state file: ")


def test_a_state_that_cannot_be_opened_is_not_treated_as_missing(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "loop", tmp_path / "file/below", "nul\0byte"):
        with pytest.raises(InputError, match=r"^State file "):
            load_state(str(path))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_state_that_cannot_be_read_is_a_disk_error() -> None:
    with pytest.raises(DiskError, match="State file cannot be read: Input/output error"):
        load_state("/proc/self/mem")


def test_the_old_state_stays_whole_if_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    path = saved(tmp_path)
    large = SMALL._replace(accounts={str(number): Account(Carry(1)) for number in range(99)})
    with files_no_larger_than(4096), pytest.raises(DiskError):
        save_state(str(path), large)
    assert load_state(str(path)) == SMALL
    assert os.listdir(tmp_path) == ["run.state"]


def test_a_state_does_not_replace_a_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_state(str(tmp_path), SMALL)


def config_of(**changes: Any) -> JobConfig:
    return CONFIG._replace(**changes)


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        (config_of(window=4), [("window", 3, 4)]),
        (config_of(missing="gap"), [("missing", "error", "gap")]),
        (config_of(columns=Columns(close="Close")), [("columns.close", "close", "Close")]),
        (config_of(columns=Columns(timestamp="t")), [("columns.timestamp", None, "t")]),
        (config_of(columns=Columns(symbol=SymbolFrom("s"))), [("columns.symbol", None, "s")]),
        (
            config_of(window=1, columns=Columns(symbol=SymbolFrom(filename=True))),
            [("columns.symbol", None, {"from": "filename"}), ("window", 3, 1)],
        ),
    ],
)
def test_each_setting_that_affects_stored_numbers_must_stay(
    tmp_path: Path, config: JobConfig, changes: list[tuple[str, object, object]]
) -> None:
    state = load_state(str(saved(tmp_path)))
    assert state is not None
    assert changed_settings(state, config) == changes
    back = load_state(str(saved(tmp_path, SMALL._replace(settings=kept_settings(config)))))
    assert back is not None
    assert changed_settings(back, config) == []
    assert changed_settings(back, CONFIG) == [(name, now, was) for name, was, now in changes]


def test_a_symbol_column_named_from_filename_differs_from_that_source() -> None:
    column = config_of(columns=Columns(symbol=SymbolFrom("from: filename")))
    state = SMALL._replace(settings=kept_settings(column))
    filenames = config_of(columns=Columns(symbol=SymbolFrom(filename=True)))
    (change,) = changed_settings(state, filenames)
    assert change.name == "columns.symbol"


def test_settings_that_do_not_affect_stored_numbers_may_change(tmp_path: Path) -> None:
    config = config_of(seed=9, version="v9", warmup="zero", checks=Checks("warn", "off"))
    assert changed_settings(SMALL, config) == []
    check_settings(str(tmp_path), SMALL, config)


def test_a_setting_that_is_newer_than_a_state_counts_as_its_default() -> None:
    older = dict(SMALL.settings)
    del older["missing"]
    state = SMALL._replace(settings=older)
    assert changed_settings(state, CONFIG) == []
    assert changed_settings(state, config_of(missing="skip")) == [("missing", "error", "skip")]


def test_a_setting_that_no_longer_exists_is_a_change() -> None:
    state = SMALL._replace(settings={**SMALL.settings, "round": 2})
    assert changed_settings(state, CONFIG) == [("round", 2, None)]


def test_changed_settings_are_a_config_error_with_a_hint() -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings("a.state", SMALL, config_of(window=4, missing="skip"))
    error: JobError = caught.value
    assert error.exit_code == 78
    assert error.message == (
        "Settings differ from those of the state: "
        'missing is "skip", was "error"; window is 4, was 3'
    )
    assert error.detail == ("state: a.state; set them back, or start again with another state file")
