"""The list of public names, and what each of them has to have."""

import doctest
import inspect

import pytest

import plogq
from plogq import formulas
from tests.formulas.names import FUNCTIONS

# Those that a public name is defined in; all others only serve them.
MODULES = {inspect.getmodule(getattr(formulas, name)) for name in FUNCTIONS}


def test_all_is_every_public_name_that_is_defined_there():
    defined = {
        name
        for module in MODULES
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not module.__name__.rpartition(".")[2].startswith("_")
        and getattr(value, "__module__", None) == module.__name__
    }
    helpers = {"softmax_parts", "checked_logits", "Softmax", "check_unit", "one_of_units", "plural"}
    constants = {"NATS_PER_UNIT", "Unit", "ValueAndGrad"}
    assert set(formulas.__all__) == defined - helpers | constants


def test_plogq_has_them_all():
    assert set(formulas.__all__) <= set(plogq.__all__)
    for name in formulas.__all__:
        assert getattr(plogq, name) is getattr(formulas, name)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_has_an_example_that_computes_it(name):
    text = inspect.getdoc(getattr(formulas, name))
    examples = doctest.DocTestParser().get_examples(text)
    assert any(name in example.source for example in examples)
