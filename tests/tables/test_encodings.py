"""Text that is not UTF-8 is read as what it says it is, or refused with its likely encoding."""

import codecs

import pytest

from plogq.score import TableError, score
from plogq.tables.readers import open_table

TEXT = "label,prob_Käse,prob_Brötchen\nKäse,.7,.3\nBrötchen,.75,.25\n"
COST = (0.35667494393873245 + 1.3862943611198906) / 2


def nats(path, data, **options):
    path.write_bytes(data)
    return score(path, unit="nat", bootstrap=0, **options).cross_entropy


def refused(path, data, *said, **options):
    path.write_bytes(data)
    with pytest.raises(TableError) as caught:
        score(path, bootstrap=0, **options)
    for words in (str(path), *said):
        assert words in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(encoding, tmp_path):
    assert nats(tmp_path / "t.csv", TEXT.encode(encoding)) == pytest.approx(COST)


def test_utf_16_of_either_order(tmp_path):
    for bom, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        data = TEXT.encode(encoding)
        assert nats(tmp_path / "t.csv", bom + data) == pytest.approx(COST)
        assert open_table(tmp_path / "t.csv").notes == ["Read with the encoding utf-16."]
        refused(tmp_path / "u.csv", data, f"--encoding {encoding}")
        assert nats(tmp_path / "u.csv", data, encoding=encoding) == pytest.approx(COST)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8", "utf-16", "mac-roman"])
def test_the_encoding_may_be_said(encoding, tmp_path):
    assert nats(tmp_path / "t.csv", TEXT.encode(encoding), encoding=encoding) == (
        pytest.approx(COST)
    )


def test_what_is_not_utf_8_is_refused_with_the_option(tmp_path):
    path = tmp_path / "t.csv"
    refused(path, TEXT.encode("cp1252"), "must be UTF-8", "--encoding cp1252", "0xe4 in line 1")
    of_labels = "label,prob_0,prob_1\nKäse,.7,.3\n".encode("cp1252")
    refused(path, of_labels, "--encoding cp1252", "line 2", classes=["Käse", "Brot"])
    assert nats(path, of_labels, classes=["Käse", "Brot"], encoding="cp1252") == (
        pytest.approx(0.35667494393873245)
    )
    russian = "label,prob_хлеб,prob_сыр\nхлеб,.7,.3\n"
    refused(path, russian.encode("cp1251"), "--encoding cp1251")
    refused(path, b"label,prob_a,prob_b\n\0\0a,.7,.3\n", "zero bytes")
    refused(path, b"PAR1" + bytes(100) + b"PAR1", "not a text file")
    refused(path, TEXT.encode("cp1252"), "in the encoding utf-16", encoding="utf-16")
    refused(path, TEXT.encode(), "in the encoding ascii", encoding="ascii")


@pytest.mark.parametrize("rows", [20_000, 600_000])  # in and after the first block
def test_what_is_not_utf_8_further_on(rows, tmp_path):
    path = tmp_path / "t.csv"
    data = b"label,note,prob_0,prob_1\n" + b"a,b,.7,.3\n" * rows + b"a,\xe4,.7,.3\n\xe4,b,.7,.3\n"
    refused(path, data, "'label'", "UTF-8", "--encoding", classes=["a", "c"])
    refused(path, data, "ascii", encoding="ascii", classes=["a", "c"])


def test_an_unread_column_may_be_anything_past_the_head(tmp_path):
    data = b"label,note,prob_a,prob_b\n" + b"a,b,.5,.5\n" * 600_000 + b"a,\xe4,.5,.5\n"
    assert nats(tmp_path / "t.csv", data) == pytest.approx(0.6931471805599453)
