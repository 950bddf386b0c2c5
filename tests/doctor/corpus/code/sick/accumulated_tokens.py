# expect: PQ332
import torch.nn as nn

criterion = nn.CrossEntropyLoss(ignore_index=-100)
for i, (x, y) in enumerate(loader):
    logits = model(x)
    loss = criterion(logits.view(-1, vocabulary), y.view(-1))
    loss = loss / gradient_accumulation_steps
    loss.backward()
