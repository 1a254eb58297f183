"""Statements, pages, charts and the workbook of a run. Reads result tables only; see docs/architecture.md."""

from fenzhi.reports.tables import RunTables
from fenzhi.reports.write import Progress, write_reports, write_statement

__all__ = ["Progress", "RunTables", "write_reports", "write_statement"]
