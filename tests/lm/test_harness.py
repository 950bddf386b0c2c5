"""Samples of lm-evaluation-harness: filters, and several tasks in a file."""

import pytest

from plogq.score import TableError
from tests.lm.records import codes, score_records


def sample(number, logprob, text="It snows.\n", counted=None, **more):
    found = {
        "doc_id": number,
        "arguments": {"gen_args_0": {"arg_0": text}},
        "resps": [[str(logprob)]],
        "filtered_resps": [str(logprob)],
        "filter": "none",
    }
    if counted is not None:
        found["byte_perplexity"] = [logprob, counted]
    return found | more


def test_a_document_under_two_filters_counts_once(tmp_path):
    records = [sample(i, -3.5, filter=name) for i in (0, 1) for name in ("strict", "loose")]
    result = score_records(tmp_path, *records)
    assert (result.documents, result.surprisal, result.bytes) == (2, 7.0, 20)
    said = [w for w in result.warnings if w.code == "other_filters"]
    assert len(said) == 1
    assert "under another filter than 'strict' are left out" in said[0].message
    assert said[0].rows == 2


def test_two_tasks_in_one_file(tmp_path):
    """Numbers begin anew: documents of the second task are named by it."""
    records = [sample(0, -100.5, counted=200), sample(1, -80.0, "Rain.", 120)]
    result = score_records(tmp_path, *records, sample(0, -20.0, counted=30))
    assert (result.documents, result.surprisal, result.bytes) == (3, 200.5, 350)
    assert {d.doc for d in result.worst_documents} == {"0", "1", "task 2: 0"}
    assert ("tasks", 1) in [(w.code, w.rows) for w in result.warnings]


def test_a_second_run_of_a_task_is_refused(tmp_path):
    """The same request once more, with a logprob that differs in its last digits."""
    with pytest.raises(TableError, match="line 3: document '0' comes back"):
        score_records(tmp_path, sample(0, -3.5), sample(1, -1.0, "b"), sample(0, -3.5000001))


def test_a_sample_without_arguments(tmp_path):
    record = sample(0, -3.5, counted=5)
    del record["arguments"]
    result = score_records(tmp_path, record)
    assert (result.bytes, result.surprisal) == (5, 3.5)
    assert codes(result) == []
