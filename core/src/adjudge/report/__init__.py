"""Reports of a run, written from values alone: one HTML file, a table for the terminal, JSON lines, CSV, judge cards.

Loaded only when a report is made; jinja2, rich and pandas are imported inside the functions that need them.
"""

from __future__ import annotations

from adjudge.report.card_text import BETTER_JUDGES, confusion_table, line
from adjudge.report.cards import HumanFigure, JudgeCard, identity_hash, measure, read_out_of
from adjudge.report.export import write_csv, write_verdicts
from adjudge.report.html import render_html
from adjudge.report.record import RunRecord
from adjudge.report.store import CardStore
from adjudge.report.summary import CriterionRow, Summary, summary
from adjudge.report.table import print_record, render_table

__all__ = [
    "BETTER_JUDGES",
    "CardStore",
    "CriterionRow",
    "HumanFigure",
    "JudgeCard",
    "RunRecord",
    "Summary",
    "confusion_table",
    "identity_hash",
    "line",
    "measure",
    "print_record",
    "read_out_of",
    "render_html",
    "render_table",
    "summary",
    "write_csv",
    "write_verdicts",
]
