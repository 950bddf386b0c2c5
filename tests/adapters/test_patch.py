"""A patched model has the loss and the gradient of its own code, and never computes its logits."""

import copy
import inspect
import pickle
import types

import peft
import pytest
import torch
import transformers
from torch import nn

from plogq.adapters.lazy_logits import LazyLogits
from plogq.huggingface import patch, unpatch
from plogq.torch.engines import ENGINES
from tests.adapters.tiny_models import MODELS, SIZES, VOCABULARY, tiny_batch, tiny_model

pytestmark = pytest.mark.filterwarnings("ignore")  # transformers and torch warn of their own
BATCH = tiny_batch()


def step(model, **inputs):
    """One step's output and gradients, by name."""
    torch.manual_seed(5)  # of dropout
    model.zero_grad()
    output = model(**inputs)
    output.loss.backward()
    return output, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def assert_same_step(model, tolerance=2e-6, **inputs):
    """Patch a model, and compare a step before and after."""
    inputs = BATCH | inputs
    before, gradients = step(model, **inputs)
    gradients = {name: each.clone() for name, each in gradients.items()}
    after, found = step(patch(model), **inputs)
    assert isinstance(after.logits, LazyLogits)
    assert after.logits.shape == before.logits.shape
    torch.testing.assert_close(after.logits.compute(), before.logits)
    assert after.loss.dtype == torch.float32
    assert after.loss.item() == pytest.approx(before.loss.item(), rel=tolerance)
    assert found.keys() == gradients.keys()
    scale = max(each.abs().max().item() for each in gradients.values())
    for name, each in gradients.items():
        torch.testing.assert_close(found[name], each, atol=tolerance * scale, rtol=1e-4, msg=name)
    return after


@pytest.mark.matrix
@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradient_are_the_models_own(name):
    assert_same_step(tiny_model(name))


@pytest.mark.parametrize("name", ["Gemma2ForCausalLM", "GraniteForCausalLM", "MixtralForCausalLM"])
def test_what_is_done_to_logits_counts(name):
    """The models of the tests would have another loss without their softcap, scale or experts.

    tdrussell/qlora-pipe#18: Gemma was trained without its softcap.
    """
    off = {
        "Gemma2ForCausalLM": {"final_logit_softcapping": None},
        "GraniteForCausalLM": {"logits_scaling": 1.0},
        "MixtralForCausalLM": {"output_router_logits": False},
    }[name]
    a, b = (tiny_model(name, **changes)(**BATCH).loss.item() for changes in ({}, off))
    assert abs(a - b) > 1e-3


@pytest.mark.parametrize("count", [17, torch.tensor(17)])
def test_the_divisor_of_accumulated_batches(count):
    """linkedin/Liger-Kernel#802: the loss was as many times too large as there were batches."""
    output = assert_same_step(tiny_model(), num_items_in_batch=count)
    alone = patch(tiny_model())(**BATCH).loss
    kept = (BATCH["labels"][:, 1:] != -100).sum()
    torch.testing.assert_close(output.loss * 17, alone * kept)


def test_labels_that_are_shifted_already():
    """huggingface/trl#5575: trainers give both, and `shift_labels` counts."""
    shifted = torch.roll(BATCH["labels"], -1, 1)
    shifted[:, -1] = torch.tensor([5, -100])  # what follows, of another rank: no roll of ours
    assert_same_step(tiny_model(), shift_labels=shifted)
    assert_same_step(tiny_model(), shift_labels=shifted, num_items_in_batch=17)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_dtypes(dtype):
    """Against the truth in float64, half precision errs no more than the model's own way."""
    truth = tiny_model().double().to(dtype).double()(**BATCH).loss.item()
    theirs = tiny_model().to(dtype)(**BATCH).loss.item()
    output, gradients = step(patch(tiny_model().to(dtype)), **BATCH)
    assert abs(output.loss.item() - truth) <= 1.1 * abs(theirs - truth) + 1e-6
    assert {each.dtype for each in gradients.values()} == {dtype}


def test_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        assert_same_step(tiny_model(), tolerance=1e-2)


@pytest.mark.parametrize("name", ["LlamaForCausalLM", "MixtralForCausalLM"])
def test_a_batch_without_labels_left_keeps_its_graph(name):
    """Where every label is left out, a mean is 0, not NaN; and with a count given, as before."""
    nothing = torch.full_like(BATCH["labels"], -100)
    model = tiny_model(name)
    assert not model(**BATCH | {"labels": nothing}).loss.isfinite()
    output, gradients = step(patch(model), **BATCH | {"labels": nothing})
    assert output.loss.isfinite()
    assert gradients["lm_head.weight"].abs().max() == 0
    assert_same_step(tiny_model(), labels=nothing, num_items_in_batch=torch.tensor(40))


def test_evaluation_and_generation_are_untouched():
    model, ids = tiny_model().eval(), BATCH["input_ids"]
    before = model(**BATCH), model.generate(ids, max_new_tokens=4, do_sample=False)
    patch(model)
    after = model(**BATCH), model.generate(ids, max_new_tokens=4, do_sample=False)
    assert torch.equal(before[0].logits, after[0].logits)
    assert torch.equal(before[0].loss, after[0].loss)
    assert torch.equal(before[1], after[1])
    assert isinstance(model.train()(input_ids=ids).logits, torch.Tensor)  # no labels, no loss


def test_tuples_and_labels_by_position():
    model = patch(tiny_model())
    loss, logits, *_ = model(**BATCH, return_dict=False)
    assert isinstance(logits, LazyLogits)
    names = list(inspect.signature(model.forward).parameters)
    given = [BATCH.get(name) for name in names[: names.index("labels") + 1]]
    by_position = model(*given)
    assert isinstance(by_position.logits, LazyLogits)
    assert torch.equal(by_position.loss, loss)


def test_gradient_checkpointing():
    model = tiny_model()
    model.gradient_checkpointing_enable()
    assert_same_step(model)


def test_an_instance_alone_changes():
    one, other = patch(tiny_model()), tiny_model()
    assert type(other) is transformers.LlamaForCausalLM
    assert isinstance(other(**BATCH).logits, torch.Tensor)
    assert isinstance(one, transformers.LlamaForCausalLM)
    assert type(one).__name__ == "LlamaForCausalLM"
    assert inspect.signature(one.forward) == inspect.signature(other.forward)
    assert one.state_dict().keys() == other.state_dict().keys()
    assert vars(one).keys() == vars(other).keys()
    one(**BATCH)
    assert "forward" not in vars(one.lm_head)
    assert type(unpatch(one)) is transformers.LlamaForCausalLM
    assert isinstance(one(**BATCH).logits, torch.Tensor)


def test_an_error_in_the_forward_leaves_the_head_as_it_was():
    model = patch(tiny_model())
    with pytest.raises(ValueError, match="must be"):
        model(input_ids=BATCH["input_ids"], labels=BATCH["labels"] + VOCABULARY)
    assert "forward" not in vars(model.lm_head)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("name", ["LlamaForCausalLM", "GPT2LMHeadModel"])
def test_copies_are_patched_and_apart(name, again):
    model = patch(tiny_model(name, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0))
    before, other = model(**BATCH).loss, again(model)
    assert type(other) is type(model)
    head = other.get_output_embeddings().weight
    tied = name == "GPT2LMHeadModel"
    assert (head is other.get_input_embeddings().weight) == tied
    output = other(**BATCH)
    assert isinstance(output.logits, LazyLogits)
    assert torch.equal(output.loss, before)
    with torch.no_grad():
        head.zero_()
    assert torch.equal(model(**BATCH).loss, before)
    assert not torch.equal(other(**BATCH).loss, before)


def test_files_are_the_models_own(tmp_path):
    model = patch(tiny_model())
    model.save_pretrained(tmp_path)
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(again) is transformers.LlamaForCausalLM
    assert again.config.architectures == ["LlamaForCausalLM"]
    torch.testing.assert_close(again.state_dict(), model.state_dict())


@pytest.mark.slow
def test_a_patched_model_compiles():
    model = tiny_model("Gemma2ForCausalLM")
    before, gradients = step(model, **BATCH)
    gradients = [each.clone() for each in gradients.values()]
    compiled = torch.compile(patch(model), backend="aot_eager")
    for _ in range(2):
        with ENGINES.seen() as seen:
            after, found = step(compiled, **BATCH)
        assert seen == ["native"]  # not the one that has all logits, as in a graph
        assert isinstance(after.logits, LazyLogits)
        torch.testing.assert_close(after.loss, before.loss)
        torch.testing.assert_close(list(found.values()), gradients)
        assert isinstance(compiled.eval()(**BATCH).logits, torch.Tensor)
        compiled.train()
    with pytest.raises(TypeError, match="before DDP, FSDP"):
        patch(torch.compile(tiny_model()))


LORA = {"r": 4, "target_modules": ["q_proj", "lm_head"], "init_lora_weights": False}
ADAPTERS = {
    "lora": LORA,
    "dropout": LORA | {"lora_dropout": 0.3},
    "bias": LORA | {"lora_bias": True, "use_rslora": True},
    "saved": {"r": 4, "target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
    "elsewhere": {"r": 4, "target_modules": ["q_proj"]},
}


def with_adapter(model, options):
    torch.manual_seed(3)
    return peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **options)).train()


@pytest.mark.parametrize("name", ADAPTERS)
def test_adapters_of_peft(name):
    """unslothai/unsloth#9331: where the head's matrix is read, its LoRA is not trained."""
    assert_same_step(with_adapter(tiny_model(), ADAPTERS[name]))


def test_adapters_of_a_scaled_head():
    assert_same_step(with_adapter(tiny_model("CohereForCausalLM"), LORA))


def test_adapters_that_come_later_or_are_switched():
    before, gradients = step(with_adapter(tiny_model(), LORA), **BATCH)
    assert gradients["base_model.model.lm_head.lora_B.default.weight"].abs().max() > 0
    model = with_adapter(patch(tiny_model()), LORA)
    torch.testing.assert_close(model(**BATCH).loss, before.loss)
    plain = tiny_model()(**BATCH).loss
    with model.disable_adapter():
        torch.testing.assert_close(model(**BATCH).loss, plain)
    assert isinstance(unpatch(model)(**BATCH).logits, torch.Tensor)
    assert isinstance(patch(model).merge_and_unload()(**BATCH).logits, LazyLogits)


def test_a_prompt_that_is_learnt():
    config = peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")
    model = peft.get_peft_model(tiny_model(), config)
    before, _ = step(model, **BATCH)
    after, _ = step(patch(model), **BATCH)
    assert isinstance(after.logits, LazyLogits)
    torch.testing.assert_close(after.loss, before.loss)


@pytest.mark.parametrize("kind", ["BertForMaskedLM", "T5ForConditionalGeneration",
                                  "BartForConditionalGeneration"])  # fmt: skip
def test_models_that_are_not_causal_but_have_a_head(kind):
    own = {
        "BertForMaskedLM": SIZES,
        "T5ForConditionalGeneration": {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1,
                                       "num_heads": 2, "decoder_start_token_id": 0},
        "BartForConditionalGeneration": {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
                                         "encoder_attention_heads": 2, "encoder_ffn_dim": 16,
                                         "decoder_attention_heads": 2, "decoder_ffn_dim": 16},
    }[kind]  # fmt: skip
    cls = getattr(transformers, kind)
    torch.manual_seed(0)
    model = cls(cls.config_class(**own | {"vocab_size": VOCABULARY}))
    if kind == "BartForConditionalGeneration":
        model.final_logits_bias = torch.randn(1, VOCABULARY)
    assert_same_step(model.train())


# What is refused.


class OwnLogits(transformers.LlamaForCausalLM):
    def forward(self, input_ids=None, labels=None):
        hidden = self.model(input_ids).last_hidden_state
        logits = hidden @ self.lm_head.weight.t()
        loss = self.loss_function(logits, labels, VOCABULARY)
        return transformers.modeling_outputs.CausalLMOutput(loss=loss, logits=logits)


def with_own(model, name, value):
    setattr(model, name, value)
    return model


def compiled_in_place(model):
    model.compile()
    return model


class Quantised(nn.Linear):
    def forward(self, x):
        return super().forward(x.round())


LIGER = {"__name__": "liger_kernel.transformers.model.llama"}
exec("def lce_forward(self, input_ids=None, labels=None): ...", LIGER)
liger_forward = LIGER["lce_forward"]

REFUSED = {
    "twice": (lambda: patch(tiny_model()), "patched once"),
    "no head": (
        lambda: transformers.LlamaModel(tiny_model().config),
        "take labels and give a loss; got LlamaModel",
    ),
    "an encoder": (
        lambda: transformers.BertForSequenceClassification(transformers.BertConfig(**SIZES)),
        "have a head over the vocabulary; got BertForSequenceClassification, which has none",
    ),
    "a plain module": (lambda: nn.Linear(2, 2), "be a model of transformers.*got Linear"),
    "nothing": (lambda: None, "be a model of transformers.*got NoneType"),
    "wrapped": (lambda: nn.DataParallel(tiny_model()), "before DDP.*got DataParallel"),
    "compiled": (lambda: compiled_in_place(tiny_model()), "before it is compiled"),
    "another head": (
        lambda: with_own(tiny_model(), "lm_head", nn.Sequential(nn.Tanh())),
        "a head that is an nn.Linear; got a Sequential",
    ),
    "quantised": (
        lambda: with_own(tiny_model(), "lm_head", Quantised(16, VOCABULARY)),
        "plain nn.Linear; got a Quantised",
    ),
    "another library": (
        lambda: with_own(m := tiny_model(), "forward", types.MethodType(liger_forward, m)),
        "another library put there; got one of liger_kernel.transformers.model.llama",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    make, expected = REFUSED[name]
    model = make()
    with pytest.raises(TypeError, match=f"model must .*{expected}"):
        patch(model)


def test_a_class_whose_forward_was_replaced_is_refused(monkeypatch):
    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", liger_forward)
    with pytest.raises(TypeError, match="liger_kernel"):
        patch(tiny_model())


def test_a_model_that_computes_its_logits_itself_is_refused_in_training():
    model = patch(OwnLogits(tiny_model().config).train())
    with pytest.raises(TypeError, match="model must give the logits of its head"):
        model(**BATCH)


def test_an_adapter_that_reads_the_matrix_is_refused_in_training():
    model = patch(with_adapter(tiny_model(), LORA | {"use_dora": True}))
    with pytest.raises(AttributeError, match="logits must be left to the loss"):
        model(**BATCH)


def test_only_what_is_patched_is_unpatched():
    with pytest.raises(TypeError, match=r"one that plogq.huggingface.patch was given"):
        unpatch(tiny_model())
