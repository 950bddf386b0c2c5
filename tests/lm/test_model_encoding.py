"""How much text each token stands for: of the text as it was, whatever the tokenizer does to it."""

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from plogq.errors import TableError
from plogq.lm import score_model
from plogq.lm.documents import Remarks
from plogq.lm.from_model.encoding import PART, Encoder
from tests.lm.models import tiny, tokenizer


def encoded(text, words=None, vocabulary=None):
    remarks = Remarks()
    found = Encoder(words or tokenizer(), vocabulary, remarks).encode("doc", text)
    return found, {code for code, _, _ in remarks.items()}


def fast(model, **parts):
    """Return a tokenizer of a model and its parts."""
    inner = Tokenizer(model)
    for name, part in parts.items():
        setattr(inner, name, part)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>")


def of_pieces(**parts):
    """Return a tokenizer of the kind of SentencePiece: blanks are ▁, and what it lacks is bytes."""
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    vocabulary = {name: i for i, name in enumerate(["<unk>", *bytes_, "▁", "a", "b", "▁a"])}
    space = pre_tokenizers.Metaspace(prepend_scheme="always")
    byte = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    model = models.BPE(vocabulary, [("▁", "a")], byte_fallback=True, unk_token="<unk>")
    return fast(model, pre_tokenizer=space, decoder=byte, **parts)


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_all_of_the_text_is_counted(text):
    for words in (tokenizer(), of_pieces()):
        found, _ = encoded(text, words)
        assert int(found.bytes.sum()) == len(text.encode())
        assert int(found.characters.sum()) == len(text)
        assert int(found.words.sum()) == len(text.split())
        assert min(found.bytes.min(), found.characters.min(), found.words.min()) >= 0
        assert len(found.texts) == len(found.ids)
    assert not encoded(text)[1] - {"marks_in_text"}


def test_parts_of_a_character_have_their_bytes():
    found, said = encoded("a😀é b")
    assert found.bytes.tolist() == [1] * 9
    assert found.characters.tolist() == [1, 0, 0, 0, 1, 0, 1, 1, 1]
    assert found.words.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 1]
    assert found.texts == ["a", *[PART] * 6, " ", "b"]
    assert said == set()


def test_bytes_of_pieces():
    found, said = encoded("a é", of_pieces())
    assert found.bytes.tolist() == [1, 1, 1, 1]  # ▁a, ▁, and the two bytes of é
    assert (found.texts, said) == (["a", " ", PART, PART], set())


@pytest.mark.parametrize(
    ("text", "bytes_", "texts"),
    [
        ("b a", [0, 1, 2], ["", "b", " a"]),
        ("é", [0, 1, 1], ["", PART, PART]),
        (" b", [1, 1], [" ", "b"]),
        ("", [], []),
    ],
)
def test_a_blank_that_is_put_before_a_text_is_no_text(text, bytes_, texts):
    found, _ = encoded(text, of_pieces())
    assert (found.bytes.tolist(), found.texts) == (bytes_, texts)
    assert int(found.characters.sum()) == len(text)


def test_a_first_token_without_context_leaves_out_its_own_bytes():
    result = score_model(tiny(), tokenizer(), ["😀"])
    assert (result.unscored.tokens, result.unscored.bytes, result.bytes) == (1, 1, 3)


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "\ufeffa", "\x00a", "  a  ", "\n", "a\u3000b"])
def test_white_space_and_marks_are_text(text):
    found, said = encoded(text)
    assert (int(found.bytes.sum()), said) == (len(text.encode()), set())


def test_a_tokenizer_that_changes_the_text_is_said():
    words = fast(models.BPE({c: i for i, c in enumerate("<unk>abcdef")}, []))
    words.backend_tokenizer.normalizer = normalizers.Lowercase()
    words.backend_tokenizer.decoder = decoders.Fuse()
    found, said = encoded("ABC", words)
    assert (found.bytes.tolist(), said) == ([1, 1, 1], {"lossy_tokenizer"})
    assert encoded("abc", words)[1] == set()


def test_a_decomposed_character_keeps_its_bytes():
    words = tokenizer()
    words.backend_tokenizer.normalizer = normalizers.NFC()
    found, said = encoded("xe\u0301y", words)  # é as two characters, three bytes
    assert (int(found.bytes.sum()), said) == (5, {"lossy_tokenizer"})
    assert found.bytes[0] == 1


def test_unknown_words_are_said():
    words = fast(
        models.WordLevel({"<unk>": 0, "a": 1, "b": 2}, unk_token="<unk>"),
        pre_tokenizer=pre_tokenizers.WhitespaceSplit(),
    )
    found, said = encoded("a héé b  ", words)
    assert found.bytes.tolist() == [1, 6, 4]  # what is dropped is of the next token, or the last
    assert found.texts == ["a", " héé", " b  "]
    assert said == {"unknown_tokens"}


def test_a_text_without_tokens_is_left_out():
    words = fast(
        models.WordLevel({"<unk>": 0, "a": 1}, unk_token="<unk>"),
        pre_tokenizer=pre_tokenizers.WhitespaceSplit(),
    )
    result = score_model(tiny(), words, ["  ", "a a"])
    assert (result.documents, result.tokens, result.bytes) == (1, 1, 2)
    assert "no_tokens" in {each.code for each in result.warnings}
    with pytest.raises(TableError, match="the tokenizer makes no token of any text"):
        score_model(tiny(), words, ["  "])


def test_the_name_of_a_special_token_in_a_text_is_said():
    found, said = encoded("a</s>b")
    assert (found.ids[1], found.bytes.tolist(), said) == (1, [1, 4, 1], {"marks_in_text"})
    same = tokenizer()
    same.unk_token = "</s>"  # as GPT-2 has one token for all
    assert encoded("a</s>b", same)[1] == {"marks_in_text"}


@pytest.mark.parametrize(("bos", "eos"), [(False, False), (True, False), (True, True)])
def test_what_a_tokenizer_puts_around_a_text(bos, eos):
    around = Encoder(tokenizer(bos=bos, eos=eos), None, Remarks()).around()
    assert around == ((0,) * bos, (1,) * eos)


def test_trimmed_offsets():
    words = tokenizer()
    words.backend_tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    found, said = encoded(" ab  cd ", words)
    assert (int(found.bytes.sum()), said) == (8, set())


def test_truncation_that_a_tokenizer_was_saved_with_is_off():
    words = tokenizer()
    words.backend_tokenizer.enable_truncation(2)
    assert len(encoded("abcdefgh", words)[0].ids) > 2


def test_a_token_beyond_the_vocabulary():
    said = "tokenizer must fit the model, whose vocabulary has 9 tokens; got token .* in document"
    with pytest.raises(TableError, match=said):
        encoded("abc", vocabulary=9)
    with pytest.raises(TableError, match="whose vocabulary has 300 tokens"):
        score_model(tiny(vocab_size=300), tokenizer(), ["the name of the function"])


class Slow:
    """A tokenizer that does not know where its tokens are."""

    is_fast = False

    def __init__(self, lossy=False):
        self.lossy = lossy

    def __call__(self, text, **options):
        return {"input_ids": [5 + ord(c) % 128 for c in text]}

    def decode(self, ids, **options):
        return "".join("?" if self.lossy else chr(i - 5) for i in ids)


def test_a_tokenizer_without_offsets():
    found, said = encoded("ab c", Slow())
    assert (found.texts, found.bytes.tolist(), said) == (list("ab c"), [1, 1, 1, 1], set())
    with pytest.raises(TableError, match="say which part of a text a token is, as a fast one does"):
        encoded("ab c", Slow(lossy=True))
