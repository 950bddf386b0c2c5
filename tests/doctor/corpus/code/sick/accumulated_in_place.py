# expect: PQ332
import torch.nn.functional as F


def forward_backward(model, batch, args):
    logits = model(batch["input_ids"]).reshape(-1, args.vocab)
    loss = F.cross_entropy(logits, batch["labels"].reshape(-1))
    loss /= args.grad_accum
    loss.backward()
