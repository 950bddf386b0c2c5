"""Look at every pair of arrays that a peer's losses are given in the peer's own tests.

`python docs/doctor/field_values.py optax` (or keras, torch or sklearn) prints each finding with the
test it came from; which are true and which are false, read by hand, is in `field-test.md`. torch's
package has no tests, but the inputs of those of its losses. With scikit-learn, what is looked at is
what its models say of its data.
"""

import functools
import importlib
import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plogq.doctor import check
from plogq.doctor.losses import LOSSES

# By peer: the framework, the module of its losses, and its tests.
PEERS = {
    "optax": (
        "jax",
        "optax.losses",
        ("losses/_classification_test.py", "losses/_regression_test.py",
         "losses/_smoothing_test.py", "losses/_fenchel_young_test.py"),
    ),
    "keras": (
        "keras",
        "keras.src.losses.losses",
        ("src/losses/losses_test.py", "src/metrics/probabilistic_metrics_test.py",
         "src/metrics/regression_metrics_test.py"),
    ),
}  # fmt: skip
OPTIONS = ("from_logits", "label_smoothing", "axis", "ignore_class", "where", "weight",
           "ignore_index", "reduction", "log_target")  # fmt: skip


class Seen:
    """What the losses were given, and what was found."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.not_seen: Counter[str] = Counter()
        self.pairs: dict[tuple[Any, ...], str] = {}
        self.found: dict[tuple[str, str, str], list[str]] = {}

    def look(self, framework: str, name: str, given: dict[str, Any], test: str) -> None:
        """Look at the arguments of one call, in one test."""
        outputs, target = _pair(framework, given)
        options = {each: given[each] for each in OPTIONS if given.get(each) is not None}
        self.calls[name] += 1
        try:
            diagnosis = check(outputs, target, name, framework, **options)
        except (TypeError, ValueError) as refused:
            self.not_seen[f"{name}: {str(refused)[:60]}"] += 1
            return
        self.pairs[name, str(outputs), str(target), str(options)] = name
        for finding in diagnosis.findings:
            key = (test, name, finding.code)
            text = "; ".join(finding.evidence)
            if text not in self.found.setdefault(key, []):
                self.found[key].append(text)


def _pair(framework: str, given: dict[str, Any]) -> tuple[Any, Any]:
    """Return outputs and target of a call; a scalar is a row of one."""
    names = list(given)
    first, second = given[names[0]], given[names[1]]
    return (second, first) if framework == "keras" else (first, second)


def wrapped(seen: Seen, framework: str, name: str, loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loss that is looked at before it is computed."""
    signature = inspect.signature(loss)

    @functools.wraps(loss)
    def looked_at(*arguments: Any, **keywords: Any) -> Any:
        try:
            bound = signature.bind(*arguments, **keywords)
            bound.apply_defaults()
        except TypeError:
            return loss(*arguments, **keywords)
        test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0].rpartition("/")[2]
        seen.look(framework, name, dict(bound.arguments), test)
        return loss(*arguments, **keywords)

    return looked_at


def patch(seen: Seen, peer: str) -> None:
    """Replace a peer's losses wherever its modules name them."""
    framework, module, _ = PEERS[peer]
    losses = importlib.import_module(module)
    for name in LOSSES[framework]:
        own = getattr(losses, name, None)
        if own is None:
            continue
        new = wrapped(seen, framework, name, own)
        for each in [each for key, each in sys.modules.items() if key.startswith(peer)]:
            for attribute, value in list(vars(each).items()):
                if value is own:
                    setattr(each, attribute, new)
                elif isinstance(value, dict) and not attribute.startswith("__"):
                    value.update({key: new for key, one in value.items() if one is own})


def run_tests(seen: Seen, peer: str) -> None:
    """Run the tests of a peer, whose losses are patched."""
    package = importlib.import_module(peer)
    patch(seen, peer)
    if peer == "optax":
        import jax

        jax.config.update("jax_disable_jit", True)  # inside of jit there are no values
    folder = Path(package.__file__ or "").parent
    tests = [str(folder / each) for each in PEERS[peer][2]]
    pytest.main([*tests, "-q", "-p", "no:cacheprovider", "--import-mode=importlib",
                 "-o", "filterwarnings=", "-o", "addopts=", "-o", "xfail_strict=false",
                 "--tb=no", "--no-header"])  # fmt: skip


def read_samples(seen: Seen) -> None:
    """Look at the samples with which torch tests its losses."""
    import torch
    from torch.testing._internal.common_methods_invocations import op_db

    for op in op_db:
        name = op.name.removeprefix("nn.functional.")
        if name in LOSSES["torch"] and op.name != name:
            for number, sample in enumerate(op.sample_inputs("cpu", torch.float32)):
                given = {"input": sample.input, "target": sample.args[0], **sample.kwargs}
                seen.look("torch", name, given, f"{op.name} {op.variant_test_name} {number}")


def read_models(seen: Seen) -> None:
    """Look at what models of scikit-learn say of rows they were trained on and of others."""
    from sklearn import (
        datasets,
        discriminant_analysis,
        dummy,
        ensemble,
        linear_model,
        model_selection,
        naive_bayes,
        neighbors,
        neural_network,
        preprocessing,
        tree,
    )
    from sklearn.pipeline import make_pipeline

    models = [
        linear_model.LogisticRegression(max_iter=500),
        ensemble.RandomForestClassifier(50, random_state=0),
        ensemble.GradientBoostingClassifier(n_estimators=30, random_state=0),
        naive_bayes.GaussianNB(),
        neighbors.KNeighborsClassifier(7),
        tree.DecisionTreeClassifier(random_state=0),
        neural_network.MLPClassifier(max_iter=200, random_state=0),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        dummy.DummyClassifier(),
    ]
    make = datasets.make_classification
    tables = {
        "digits": datasets.load_digits(return_X_y=True),
        "iris": datasets.load_iris(return_X_y=True),
        "breast cancer": datasets.load_breast_cancer(return_X_y=True),
        "wine": datasets.load_wine(return_X_y=True),
        "unequal": make(3000, 20, weights=[0.97], random_state=0),
        "noisy": make(1000, 10, n_informative=2, flip_y=0.4, random_state=1),
    }
    for table, (x, y) in tables.items():
        train, test, seen_y, y = model_selection.train_test_split(
            x, y, test_size=0.4, random_state=0, stratify=y
        )
        for model in models:
            fitted = make_pipeline(preprocessing.StandardScaler(), model).fit(train, seen_y)
            for rows, known, of in ((test, y, "new rows"), (train, seen_y, "its own rows")):
                where = f"{type(model).__name__}, {of} of {table}"
                given = {"y": known, "p": fitted.predict_proba(rows)}
                seen.look("keras", "sparse_categorical_crossentropy", given, where)
                seen.look("numpy", "log_loss", dict(reversed(given.items())), where)
                if hasattr(fitted, "decision_function"):
                    z = fitted.decision_function(rows)
                    name = "cross_entropy" if z.ndim > 1 else "binary_cross_entropy_with_logits"
                    seen.look("numpy", name, {"z": z, "y": known}, where)


def main(peer: str) -> None:
    """Print what is found with a peer."""
    seen = Seen()
    if peer == "torch":
        read_samples(seen)
    elif peer == "sklearn":
        read_models(seen)
    else:
        run_tests(seen, peer)
    version = importlib.import_module(peer).__version__
    print(f"{peer} {version}: {seen.calls.total():,} calls, {len(seen.pairs):,} different ones")
    for what, times in seen.not_seen.most_common():
        print(f"  not looked at, {times:,} times: {what}")
    print(
        f"{sum(map(len, seen.found.values())):,} findings in {len(seen.found):,} tests and checks"
    )
    for (test, name, code), evidence in sorted(seen.found.items(), key=lambda each: each[0][2]):
        print(f"{code} {name} {test} ({len(evidence)})\n    {evidence[0]}")


if __name__ == "__main__":
    main(sys.argv[1])
