"""Stays from files: readers for three shapes, column mapping, quality control, refund netting."""

from fenzhi.records.mapping import ColumnMap, load_columns
from fenzhi.records.quality import Known
from fenzhi.records.read import StaysRead, read_stays
from fenzhi.records.rules import RULES, QualityRules, rule_message
from fenzhi.records.schema import STAY_COLUMNS

__all__ = [
    "RULES",
    "STAY_COLUMNS",
    "ColumnMap",
    "Known",
    "QualityRules",
    "StaysRead",
    "load_columns",
    "read_stays",
    "rule_message",
]
