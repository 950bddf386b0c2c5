"""Forms in which losses and models are commonly written: class names, named layers, noqa."""

import pytest

from plogq.doctor import check, check_code
from plogq.doctor.losses import KERAS_CLASSES, LOSSES, TORCH_CLASSES

PROBABILITIES = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
NAMED = """\
from collections import OrderedDict
from torch import nn

net = nn.Sequential(OrderedDict([("fc", nn.Linear(8, 3)), ("last", {last})]))
criterion = nn.CrossEntropyLoss()


def step(x, y):
    return criterion(net(x), y)
"""
IN_MATCH = """\
import torch.nn.functional as F


def step(x, y, kind):
    match kind:
        case "one":
            return F.cross_entropy(F.softmax(x, 1), y)
        case _:
            return 0.0{comment}
"""


@pytest.mark.parametrize("name", [*TORCH_CLASSES, *KERAS_CLASSES])
def test_a_class_is_another_name_of_its_function(name):
    function = {**TORCH_CLASSES, **KERAS_CLASSES}[name]
    framework = "torch" if name in TORCH_CLASSES else "keras"
    assert function in LOSSES[framework]
    given = (PROBABILITIES, [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert check(*given, name, framework) == check(*given, function, framework)


def codes(folder, text):
    path = folder / "train.py"
    path.write_text(text)
    return [finding.code for finding in check_code(path).findings]


def test_layers_with_names(tmp_path):
    assert codes(tmp_path, NAMED.format(last="nn.Softmax(dim=1)")) == ["PQ301"]
    assert codes(tmp_path, NAMED.format(last="nn.ReLU()")) == []


def test_a_comment_at_the_end_of_a_match_is_not_about_what_is_inside(tmp_path):
    assert codes(tmp_path, IN_MATCH.format(comment="  # noqa")) == ["PQ301"]
    assert codes(tmp_path, IN_MATCH.replace("), y)", "), y)  # noqa").format(comment="")) == []
