"""How good a catalogue is, and how well stays are coded: statistics of a history, nothing here pays."""

from fenzhi.quality.coding import Gains, code_counts, mapping_gains, missing_codes, unspecific_codes
from fenzhi.quality.columns import BUILT, QUALITY, shaped
from fenzhi.quality.coverage import coverage_curve
from fenzhi.quality.groups import SMALL, cost_spread, group_measures, measures
from fenzhi.quality.severity import contradictions
from fenzhi.quality.years import SHIFT, YEAR_CASES, stability, yearly_weights

__all__ = [
    "BUILT",
    "QUALITY",
    "SHIFT",
    "SMALL",
    "YEAR_CASES",
    "Gains",
    "code_counts",
    "contradictions",
    "cost_spread",
    "coverage_curve",
    "group_measures",
    "mapping_gains",
    "measures",
    "missing_codes",
    "shaped",
    "stability",
    "unspecific_codes",
    "yearly_weights",
]
