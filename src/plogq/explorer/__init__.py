"""What is shown in a browser: the pages of the explorer, and the server that gives them."""

from plogq.extras import needed_by

with needed_by("plogq.explorer"):
    import pyarrow as _pyarrow  # noqa: F401

from plogq.reports.html import report_html, write_report

__all__ = ["report_html", "write_report"]
