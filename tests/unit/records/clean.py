"""Clean stays that break no rule, to be spoiled one cell at a time."""

from __future__ import annotations

from typing import Any

import polars as pl

ROW: dict[str, Any] = {
    "setl_id": "S1",
    "psn_no": "P1",
    "fixmedins_code": "H360400001",
    "insutype": "390",
    "insu_admdvs": "360402",
    "gend": "2",
    "age": "54",
    "nwb_age": None,
    "nwb_bir_wt": None,
    "nwb_adm_wt": None,
    "adm_time": "2027-03-01 08:00:00",
    "dscg_time": "2027-03-08 10:30:00",
    "act_ipt_days": "7",
    "dscg_way": "1",
    "med_type": "21",
    "diag_codes": "K35.800|I10.x00",
    "oprn_codes": "47.0100",
    "oprn_fees": "1200.00",
    "vent_used_dura": "0/0/0",
    "scs_cutd_sum_dura": "1/13/30",
    "medfee_sumamt": "8000.00",
    "fund_pay_sumamt": "5000.00",
    "psn_pay_sumamt": "3000.00",
    "hifp_pay": "5000.00",
    "drug_fee": "2000.10",
    "oprn_fee": "1200.00",
}


def texts(*changes: dict[str, Any], drop: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return one row of text per change, ``setl_id`` S1, S2 ... unless changed."""
    rows = [ROW | {"setl_id": f"S{i}"} | change for i, change in enumerate(changes, start=1)]
    return pl.DataFrame(rows, schema=dict.fromkeys(ROW, pl.String)).drop(drop)


def typed(*changes: dict[str, Any]) -> pl.DataFrame:
    """Return the same rows in the types of a good Parquet file."""
    frame = texts(*changes)
    return frame.with_columns(
        pl.col("gend", "age", "nwb_age", "nwb_bir_wt", "nwb_adm_wt", "act_ipt_days").cast(pl.Int64),
        pl.col("adm_time", "dscg_time").str.to_datetime("%Y-%m-%d %H:%M:%S"),
        pl.col("diag_codes", "oprn_codes").str.split("|"),
        pl.col("^.*(sumamt|hifp_pay|drug_fee|oprn_fee)$").cast(pl.Decimal(16, 2)),
    ).drop("oprn_fees")
