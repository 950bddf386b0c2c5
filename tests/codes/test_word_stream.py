"""Streams of words: every code round-trips, and the native path writes what the plain one does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.codes import Code, CodeError
from plogq.codes.word_stream import WordStream
from tests.codes.fuzz import reseal


@given(st.data())
@settings(max_examples=100)
def test_round_trip(data):
    counts = data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=300))
    base = data.draw(st.sampled_from([2, 2, 3, 5, 36]))
    code = Code.huffman(counts, base=base)
    indices = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=200))
    coded = code.encode_indices(np.array(indices, np.int64))
    assert code.decode_indices(coded).tolist() == indices
    assert code.decode(code.encode(indices)) == indices
    assert code.parse(code.digits(indices)) == indices


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40), st.randoms())
@settings(max_examples=100)
def test_native_and_plain_streams_are_the_same_bytes(counts, random):
    code = Code.huffman(counts)
    native = WordStream(code.words, code.symbols, 2, True)
    plain = WordStream(code.words, code.symbols, 2, True)
    assert native._table is not None
    plain._table = None
    indices = np.array(random.choices(range(len(counts)), k=100))
    coded = native.encode(indices)
    assert plain.encode(indices) == coded
    assert plain.decode(coded).tolist() == native.decode(coded).tolist() == indices.tolist()


def test_a_code_that_is_decodable_but_not_prefix_free():
    code = Code({"a": "0", "b": "01", "c": "11"})
    assert code.is_uniquely_decodable
    assert not code.is_prefix_free
    for symbols in ("", "a", "b", "abcab" * 50, "a" + "c" * 100, "b" + "c" * 100):
        assert code.decode(code.encode(symbols)) == list(symbols)
        assert code.parse(code.digits(symbols)) == list(symbols)
    with pytest.raises(CodeError, match="no stream of the code's words"):
        code.parse("10")


def test_symbols_of_any_kind():
    weights = {"π": 5, ("a", 1): 3, None: 1, 2.5: 1}
    code = Code.huffman(weights)
    message = [None, "π", 2.5, ("a", 1), "π"]
    assert code.decode(code.encode(message)) == message
    assert dict(code)["π"] == code["π"] == "0"
    assert len(code) == 4
    assert repr(code).startswith("Code({'π': '0'")


def test_incomplete_codes_find_what_is_no_word():
    code = Code(["00", "01", "1000000000000000"])
    data = code.encode([0, 2, 1, 2])
    assert code.decode(data) == [0, 2, 1, 2]
    for digits in ("11", "0", "10", "001"):
        with pytest.raises(CodeError, match="no stream"):
            code.parse(digits)


def test_words_of_all_lengths_a_window_can_hold():
    for longest in (12, 13, 40, 55, 56, 57, 64):
        words = ["1" * k + "0" for k in range(longest - 1)] + ["1" * longest]
        code = Code(words[:longest])
        order = [*range(longest), *reversed(range(longest))]
        assert (WordStream(code.words, code.symbols, 2, True)._table is not None) == (longest <= 56)
        assert code.decode(code.encode(order)) == order


@pytest.mark.parametrize("base", [2, 3])
def test_what_follows_the_last_digit_must_be_zeros(base):
    code = Code.huffman([4, 2, 1], base=base)
    data = bytearray(code.encode([0]))
    assert code.decode(data) == [0]
    data[-5] |= 1
    with pytest.raises(CodeError, match="no stream of the code's words"):
        code.decode(reseal(bytes(data[:-4])))


def test_digits_that_the_base_has_not_are_refused():
    code = Code.huffman([1] * 36, base=36)  # six bits a digit, which could say 63
    data = bytearray(code.encode([0]))
    data[-5] = 63 << 2
    with pytest.raises(CodeError, match="no stream of the code's words"):
        code.decode(reseal(bytes(data[:-4])))


def test_another_code_is_refused():
    one, other = Code.huffman([1, 2, 4]), Code.huffman([4, 2, 1])
    with pytest.raises(CodeError, match="in another code"):
        other.decode(one.encode([0, 1, 2]))


def test_the_same_words_for_other_symbols_are_another_code():
    words = ["0", "10", "11"]
    codes = [
        Code(dict(zip(symbols, words, strict=True)))
        for symbols in ("abc", "xyz", ("ab", "c", ""), (0, 1, 2), (10, 1, 2), "012")
    ]
    for one in codes:
        data = one.encode(one.symbols)
        assert one.decode(data) == list(one.symbols)
        for other in codes:
            if other is not one:
                with pytest.raises(CodeError, match="in another code"):
                    other.decode(data)
    # What any Python takes for the same symbol is the same.
    same = Code(dict(zip(np.array(["a", "b", "c"]), words, strict=True)))
    assert same.decode(codes[0].encode("abc")) == ["a", "b", "c"]
    assert Code(dict(zip(np.arange(3), words, strict=True))).decode(codes[3].encode([2])) == [2]
