"""What an expression is, and that what is not certain is not said."""

import ast
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.doctor.check import CODE, all_checks
from plogq.doctor.source.code import Code
from plogq.doctor.source.flow import Flow
from plogq.doctor.source.text import SourceText
from plogq.doctor.source.values import Tensor

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def last(text):
    """Give what the last expression of a text is."""
    tree = ast.parse(HEAD + text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    (use,) = (call for call in calls if getattr(call.func, "id", "") == "look")
    value = Flow(tree).value(use.args[0])
    return value.what if isinstance(value, Tensor) else None


CERTAIN = {
    "a method": "look(x.softmax(-1))",
    "an assignment": "p = F.softmax(x, 1)\nlook(p)",
    "two steps": "z = nn.Linear(2, 3)(x)\np = torch.softmax(z, 1)\nlook(p.float().view(-1, 3))",
    "a tuple": "a, b = x, F.softmax(x, 1)\nlook(b)",
    "a dictionary": 'd = {"a": x.softmax(1), "b": x}\nlook(d["a"])',
    "another name of a function": "from torch import softmax\ns = softmax\nlook(s(x, 1))",
    "bound again": "p = x\np = p.softmax(1)\nlook(p)",
    "a function": "def f(x):\n    return F.softmax(x, 1)\nlook(f(x))",
    "both branches": "def f(x):\n    if x:\n        return x.softmax(0)\n    return x.softmax(1)\n"
    "look(f(x))",
    "a conditional": "look(x.softmax(0) if x else x.softmax(1))",
    "inside a with": "with torch.no_grad():\n    p = x.softmax(1)\n    look(p)",
    "inside a loop": "for x in xs:\n    p = x.softmax(1)\n    look(p)",
    "inside a try": "try:\n    p = x.softmax(1)\n    look(p)\nexcept ValueError:\n    pass",
    "an argument": "def f(p):\n    look(p)\nf(x.softmax(1))",
    "an inherited method": "class A(nn.Module):\n    def forward(self, x):\n"
    "        return x.softmax(1)\nclass B(A):\n    pass\nlook(B()(x))",
    "a decorated function": "@torch.no_grad()\ndef f(x):\n    return x.softmax(1)\nlook(f(x))",
    "a lambda": "f = lambda x: x.softmax(1)\nlook(f(x))",
    "a compiled model": "look(torch.compile(nn.Sequential(nn.Softmax(1)).eval())(x))",
}
UNCERTAIN = {
    "one branch": "p = x\nif y:\n    p = x.softmax(1)\nlook(p)",
    "a later turn of the loop": "p = x.softmax(1)\nfor _ in y:\n    look(p)\n    p = f(p)",
    "after a loop": "p = x.softmax(1)\nfor _ in y:\n    p = f(p)\nlook(p)",
    "an except": "p = x.softmax(1)\ntry:\n    p = f()\nexcept ValueError:\n    look(p)",
    "added in place": "p = x.softmax(1)\np += 1\nlook(p)",
    "a global": "p = x.softmax(1)\ndef g():\n    global p\n    p = 1\nlook(p)",
    "two definitions of a module": "p = x.softmax(1)\ndef g():\n    look(p)\np = 1",
    "returns that differ": "def f(x):\n    if x:\n        return x\n    return x.softmax(1)\n"
    "look(f(x))",
    "a generator": "def f(x):\n    yield 1\n    return x.softmax(1)\nlook(f(x))",
    "a decorator of some kind": "@g\ndef f(x):\n    return x.softmax(1)\nlook(f(x))",
    "two calls": "def f(p):\n    look(p)\nf(x.softmax(1))\nf(x)",
    "a function that is handed on": "def f(p):\n    look(p)\nf(x.softmax(1))\ng(f)",
    "a shadowed module": "def f(F):\n    look(F.softmax(x, 1))",
    "a slice": "look(x.softmax(1)[:, 0])",
    "a comprehension's own name": "p = x.softmax(1)\n[look(p) for p in y]",
    "two assignments of an attribute": "class A(nn.Module):\n    def __init__(self):\n"
    "        self.a = nn.Softmax(1)\n    def g(self):\n        self.a = h\n"
    "    def forward(self, x):\n        return self.a(x)\nlook(A()(x))",
    "a dictionary that is changed": 'd = {"a": x.softmax(1)}\nd["a"] = x\nlook(d["a"])',
    "a list that is changed": "d = [x.softmax(1)]\nd.insert(0, x)\nlook(d[0])",
    "itself": "def f(x):\n    return f(x)\nlook(f(x))",
    "a name of a loop": "for p in x.softmax(1):\n    look(p)",
    "an import that may be another": "try:\n    from torch import softmax as s\n"
    "except ImportError:\n    from mine import softmax as s\nlook(s(x, 1))",
}


@pytest.mark.parametrize("name", CERTAIN)
def test_what_is_certain_is_followed(name):
    assert last(CERTAIN[name]) == "softmax"


@pytest.mark.parametrize("name", UNCERTAIN)
def test_what_is_not_certain_is_not_guessed(name):
    assert last(UNCERTAIN[name]) is None


LINES = st.sampled_from(
    ["p = x", "p = F.softmax(p, 1)", "p = torch.log(p)", "x = f(p)", "if x:", "else:",
     "for p in x:", "while p:", "def f(x, p=p):", "return p", "class A(nn.Module):", "self.p = p",
     "try:", "finally:", "with p as x:", "F.cross_entropy(p, x)", "lambda p: p", "[p for p in x]",
     "p = A()(p)", "p.compile(loss=p)", "import torch as p", "p /= len(x)", "del p", "yield p",
     "match p:", "case p:", "await p", "global p", "p, *x = p", "(p := x)"]
)  # fmt: skip


def program(lines):
    """Give the lines as a program: each is indented, and left out where it does not parse."""
    text, indent = HEAD, 0
    for line, out in lines:
        for less in range(out, indent + 1):
            at = indent - less
            more = f"{text}{'    ' * at}{line}\n"
            with contextlib.suppress(SyntaxError):
                ast.parse(more + "    " * (at + 1) + "pass\n" if line[-1] == ":" else more)
                text, indent = more, at + (line[-1] == ":")
                break
    return text + "    " * indent + "pass\n"


@given(st.lists(st.tuples(LINES, st.integers(0, 1)), max_size=20))
def test_any_code_is_read_without_an_error(lines):
    text = program(lines)
    code = Code(SourceText("t.py", text), ast.parse(text))
    for check in all_checks(CODE):
        list(check.find(code))
