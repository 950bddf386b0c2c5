"""Your predictions: a table or a result becomes a report, by the code of `plogq score --html`."""

from __future__ import annotations

from plogq.explorer.controls import State
from plogq.explorer.page import Page, Result, readout
from plogq.explorer.pages.predictions_report import ENDINGS, example


def compute(state: State) -> Result:
    """Give the report of the example, until the reader brings a table."""
    report = example()
    result, words = report["result"], report["findings"]
    unit = f"{words['units']} per row"
    return {
        **report,
        "readouts": [
            readout("cross-entropy", result["cross_entropy"], unit, "ink"),
            readout("label entropy", result["label_entropy"], unit),
            readout("refinement", result["refinement"], unit, "keep"),
            readout("miscalibration", result["miscalibration"], unit, "waste"),
        ],
        "notice": f"{words['loss']['title']}.",
        "code": (
            "from plogq.explorer.pages.predictions_report import example_table\n"
            "from plogq.score import score\n"
            "score(example_table()).cross_entropy"
        ),
        "answer": result["cross_entropy"],
    }


PAGE = Page(
    title="Your predictions",
    summary="Open a table of predictions, and see what its cross-entropy is made of. The table "
    "stays on this machine.",
    words="score report upload table parquet csv calibration reliability surprises confusion",
    controls={},
    compute=compute,
    files=ENDINGS,
)
