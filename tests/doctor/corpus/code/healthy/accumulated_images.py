# Batches of images have equally many rows.
import torch.nn as nn

criterion = nn.CrossEntropyLoss()
for x, y in loader:
    (criterion(model(x), y) / accumulation_steps).backward()
