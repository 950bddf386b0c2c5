"""Text tables of any dialect are read right, or refused with the option that settles it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.compare import compare
from plogq.score import TableError, score
from plogq.tables.formats.dialect import Dialect, find_dialect
from plogq.tables.formats.text_options import TextOptions, text_options
from plogq.tables.readers import open_table

COST = (-0.6931471805599453 - 1.3862943611198906) / -2  # of 0.5 and 0.25


def nats(path, text, **options):
    path.write_text(text, encoding="utf-8", newline="")
    return score(path, unit="nat", bootstrap=0, **options).cross_entropy


def refused(path, text, *said, **options):
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(TableError) as caught:
        score(path, bootstrap=0, **options)
    for words in (str(path), *said):
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("label,prob_a,prob_b\na,.5,.5\nb,.75,.25\n", []),
        ("label;prob_a;prob_b\na;.5;.5\nb;.75;.25\n", ["Read with ';' between columns."]),
        ("label\tprob_a\tprob_b\na\t.5\t.5\nb\t.75\t.25\n", ["Read with tabs between columns."]),
        ("label|prob_a|prob_b\na|.5|.5\nb|.75|.25\n", ["Read with '|' between columns."]),
        ("label prob_a prob_b\na .5 .5\nb .75 .25\n", ["Read with blanks between columns."]),
        (
            "label;prob_a;prob_b\na;0,5;0,5\nb;0,75;0,25\n",
            ["Read with ';' between columns and ',' as decimal mark."],
        ),
        ('label,prob_a,prob_b\na,"0,5","0,5"\nb,"0,75","0,25"\n',
         ["Read with ',' as decimal mark."]),
        ("sep=;\r\nlabel;prob_a;prob_b\r\na;0,5;0,5\r\nb;0,75;0,25\r\n",
         ["Read with ';' between columns and ',' as decimal mark."]),
        ("sep=\t\nlabel\tprob_a\tprob_b\na\t.5\t.5\nb\t.75\t.25\n",
         ["Read with tabs between columns."]),
        ("label, prob_a, prob_b\na, .5, .5\nb, .75, .25\n", []),
        ('"label", "prob_a", "prob_b"\na, .5, .5\nb, .75, .25\n', []),
        ("prob_a, label, prob_b\n.5, a, .5\n.75, b, .25\n", []),
        ("'label','prob_a','prob_b'\n'a',.5,.5\n'b',.75,.25\n", []),
        ("# model 3, epoch 9\n#\n\nlabel,prob_a,prob_b\na,.5,.5\nb,.75,.25\n", []),
        ("# label prob_a prob_b\na .5 .5\nb .75 .25\n", ["Read with blanks between columns."]),
        ("#id,label,prob_a,prob_b\n1,a,.5,.5\n2,b,.75,.25\n", []),
        ("label,prob_a,prob_b\ra,.5,.5\rb,.75,.25\r", []),
        ('label,note,prob_a,prob_b\na,"x; y\n; z",.5,.5\nb,";",.75,.25\n', []),
        ("label,note;more,prob_a,prob_b\na,x;y,.5,.5\nb,x;y,.75,.25\n", []),
        ('"label","prob_a","prob_b"\n"1","a",.5,.5\n"2","b",.75,.25\n',
         ["The first cell of each row has no name above it: it names the row."]),
    ],
)  # fmt: skip
def test_what_is_between_columns_and_in_numbers_is_found(text, note, tmp_path):
    assert nats(tmp_path / "t.csv", text) == pytest.approx(COST, rel=1e-15)
    assert open_table(tmp_path / "t.csv").notes == note


def test_a_decimal_comma_past_the_head_is_refused_with_the_option(tmp_path):
    text = "label;prob_0;prob_1\n" + "0;1;0\n" * 20_000 + "0;0,5;0,5\n"
    refused(tmp_path / "t.csv", text, "got '0,5'", "--decimal ,", "row 20000")
    assert nats(tmp_path / "t.csv", text, decimal=",") == pytest.approx(0.6931471805599453 / 20_001)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("1,234;2,345", "--decimal ,"),  # thousands, or decimals
        ("0.5;1,5", "--decimal ,"),
        ("1.234,5;0,5", "hold numbers"),
        ("1,234,567;0,5", "hold numbers"),
        ("1.5;1.234,5", "hold numbers"),
    ],
)
def test_marked_thousands_are_no_decimals(cells, said, tmp_path):
    refused(tmp_path / "t.csv", f"label;logit_0;logit_1\n0;{cells}\n", said)


def test_what_a_comma_is_may_be_said(tmp_path):
    text = "label;logit_0;logit_1\n1;1,234;2,345\n"
    said = nats(tmp_path / "t.csv", text, decimal=",")
    assert said == nats(tmp_path / "u.csv", text.replace(",", "."))


def test_sniffing_never_overrides_an_option(tmp_path):
    text = "label,x;prob_0;prob_1\n0,y;.5;.5\n"
    refused(tmp_path / "t.csv", text, "label,x")
    refused(tmp_path / "t.csv", "label;prob_0;prob_1\n0;.5;.5\n", "no column", delimiter=",",
            label="none")  # fmt: skip
    assert open_table(tmp_path / "t.csv", text_options(delimiter=",")).schema.names == [
        "label;prob_0;prob_1"
    ]
    both = "a,b;c\n1,2;3\n"
    refused(tmp_path / "t.csv", both, "--delimiter", "',' or ';'")
    assert open_table(tmp_path / "t.csv", text_options(delimiter=";")).schema.names == ["a,b", "c"]


def test_a_first_line_of_numbers_is_refused_with_the_way_on(tmp_path):
    path = tmp_path / "t.csv"
    refused(path, "0,.5,.5\n1,.75,.25\n", "--header", "numbers: 0,.5,.5")
    refused(path, "0;0,5;0,5\n", "--header")
    names = ["label", "prob_0", "prob_1"]
    assert nats(path, "0,.5,.5\n1,.75,.25\n", header=names) == pytest.approx(COST)
    assert nats(path, "a,.5,.5\nb,.75,.25\n", header=["label", "prob_a", "prob_b"]) == (
        pytest.approx(COST)
    )
    # Of a file that has these names, they are no row.
    assert nats(path, "label,prob_0,prob_1\n0,.5,.5\n1,.75,.25\n", header=names) == (
        pytest.approx(COST)
    )
    refused(path, "0,.5\n", "a row must have 3 columns; got 2", header=names)
    # pandas names columns by numbers.
    path.write_text("0,1,2\n0,.5,.5\n")
    assert open_table(path).schema.names == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("\n \r\n", "it is empty"),
        ("\ufeff", "it is empty"),
        ("# nothing but\n# comments\n", "nothing but comments"),
        ("label,prob_0,prob_1\n", "no rows"),
        ("label;prob_0;prob_1", "no rows"),
        ("label, prob_0, prob_1", "no rows"),
        ("label, prob_0, prob_1\n", "no rows"),
        ("# label prob_0 prob_1\n", "nothing but comments"),
        ("label  prob_0  prob_1\n0      .5      .5\n", "padded with blanks"),
        ("label,prob_0,prob_1\n0,.5,.5,\n", "a row must have 3 columns; got 4"),
        ("label,prob_0,prob_1\n0,.5\n", "a row must have 3 columns; got 2"),
    ],
)
def test_what_is_no_table_is_said_in_a_sentence(text, said, tmp_path):
    refused(tmp_path / "t.csv", text, said)


@pytest.mark.parametrize("blank", ["", " ", "   ", "NA"])
def test_blank_cells_are_missing(blank, tmp_path):
    text = f"label,prob_a,prob_b\na,.5,.5\nb,{blank},.25\n"
    refused(tmp_path / "t.csv", text, "a number in every row; got null", "row 1")
    if "NA" not in blank:  # which may be a class
        text = f"label,prob_a,prob_b\na,.5,.5\n{blank},.75,.25\n"
        refused(tmp_path / "t.csv", text, "a label in every row (--ignore null", "row 1")
        text = f"label,prob_0,prob_1\n0,.5,.5\n{blank},.75,.25\n"
        refused(tmp_path / "t.csv", text, "a label in every row (--ignore null", "row 1")


def test_a_class_may_be_called_na(tmp_path):
    text = "label,prob_NA,prob_null,prob_x\nNA,.5,.5,0\nnull,.75,.25,0\nx,0,0,1\n"
    assert nats(tmp_path / "t.csv", text) == pytest.approx(COST * 2 / 3)


def test_rows_are_counted_below_what_stands_above_them(tmp_path):
    for above in ("", "# a\n# b\n", "sep=,\n"):
        for names in ("label,prob_0,prob_1", "label, prob_0, prob_1"):
            text = f"{above}{names}\n0,.5,.5\n0,half,.5\n"
            refused(tmp_path / "t.csv", text, "'prob_0' must hold numbers; got 'half' (row 1,")
    text = "0,.5,.5\n0,half,.5\n"
    refused(tmp_path / "t.csv", text, "(row 1,", header=["label", "prob_0", "prob_1"])


def test_rows_longer_than_a_block_are_read(tmp_path):
    good = "a,x,.5,.5\n"
    text = "label,note,prob_a,prob_b\n" + good * 9 + f"b,{'y' * (5 << 20)},.75,.25\n" + good * 9
    path = tmp_path / "t.csv"
    assert nats(path, text) == pytest.approx((18 * 0.6931471805599453 + 1.3862943611198906) / 19)
    [file] = open_table(path).readers
    assert file.pieces("label") == [19]
    many = 300_000  # the long row is not in the first block, and what came before is not repeated
    text = "label,note,prob_a,prob_b\n" + good * many + f"b,{'y' * (9 << 20)},.5,.5\n" + good
    path.write_text(text)
    assert score(path, bootstrap=0).rows == many + 2


def test_a_header_longer_than_a_block_is_read(tmp_path):
    for between in (",", ", "):
        names = ["label", "prob_a", "prob_b", *(f"{'x' * 500}_{j}" for j in range(10_000))]
        text = between.join(names) + "\n" + between.join(["a", ".5", ".5", *"0" * 10_000]) + "\n"
        assert nats(tmp_path / "t.csv", text) == pytest.approx(0.6931471805599453)


def test_line_breaks_in_cells_that_only_come_later(tmp_path):
    good = "a,x,.5,.5\n"
    cell = '"' + "line\n" * 50 + '"'
    text = "label,note,prob_a,prob_b\n" + good * 20_000 + f"a,{cell},.5,.5\n" * 30_000
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert score(path, bootstrap=0).rows == 50_000


def test_options_are_checked():
    for wrong in ({"encoding": "none"}, {"encoding": "hex"}, {"delimiter": ";;"},
                  {"delimiter": "a"}, {"delimiter": '"'}, {"decimal": ";"},
                  {"delimiter": "\N{SECTION SIGN}"}):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(wrong))):
            text_options(**wrong)
    for wrong in ({"encoding": 8}, {"header": "a,b"}, {"header": [1]}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            text_options(**wrong)
    assert (
        text_options(delimiter="\\t")
        == text_options(delimiter="tab")
        == TextOptions(delimiter="\t")
    )


def test_compare_reads_each_file_in_its_own_dialect(tmp_path):
    (tmp_path / "a.csv").write_text("label;prob_a;prob_b\na;0,5;0,5\nb;0,75;0,25\n")
    (tmp_path / "b.csv").write_text("label,prob_a,prob_b\na,.5,.5\nb,.75,.25\n")
    assert compare(tmp_path / "a.csv", tmp_path / "b.csv", bootstrap=0).difference == 0
    refuse = {"delimiter": ";", "bootstrap": 0}
    with pytest.raises(TableError, match=r"b\.csv"):
        compare(tmp_path / "a.csv", tmp_path / "b.csv", **refuse)


PIECES = st.sampled_from([
    b",", b";", b"\t", b"|", b" ", b"\n", b"\r", b'"', b"'", b"#", b"sep=", b"label", b"prob_a",
    b"0", b"0.5", b"0,5", b"1.234,5", b"[", b"]", b"(", b"array(", b"np.float64(", b"...", b"nan",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\xe9", b"\\",
])  # fmt: skip


@given(st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=200), st.booleans())
def test_a_head_gives_a_dialect_or_a_sentence(head, whole):
    try:
        found = find_dialect("t.csv", head, whole, TextOptions())
    except TableError as error:
        found = str(error)
    assert isinstance(found, Dialect) or (found.startswith("t.csv") and "\n" not in found)


@pytest.mark.parametrize(
    "head",
    [b"1," * (1 << 19), b'"' * (1 << 20), b'a\n"[' + b"1," * 20_000 + b'x]"\n', b"[ " * (1 << 19),
     b"a\n" + b"array(" * 10_000, b"a\n[1]" + b", a=a" * 10_000 + b"x\n", b";," * (1 << 19)],
)  # fmt: skip
def test_a_long_head_takes_no_longer_than_its_length(head):
    # A pattern that tries everything would not end.
    with contextlib.suppress(TableError):
        find_dialect("t.csv", head, False, TextOptions())
