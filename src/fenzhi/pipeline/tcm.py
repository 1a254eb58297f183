"""What a run says about TCM-advantage groups: their weights, the stays that entered and those that did not."""

from __future__ import annotations

from typing import Any

import polars as pl

from fenzhi.catalogs import TCM
from fenzhi.errors import ConservationError
from fenzhi.pipeline.setting import Setting
from fenzhi.results import shape


def weighted_tcm(groups: pl.DataFrame, setting: Setting) -> pl.Series | None:
    """Return per TCM-advantage group whether it has a weight; ``groups``: rw_e4 of all groups in their order."""
    if setting.tcm is None:
        return None
    return groups["rw_e4"].slice(setting.tcm.first).is_not_null()


def tcm_fee_columns(setting: Setting) -> frozenset[str]:
    """Return the fee columns that history is read with besides what weights need."""
    policy = setting.region.policy.tcm
    return (
        frozenset()
        if setting.tcm is None or policy is None
        else frozenset((*policy.tcm_fees, *policy.western_fees))
    )


def tcm_table(report: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """Return the result table ``tcm``: the report of the stays that points pay by groups or by their cost.

    Raises :class:`ConservationError` if the stays that entered are not those that are paid in such groups.
    """
    mine = paid.filter(pl.col("outcome") != "bed_day").select(
        "setl_id", "fixmedins_code", "pool", pl.col("layer").cast(pl.String)
    )
    table = report.join(mine, on="setl_id", how="inner", maintain_order="left")
    entered, inside = table.filter("entered").height, mine.filter(pl.col("layer") == TCM).height
    if entered != inside:
        raise ConservationError(
            "the stays that entered TCM-advantage groups are not those that are paid in them",
            field="layer",
            value=(entered, inside),
        )
    return shape(table.drop("layer").sort("setl_id"), "tcm")


def tcm_facts(setting: Setting) -> dict[str, Any]:
    """Return for the manifest what the catalogue states of the weights of its TCM-advantage groups."""
    if setting.tcm is None:
        return {}
    rows = setting.catalog.tcm.groups.select("group_id", "reference_group", "share", "weight").iter_rows(
        named=True
    )
    return {"tcm_weights": {row.pop("group_id"): row for row in rows}}


def tcm_notices(stays: pl.DataFrame, setting: Setting) -> list[str]:
    """Say why no stay can enter a TCM-advantage group, if that is so from the start."""
    policy = setting.region.policy.tcm
    if policy is None:
        return []
    if setting.tcm is None:
        return ["the policy has rules for TCM-advantage groups, but the catalogue lists none"]
    fees = [f"{name}_fen" for name in (*policy.tcm_fees, *policy.western_fees)]
    absent = [name.removesuffix("_fen") for name in fees if name not in stays.columns]
    return [f"the records have no {name}: no stay enters a TCM-advantage group" for name in absent]
