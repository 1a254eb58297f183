"""DIP schemes as workbooks: read, reported row by row, written. The catalogue itself is in ``fenzhi.catalogs``."""

from fenzhi.catalogs.dip.beside import Beside
from fenzhi.catalogs.dip.local import LocalLayout, read_layout
from fenzhi.catalogs.dip.read import TABLES, Read, Sources, read_dip
from fenzhi.catalogs.dip.report import Entry, Report, SheetCount

__all__ = [
    "TABLES",
    "Beside",
    "Entry",
    "LocalLayout",
    "Read",
    "Report",
    "SheetCount",
    "Sources",
    "read_dip",
    "read_layout",
]
