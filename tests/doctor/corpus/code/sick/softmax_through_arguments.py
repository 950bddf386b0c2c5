# expect: PQ301
import torch
import torch.nn.functional as F


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(8, 3)

    def forward(self, x):
        x = self.fc(x)
        return F.softmax(x, dim=1)


def train(model, loader, criterion, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()


def main():
    model = Classifier().to("cuda")
    train(model, loaders(), torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()))


main()
