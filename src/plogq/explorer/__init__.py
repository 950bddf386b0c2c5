"""What is seen in a browser: the report of a score."""

from plogq.explorer.report import report_html, write_report

__all__ = ["report_html", "write_report"]
