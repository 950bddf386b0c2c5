"""Loggers: TensorBoard's files are read; MLflow and W&B are stand-ins with the same signatures."""

import re

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from plogq.adapters.loggers import log_result
from plogq.compare import compare
from plogq.score import label_errors, score

rng = np.random.default_rng(0)
LABELS = [1, *rng.integers(0, 2, 60).tolist()]
PROBS = [[1.0, 0.0], *rng.dirichlet([1, 1], 60).tolist()]
RESULT = score(LABELS, PROBS, bootstrap=0)  # one row is impossible; every family is named
NUMBERS = {f"plogq/{name}": value for name, value in RESULT.metrics().items()}


def test_the_files_of_tensorboard_have_all_numbers_and_the_report(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        log_result(RESULT, writer, 7)
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    tags = read.Tags()
    assert set(tags["scalars"]) == set(NUMBERS)
    for name, value in NUMBERS.items():
        [event] = read.Scalars(name)
        assert (event.step, event.value) == (7, np.float32(value))
    [text] = read.Tensors("plogq/report/text_summary")
    assert b"Infinite: 1 row had a label of probability 0" in text.tensor_proto.string_val[0]


class Mlflow:
    """The functions of the module mlflow, by their signatures in MLflow 3."""

    def __init__(self):
        self.logged = []

    def log_metrics(self, metrics, step=None, synchronous=None, run_id=None, timestamp=None,
                    model_id=None, dataset=None):  # fmt: skip
        # The pattern of mlflow/utils/validation.py, which a real server holds names to.
        assert all(re.fullmatch(r"[/\w.\- :]*", name) for name in metrics)
        self.logged.append((metrics, step))

    def log_text(self, text, artifact_file, run_id=None):
        self.logged.append((text, artifact_file))


def test_mlflow_gets_the_numbers_and_the_report():
    mlflow = Mlflow()
    log_result(RESULT, mlflow, 3)
    numbers = {name.replace("temperature+base", "temperature_base"): value
               for name, value in NUMBERS.items()}  # fmt: skip
    assert mlflow.logged == [(numbers, 3), (RESULT.html(), "plogq/report-3.html")]
    assert len(numbers) == len(NUMBERS)


def test_every_kind_of_result_has_a_report_to_log():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    tables = [{"label": y, "probs": rng.dirichlet(np.ones(3) + 9 * np.eye(3)[k], 1).repeat(300, 0)}
              for k in range(3)]  # fmt: skip
    many = compare(*tables)
    for result in (many, label_errors(tables[0])):
        mlflow = Mlflow()
        log_result(result, mlflow)
        assert mlflow.logged[1] == (result.html(), "plogq/report.html")
    numbers = many.metrics()
    assert numbers["models.B.cross_entropy"] == many.models["B"].cross_entropy
    assert numbers["differences.A-C.interval.low"] == many.differences["A-C"].interval[0]


class Run:
    """A run of W&B, by the signature of `log` in wandb 0.2x."""

    def log(self, data, step=None, commit=None):
        self.logged = data, step


def test_wandb_gets_the_numbers():
    run, compared = Run(), compare({"probs": [[0.5, 0.5]], "label": [0]},
                                   {"probs": [[0.25, 0.75]], "label": [0]})  # fmt: skip
    log_result(compared, run, prefix="nightly")
    assert run.logged[0]["nightly/difference"] == -1
    assert run.logged[1] is None


def test_another_writer_is_refused():
    with pytest.raises(TypeError, match=r"writer must be a SummaryWriter .*; got list"):
        log_result(RESULT, [])
