# Whether there is a softmax is not known here.
import torch.nn as nn


class Net(nn.Module):
    def __init__(self, probabilities=False):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        if probabilities:
            self.last = nn.Softmax(dim=1)
        else:
            self.last = nn.Identity()

    def forward(self, x):
        return self.last(self.fc(x))


loss = nn.CrossEntropyLoss()(Net()(x), y)
