"""Weights of TCM-advantage groups: from history, stated, or a share of a reference group."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.catalogs import TcmTables, with_tcm
from fenzhi.catalogs.tcm import TCM_GROUPS
from fenzhi.errors import RegionError
from fenzhi.weights import weigh
from twins.engine import overrides_of

ROWS: list[dict[str, Any]] = [
    {"group_id": "OWN", "main_diag": "S52"},
    {"group_id": "STATED", "main_diag": "S52", "weight": "1.23456"},
    {"group_id": "SHARE", "main_diag": "S52", "reference_group": "G1", "share": "0.6667"},
    {"group_id": "WHOLE", "main_diag": "S52", "reference_group": "G1"},
    {"group_id": "NONE", "main_diag": "S52", "reference_group": "G2", "share": "0.8"},
]
CONDITIONS = pl.DataFrame([{name: one.get(name) for name in TCM_GROUPS} for one in ROWS], schema=TCM_GROUPS)
CATALOG = with_tcm(catalog(row("G1", "S52"), row("G2", "S53")), TcmTables(CONDITIONS))
# Two stays of G1 at 9,000, one of OWN at 12,000, one of SHARE at 50,000: mean of all 20,000.
HISTORY = pl.DataFrame(
    {"group_idx": [0, 0, 2, 4], "year": [2026] * 4, "fixmedins_code": ["H1"] * 4, "cost_fen": [9, 9, 12, 50]},
    schema={"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64},
).with_columns(pl.col("cost_fen") * 100_000)
PLACES = hospitals(("H1", "3", "general", None))


def test_weights_of_every_kind() -> None:
    found = weigh(HISTORY, CATALOG, policy(tcm={}), PLACES).groups
    # 9 / 20, 12 / 20; stated x 1000; 450 x 0.6667 = 300.015; 450; the reference group G2 has no history.
    expected = [4_500_000, None, 6_000_000, 12_345_600, 3_000_150, 4_500_000, None]
    assert found["rw_e4"].to_list() == expected
    # Means are measured all the same: they are what deviation compares with.
    assert found["mean_cost_fen"].to_list() == [900_000, None, 1_200_000, None, 5_000_000, None, None]


def test_without_the_section_the_groups_do_not_exist() -> None:
    history = HISTORY.filter(pl.col("group_idx") < 2)
    assert weigh(history, CATALOG, policy(), PLACES).groups.height == 2


# G1 negotiated to 500: the total of G1 and OWN, 2 x 450 + 600 = 1,500, leaves OWN 1,500 - 1,000; SHARE follows.
def test_a_share_follows_the_negotiated_weight() -> None:
    found = weigh(HISTORY, CATALOG, policy(tcm={}), PLACES, overrides_of({"G1": 5_000_000})).groups
    assert found["rw_e4"].to_list()[:5] == [5_000_000, None, 5_000_000, 12_345_600, 3_333_500]


def test_a_stated_weight_cannot_be_negotiated() -> None:
    with pytest.raises(
        RegionError, match="the catalogue states the weight of this TCM-advantage group"
    ) as caught:
        weigh(HISTORY, CATALOG, policy(tcm={}), PLACES, overrides_of({"SHARE": 5_000_000}))
    assert caught.value.code == "WEIGHT_OVERRIDES"
