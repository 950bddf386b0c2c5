"""torch.compile, models of transformers and real vocabularies: what takes seconds."""

import torch
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh

import plogq.torch as pt
from plogq.torch import parallel
from tests.torch.parallel.peer_cases import HIDDEN, LABELS, MATRIX
from tests.torch.parallel.processes import Cases

CASES = Cases()


@CASES
def between_compiled_graphs(here):
    """torch.compile leaves the loss out, with a reason, and compiles what is around it."""
    matrix = here.part(MATRIX, 0).requires_grad_()

    def step(hidden):
        return 2 * parallel.linear_cross_entropy(torch.tanh(hidden), matrix, LABELS)

    found, right = HIDDEN.clone().requires_grad_(), HIDDEN.clone().requires_grad_()
    loss = torch.compile(step, backend="aot_eager")(found)
    expected = 2 * pt.linear_cross_entropy(torch.tanh(right), MATRIX, LABELS)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(found.grad, right.grad)

    def whole(hidden):
        return 3 * parallel.linear_cross_entropy(hidden, matrix, LABELS)

    try:
        torch.compile(whole, fullgraph=True, backend="eager")(found)
    except Exception as error:
        assert "the ranks exchange their sums between the graphs" in str(error)  # noqa: PT017
    else:
        raise AssertionError


@CASES
def real_vocabularies(here):
    """Of Qwen, GPT-2, Llama with a token more, and Megatron's GPT-2 with padding to 128 by 2."""
    for classes, padded in ((151_936,) * 2, (50_257,) * 2, (32_001,) * 2, (50_257, 50_432)):
        x = torch.randn(6, padded, generator=torch.Generator().manual_seed(classes)) * 4
        y = torch.tensor([0, classes - 1, classes // here.size, -100, classes // 2, 17])
        own = torch.tensor_split(x, here.size, 1)[here.rank].bfloat16().requires_grad_()
        whole = x[:, :classes].bfloat16().double().requires_grad_()
        for options in ({}, {"label_smoothing": 0.1, "z_loss": 1e-4}, {"gamma": 2.0}):
            own.grad = whole.grad = None
            found = parallel.cross_entropy(own, y, vocab=classes, **options)
            right = pt.cross_entropy(whole, y, **options)
            found.backward()
            right.backward()
            torch.testing.assert_close(found.double(), right, rtol=2e-6, atol=0)
            grad = torch.nn.functional.pad(whole.grad, (0, padded - classes))
            grad = torch.tensor_split(grad, here.size, 1)[here.rank]
            error = (own.grad.double() - grad).abs()
            assert (error <= 2**-8 * grad.abs() + 1e-9).all()


@CASES
def a_model_of_transformers(here):
    """Its body is whole on each rank, and its head a DTensor: the step of the model's own loss."""
    from transformers import AutoModelForCausalLM, Gemma2Config, GemmaConfig, LlamaConfig

    sizes = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "head_dim": 8,
        "num_attention_heads": 2, "num_key_value_heads": 2, "pad_token_id": 0,
    }  # fmt: skip
    mesh = init_device_mesh("cpu", (here.size,))
    for config in (LlamaConfig, GemmaConfig, Gemma2Config):  # the last has a softcap
        torch.manual_seed(3)
        model = AutoModelForCausalLM.from_config(
            config(vocab_size=1001, tie_word_embeddings=False, **sizes)
        ).train()
        ids = torch.randint(1, 1001, (2, 9))
        labels = ids.clone()
        labels[1, 5:] = -100
        right = model(input_ids=ids, labels=labels).loss
        right.backward()
        expected = {name: p.grad for name, p in model.named_parameters()}
        model.zero_grad()
        head = distribute_tensor(model.lm_head.weight.detach(), mesh, [Shard(0)]).requires_grad_()
        hidden = model.model(input_ids=ids).last_hidden_state
        softcap = getattr(model.config, "final_logit_softcapping", None)
        found = parallel.linear_cross_entropy(hidden, head, labels, shift=True, softcap=softcap)
        found.backward()
        torch.testing.assert_close(found, right)
        torch.testing.assert_close(head.grad.full_tensor(), expected.pop("lm_head.weight"))
        own = {n: p.grad for n, p in model.named_parameters() if n != "lm_head.weight"}
        torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-6)
        assert (softcap is not None) == (config is Gemma2Config)
