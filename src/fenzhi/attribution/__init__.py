"""Why two runs pay differently: the difference of every amount split into causes that add up to the fen."""

from fenzhi.attribution.causes import CAUSES, MEASURES, STAY_CAUSES, at, cause, split
from fenzhi.attribution.columns import COMPARED, shaped
from fenzhi.attribution.runs import ACCOUNT, NEEDED, Side, paid_stays
from fenzhi.attribution.tables import (
    SUMS,
    added_up,
    by_account,
    by_group,
    by_group_sums,
    by_level,
    by_stay,
    flows,
    stay_by_stay,
)

__all__ = [
    "ACCOUNT",
    "CAUSES",
    "COMPARED",
    "MEASURES",
    "NEEDED",
    "STAY_CAUSES",
    "SUMS",
    "Side",
    "added_up",
    "at",
    "by_account",
    "by_group",
    "by_group_sums",
    "by_level",
    "by_stay",
    "cause",
    "flows",
    "paid_stays",
    "shaped",
    "split",
    "stay_by_stay",
]
