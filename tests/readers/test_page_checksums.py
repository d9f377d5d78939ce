"""A page of a Parquet file that is not what its checksum says is refused, never another number."""

import base64
import re
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.readers.columnar import FrameReader
from rollsignal.readers.page_checksums import checksums_of
from rollsignal.readers.parts import ReadWholeError, RowPart
from tests.support.tables import CONFIG

WRITTEN_CLOSES = "100 100.5 100.25 101 99.75 99.5 101.5 101.25"
CLOSES = list(map(Fraction, WRITTEN_CLOSES.split()))
READ = ("timestamp", "close")
# As pyarrow wrote them: two row groups of a time, a close and a note, with a checksum each page.
DOUBLES = zlib.decompress(
    base64.b85decode(
        "c-jka3^EjD5p@8<mDiuYW3&<F5M>ZzU|>*C6u8dI#=x+Ai!hkh^AHEqTW?E&Xi)}H5g=T?@#{Wr8K52kQ8rOF8"
        "K6EUAm(6XVt&E^HFn9*50lv7#)3hl1DH~P(gIN0A<}_3V-0}t_Qfd@FjGO2c?Mw85KJ0@Nn_$2`S;ZOO+0W%+T"
        "_cD{d$;52~2xUQw7r(H8n}|`{7eJZ?K~H{X+!AuMePf0@UvTr1<^D=I<w1P&{t}CQZSl8JILD$~Z|MQw9mP;^d"
        "6f+(c2J&sbEMBsfblb5n~;5_1bwMSOaMWOTp|6y*X+u_ou_7pF3a@&MT^dHE%&sti6LBgF(HbtG-n7-WDZnli8"
        "nNFo^`${@xewvG{q)C$x%G<AS}U=U>j1)>0uve9IdRAb-(ngP<y1=S6)2TA8VCbeyh`1SHY^@806);fm~h}3p5"
        "t36@D&<b=hOtaVzW-$&m4j{!qgdbk8s5P*V>5FM>YU@}@^~F3!AX3}Hu6BnFuP=Uqe9^!Hq!~063KEM7OH)g9l"
        "M4!T6N`%S%N5E}i;6Sz^AwEC^bGV2C2fGw20;vLzyuKhECv9lNvnG"
    )
)
# Decimals, compressed, in pages of version 2 without dictionaries.
DECIMALS = zlib.decompress(
    base64.b85decode(
        "c-jka3^EjD6LkT?JDX1S^Z1Bzh%$gNiztJT3<CoL2P1=mqQG@tHU@^}TZF;1o`*P?-g;XKL__s&+&E!72Uh)Hp"
        "e_KVouITPlr914Hvz&Y9aHtOX=ehGc?Mw85KJ0@Nn@zB9qSKXX2fc(O}-r1nTMH_z_iyiRWN-~QxnPAPv1X%z="
        "PY_YTu#sJ*ab+LFrzov!B2E_MZi(yG_8PDVQ_^ljfo<l0K#k5^TlE8L7F6qCkhRs4_`#mSpCp7MCRE7O0B&^a#"
        "o5fNc@w6BQ6;l3-2F$uCY-<pP?nq7wrmL2^7mZ7g~DC8??mJ|HW_1SEANZPXZKfHtVIF-RhrDas?pA=bbML~0z"
        "KGC*fCh%zzQXtGJFF>ru92h_s{(F3sxNqq++4h=jI4PY05)#r)jsdX?RR0G`uQ!n<8NsL2{14uCtcHuWB5}o*s"
        "nOG+lh!v=PW5Mpk4<ILgV*=6)8VUu8MTMoQCA!H41-gkvMfv3lWvNBQnfZANMrL{jdWMoVzz~NZhKs<Y5&+Cc0"
        "P}H%J^"
    )
)
WRITTEN = pytest.mark.parametrize("written", [DOUBLES, DECIMALS], ids=["doubles", "decimals"])


def closes_of(data: bytes, path: Path) -> list[Fraction]:
    """Read the closes of a file; raises `DataError` if it is refused."""
    path.write_bytes(data)
    reader = FrameReader(input_of(str(path)), "parquet", CONFIG)
    batches = [batch.plain().closes for batch in reader.batches()]
    return [Fraction(tick or 0, 10**closes.scale) for closes in batches for tick in closes.values]


def damaged(data: bytes, step: int) -> Iterator[bytes]:
    """Yield the file with one bit of one byte changed, from its first page to its last one."""
    for place in range(4, footer_begin(data), step):
        bit = 1 << place % 8
        yield data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


def footer_begin(data: bytes) -> int:
    return len(data) - 8 - int.from_bytes(data[-8:-4], "little")


@WRITTEN
def test_a_changed_byte_in_a_page_is_refused_or_is_in_a_column_that_is_not_read(
    written: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "bars"
    assert closes_of(written, path) == CLOSES
    refused = 0
    for data in damaged(written, 5):
        try:
            assert closes_of(data, path) == CLOSES
        except DataError:
            refused += 1
    # A third of the bytes are notes.
    assert refused > (footer_begin(written) - 4) / 5 * 0.5


def refusal(data: bytes, path: Path) -> str:
    """Return the message for a page that its checksum shows to be damaged; "" without one."""
    path.write_bytes(data)
    checksums = checksums_of(str(path), "bars", READ, 0)
    try:
        if checksums:
            checksums.check_until(8)
    except DataError as error:
        return error.message
    return ""


@WRITTEN
def test_the_message_names_the_column_and_the_page(written: bytes, tmp_path: Path) -> None:
    messages = {refusal(data, tmp_path / "bars") for data in damaged(written, 2)}
    changed = r"bars: close: the page at byte \d+ does not match its checksum: the file is damaged"
    assert any(re.fullmatch(changed, message) for message in messages)
    assert "bars: timestamp: the header of the page at byte 4 is damaged" in " ".join(messages)


def test_a_part_of_the_rows_is_held_against_the_checksums_of_its_own_row_groups(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bars"
    second = DOUBLES.rindex(bytes(bytearray.fromhex("0000000000605940")))
    path.write_bytes(DOUBLES[:second] + b"\1" + DOUBLES[second + 1 :])

    def bars(begin: int, end: int | None) -> int:
        part = RowPart(FrameReader(input_of(str(path)), "parquet", CONFIG), begin, end)
        return sum(len(batch.plain().closes.values) for batch in part.batches())

    assert bars(0, 4) == 4
    with pytest.raises(ReadWholeError):
        bars(4, None)


def test_a_file_without_checksums_is_told_by_its_first_pages(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    pl.DataFrame({"close": [1.0, 2.0]}).write_parquet(path)
    assert checksums_of(str(path), "bars", READ, 0) is None
    for data in (b"", b"PAR1", b"\xff" * 99 + b"PAR1", DOUBLES[:-9]):
        path.write_bytes(data)
        assert checksums_of(str(path), "bars", READ, 0) is None


@WRITTEN
def test_a_damaged_footer_leads_to_no_other_error(written: bytes, tmp_path: Path) -> None:
    for place in range(footer_begin(written), len(written), 7):
        for byte in (0, 255, written[place] ^ 1):
            data = written[:place] + bytes([byte]) + written[place + 1 :]
            message = refusal(data, tmp_path / "bars")
            assert not message or message.startswith("bars: ")
