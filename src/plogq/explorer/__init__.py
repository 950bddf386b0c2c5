"""What is shown in a browser: the pages of the explorer, and the server that gives them."""

from plogq.reports.html import report_html, write_report

__all__ = ["report_html", "write_report"]
