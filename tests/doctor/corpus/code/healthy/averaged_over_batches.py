# The mean of means is divided by the batches.
import torch.nn as nn

criterion = nn.CrossEntropyLoss()
total = 0.0
for x, y in loader:
    loss = criterion(model(x), y)
    total += loss.item() * x.size(0)
print(total / len(loader.dataset))
