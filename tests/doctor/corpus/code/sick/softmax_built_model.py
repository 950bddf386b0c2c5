# expect: PQ301
import torch
import torch.nn
import torch.nn.functional


def build(classes):
    layers = [torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, classes)]
    return torch.nn.Sequential(*layers, torch.nn.Softmax(dim=1))


def main():
    model = build(4)
    for x, y in batches():
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
