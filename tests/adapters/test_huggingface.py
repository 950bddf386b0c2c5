"""A Trainer of Hugging Face with a tiny model from its configuration: nothing is downloaded."""

import json

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    EvalPrediction,
    Trainer,
    TrainingArguments,
)

from plogq.huggingface import ScoreCallback, WatchCallback, compute_metrics
from plogq.score import Result, TableError, score

SMALL = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
         "intermediate_size": 16, "max_position_embeddings": 16, "num_labels": 3}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore")  # transformers and torch warn of their own


class Rows(torch.utils.data.Dataset):
    def __init__(self, rows, per_token):
        rng = torch.Generator().manual_seed(rows)
        self.ids = torch.randint(0, 30, (rows, 6), generator=rng)
        self.labels = self.ids % 3 if per_token else self.ids[:, 0] % 3
        if per_token:
            self.labels[:, -2:] = -100

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": self.labels[i]}


@pytest.mark.parametrize("per_token", [False, True])
def test_a_trainer_logs_figures_and_reports_are_kept(per_token, tmp_path):
    kind = BertForTokenClassification if per_token else BertForSequenceClassification
    keep = ScoreCallback(tmp_path / "reports", bootstrap=0)
    arguments = TrainingArguments(
        str(tmp_path / "run"), num_train_epochs=2, eval_strategy="epoch", report_to=[], seed=1,
        save_strategy="no", use_cpu=True, disable_tqdm=True, per_device_eval_batch_size=7,
    )  # fmt: skip
    trainer = Trainer(
        kind(BertConfig(**SMALL)), arguments, train_dataset=Rows(16, per_token),
        eval_dataset=Rows(40, per_token), compute_metrics=keep.compute_metrics, callbacks=[keep],
    )  # fmt: skip
    trainer.train()
    logged = [each for each in trainer.state.log_history if "eval_cross_entropy" in each]
    assert [each["step"] for each in logged] == list(keep.results) == [2, 4]
    for each in logged:
        result = keep.results[each["step"]]
        assert each["eval_cross_entropy"] == result.cross_entropy
        assert each["eval_accuracy"] == result.accuracy
        assert result.rows == (160 if per_token else 40)
        # The Trainer's own loss is a mean over batches, in float32.
        nats = result.cross_entropy * np.log(2)
        assert nats == pytest.approx(each["eval_loss"], abs=1e-2 if per_token else 1e-5)
    names = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert names == ["step-2.html", "step-2.json", "step-4.html", "step-4.json"]
    again = Result.read(json.loads((tmp_path / "reports" / "step-4.json").read_text()))
    assert again.cross_entropy == keep.results[4].cross_entropy


def test_the_function_alone():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(30, 3)).astype(np.float32), rng.integers(0, 3, 30)
    whole = score(y, logits=z, bootstrap=0, unit="nat")
    found = compute_metrics(EvalPrediction((z, z[:, :1]), y), ["cross_entropy"], unit="nat")
    assert found == {"cross_entropy": whole.cross_entropy}
    with pytest.raises(TableError, match="labels"):
        compute_metrics(EvalPrediction(z, np.full(30, 7)))


@pytest.mark.parametrize("per_token", [False, True])
def test_a_trainer_is_watched_and_learns_the_same(per_token, tmp_path):
    kind = BertForTokenClassification if per_token else BertForSequenceClassification

    def trained(*callbacks):
        torch.manual_seed(2)
        arguments = TrainingArguments(
            str(tmp_path / "run"), num_train_epochs=2, report_to=[], seed=1, save_strategy="no",
            use_cpu=True, disable_tqdm=True, logging_strategy="no", learning_rate=1e-3,
        )  # fmt: skip
        model = kind(BertConfig(**SMALL))
        Trainer(
            model, arguments, train_dataset=Rows(32, per_token), callbacks=list(callbacks)
        ).train()
        return model.state_dict()

    look = WatchCallback()
    watched, alone = trained(look), trained()
    assert all(torch.equal(watched[name], alone[name]) for name in alone)
    assert look.diagnosis.unread == ()
    assert look.diagnosis.findings == ()
    assert "8 updates of BertFor" in look.diagnosis.looked_at
