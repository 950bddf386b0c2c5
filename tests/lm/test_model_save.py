"""A run that is stopped at any moment goes on where it was, to the same bits."""

import json
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from plogq.errors import TableError
from plogq.lm import score_model, score_tokens
from plogq.lm.from_model import saved
from tests.lm.models import library, tiny, tokenizer

SOURCE = library(1).popitem()[1]
TEXTS = {"a": SOURCE[:700], "b": "", "c": SOURCE[700:760], "d": "x", "e": SOURCE[1000:1500]}
# A part is written after each chunk.
OPTIONS = {"context": 16, "stride": 5, "batch_tokens": 32, "save_every": 0}


class StoppedError(Exception):
    pass


def stopped_after(chunks):
    """Return a progress that stops a run when so many batches were told."""
    told = []

    def progress(done, total):
        told.append(done)
        if len(told) > chunks:
            raise StoppedError

    return progress


@pytest.mark.parametrize("bos", [True, False])
@pytest.mark.parametrize("after", [0, 3, 9, 14, 25, 40])
def test_a_stopped_run_goes_on(bos, after, tmp_path):
    model, words = tiny(), tokenizer(bos=bos)
    whole = score_model(model, words, TEXTS, save=tmp_path / "whole.parquet", **OPTIONS)
    path = tmp_path / "t.parquet"
    with pytest.raises(StoppedError):
        score_model(model, words, TEXTS, save=path, progress=stopped_after(after), **OPTIONS)
    assert not path.exists()
    told = []
    again = score_model(model, words, TEXTS, save=path, progress=lambda *x: told.append(x),
                        **OPTIONS)  # fmt: skip
    assert again == whole
    assert pq.read_table(path).equals(pq.read_table(tmp_path / "whole.parquet"))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["t.parquet", "whole.parquet"]
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize("stop", [StoppedError, KeyboardInterrupt])
def test_what_was_scored_when_a_run_stops_is_kept(stop, tmp_path):
    model, words, path = tiny(), tokenizer(), tmp_path / "t.parquet"
    told = []

    def progress(done, total):
        told.append(done)
        if len(told) > 20:
            raise stop

    with pytest.raises(stop):
        score_model(
            model, words, TEXTS, save=path, progress=progress, **OPTIONS | {"save_every": 1e9}
        )
    kept = sum(pq.read_metadata(part).num_rows for part in tmp_path.glob("*.part/*.parquet"))
    assert kept > 0
    again = score_model(model, words, TEXTS, save=path, **OPTIONS)
    assert again == score_model(model, words, TEXTS, **OPTIONS)


def test_what_is_saved_is_not_scored_again(tmp_path, monkeypatch):
    model, words, path = tiny(), tokenizer(), tmp_path / "t.parquet"
    first = score_model(model, words, TEXTS, save=path, **OPTIONS)
    monkeypatch.setattr(type(model), "forward", None)  # a model that cannot be called
    assert score_model(model, words, TEXTS, save=path, **OPTIONS) == first


def test_a_run_goes_on_with_smaller_batches(tmp_path):
    """As after a run that had no memory left."""
    model, words, path = tiny(), tokenizer(), tmp_path / "t.parquet"
    with pytest.raises(StoppedError):
        score_model(model, words, TEXTS, save=path, progress=stopped_after(20), **OPTIONS)
    other = OPTIONS | {"batch_tokens": 16}
    result = score_model(model, words, TEXTS, save=path, **other)
    whole = score_model(model, words, TEXTS, **OPTIONS)
    assert result.tokens == whole.tokens
    assert result.surprisal == pytest.approx(whole.surprisal, rel=1e-8)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"context": 17}, "context 16"),
        ({"stride": 4}, "stride 5"),
        ({"bos": "yes"}, r"prefix \[\]"),
        ({"texts": TEXTS | {"z": "more"}}, "another texts"),
        ({"model": "Qwen2"}, "another model"),
        ({"double": True}, "dtype float32"),
    ],
)
def test_other_settings_do_not_go_on(change, said, tmp_path):
    model, words, path = tiny(), tokenizer(), tmp_path / "t.parquet"
    with pytest.raises(StoppedError):
        score_model(model, words, TEXTS, save=path, progress=stopped_after(20), **OPTIONS)
    change = dict(change)
    texts, name = change.pop("texts", TEXTS), change.pop("model", "Llama")
    model = tiny(name).double() if change.pop("double", False) else tiny(name)
    with pytest.raises(TableError, match=f"holds the beginning of a run with {said}"):
        score_model(model, words, texts, save=path, **OPTIONS | change)


def test_a_finished_file_of_other_settings_is_written_anew(tmp_path):
    model, words, path = tiny(), tokenizer(), tmp_path / "t.parquet"
    score_model(model, words, TEXTS, save=path, **OPTIONS)
    other = score_model(model, words, TEXTS, save=path, bos="yes", **OPTIONS)
    assert score_tokens(path).tokens == other.tokens


def test_names_that_cannot_be_written(tmp_path):
    def save(path):
        score_model(tiny(), tokenizer(), TEXTS, save=path)

    with pytest.raises(ValueError, match=r"save must end in .parquet; got t.csv"):
        save(tmp_path / "t.csv")
    with pytest.raises(OSError, match="there is no folder"):
        save(tmp_path / "none" / "t.parquet")


PROGRAM = """
import sys
from plogq.lm import score_model
from tests.lm import test_model_save as test
model, words = test.tiny(), test.tokenizer()
texts = {str(i): test.SOURCE[i : i + 400] for i in range(300)}
print("begins", flush=True)
result = score_model(model, words, texts, save=sys.argv[1], **test.OPTIONS)
print(result.surprisal)
"""


@pytest.mark.slow
def test_a_killed_process_goes_on(tmp_path):
    def start(path):
        command = [sys.executable, "-c", PROGRAM, str(path)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    whole, killed = start(tmp_path / "whole.parquet"), 0
    expected = whole.communicate(timeout=300)[0].split()[-1]
    path = tmp_path / "t.parquet"
    for wait in (0.4, 0.8, 1.2):
        process = start(path)
        assert process.stdout.readline() == "begins\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.stdout.close()
        for part in (tmp_path / "t.parquet.part").glob("[0-9]*.parquet"):
            assert pq.read_metadata(part).num_rows  # whole, whenever the kill came
    assert killed == 3
    process = start(path)
    assert process.communicate(timeout=300)[0].split()[-1] == expected
    assert pq.read_table(path).equals(pq.read_table(tmp_path / "whole.parquet"))


def test_the_settings_are_in_the_file(tmp_path):
    score_model(tiny(), tokenizer(bos=True), TEXTS, save=tmp_path / "t.parquet", **OPTIONS)
    found = json.loads(pq.read_schema(tmp_path / "t.parquet").metadata[saved.KEY])
    assert (found["context"], found["stride"], found["prefix"]) == (16, 5, [0])
