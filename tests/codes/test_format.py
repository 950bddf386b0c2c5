"""The format of coded files: pinned byte by byte, and nothing but it gets through."""

import random
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.codes import CodeError
from plogq.codes.container import KINDS, MAGIC, VERSION, Reader, pack, unpack, varint
from tests.codes import fuzz
from tests.codes.golden_cases import CASES, FOLDER


@pytest.mark.parametrize("name", CASES)
def test_golden_files_come_out_the_same_and_decode(name):
    make, read, content = CASES[name]
    golden = (FOLDER / f"{name}.plq").read_bytes()
    assert make() == golden
    assert np.array_equal(read(golden), content)


def test_all_golden_files_have_a_case():
    assert {path.stem for path in FOLDER.glob("*.plq")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_frames_are_as_specified(name):
    data = (FOLDER / f"{name}.plq").read_bytes()
    assert data[:5] == MAGIC + bytes([VERSION]) == b"\x89plq\x01"
    assert data[5:6] in KINDS
    assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")


def test_the_document_names_every_kind_and_the_version():
    text = (Path(__file__).parents[2] / "docs" / "codes.md").read_text()
    assert f"version {VERSION}" in text
    for kind in KINDS:
        assert f"`{kind.decode()}`" in text


@pytest.mark.parametrize("name", CASES)
def test_every_cut_is_refused(name):
    _, read, _ = CASES[name]
    data = (FOLDER / f"{name}.plq").read_bytes()
    for end in range(len(data)):
        with pytest.raises(CodeError):
            read(data[:end])
    for more in (b"\0", b"\xff", b"more", data):
        with pytest.raises(CodeError):
            read(data + more)


@pytest.mark.parametrize("name", CASES)
def test_every_flipped_bit_is_refused(name):
    _, read, _ = CASES[name]
    data = (FOLDER / f"{name}.plq").read_bytes()
    places = (
        range(8 * len(data))
        if len(data) < 120
        else random.Random(0).sample(range(8 * len(data)), 800)
    )
    for place in places:
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(CodeError):
            read(bytes(damaged))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "data is cut short: it has 0 bytes"),
        (b"\x89pl", "data is cut short: it has 3 bytes"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "this is no file of plogq code"),
        (b"\x89plq\x02m" + bytes(20), "is of version 2 of the format; this plogq reads 1"),
        (b"\x89plq\x01m" + bytes(20), "damaged or cut short: its checksum does not fit"),
        (pack(b"z", b"", b""), "of a kind that this plogq does not know: b'z'"),
        (pack(b"b", b"", b""), "a code of bytes under an adaptive model, not of labels under a"),
        (pack(b"m", b"", b""), "a field reaches past its end"),
        (pack(b"m", b"\xff" * 12, b""), "a number in it has no end"),
        (pack(b"m", b"\x80\x00" * 6, b""), "is not written as it should be"),
    ],
)
def test_what_is_wrong_is_said(data, message):
    with pytest.raises(CodeError, match=re.escape(message)):
        unpack_all(data)


def unpack_all(data):
    _, reader = unpack(data, b"m")
    reader.varint()


@given(st.integers(0, 2**63 - 1), st.binary(max_size=9))
def test_varints(n, after):
    reader = Reader(varint(n) + after)
    assert reader.varint() == n
    assert reader.rest() == after
    assert len(varint(n)) == max(1, -(-n.bit_length() // 7))


def test_fuzz():
    """A thousandth of `python -m tests.codes.fuzz`, which runs them all."""
    pytest.importorskip("constriction")
    outcome = fuzz.run(2000, seed=1)
    assert outcome["cases"] == 2000
    assert outcome["refused"] > 1000
    assert outcome["wrong"] == []
