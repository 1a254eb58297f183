"""Our groups beside the official ones, stay by stay, and the smallest records that show a difference."""

from fenzhi.comparison.compare import KINDS, Compared, compare, official_side
from fenzhi.comparison.reduce import CHANGES, find_changes, reduce_records

__all__ = [
    "CHANGES",
    "KINDS",
    "Compared",
    "compare",
    "find_changes",
    "official_side",
    "reduce_records",
]
