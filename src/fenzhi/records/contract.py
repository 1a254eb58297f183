"""The contract of accepted stays as a dataframely schema; checked in tests, not on the hot path.

dataframely takes a while to load, so it is imported only here and only when somebody asks.
"""

from __future__ import annotations

import dataframely as dy
import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.records.schema import STAY_COLUMNS


class Stays(dy.Schema):
    """Columns that every frame of accepted stays has; money columns of the source may be added."""

    row_idx = dy.UInt32(nullable=False)
    setl_id = dy.String(primary_key=True)
    source_file = dy.Categorical(nullable=False)
    source_row = dy.Int64(nullable=False, min=1)
    fixmedins_code = dy.String(nullable=True)
    insutype = dy.String(nullable=True)
    insu_admdvs = dy.String(nullable=True)
    gend = dy.Int8(nullable=True)
    age = dy.Int16(nullable=True)
    nwb_age = dy.Int32(nullable=True)
    nwb_bir_wt = dy.Int32(nullable=True)
    nwb_adm_wt = dy.Int32(nullable=True)
    adm_time = dy.Datetime(nullable=True, time_unit="us")
    dscg_time = dy.Datetime(nullable=True, time_unit="us")
    act_ipt_days = dy.Int32(nullable=True, min=0)
    dscg_way = dy.Int8(nullable=True)
    med_type = dy.String(nullable=True)
    diag_codes = dy.List(dy.String(nullable=False), nullable=False)
    oprn_codes = dy.List(dy.String(nullable=False), nullable=False)
    tcm_diag_codes = dy.List(dy.String(nullable=False), nullable=False)
    medfee_sumamt_fen = dy.Int64(nullable=True)
    hifp_pay_fen = dy.Int64(nullable=True)
    fund_pay_sumamt_fen = dy.Int64(nullable=True)
    psn_pay_sumamt_fen = dy.Int64(nullable=True)
    excl_pay_sumamt_fen = dy.Int64(nullable=True)


def check_stays(frame: pl.DataFrame) -> None:
    """Raise :class:`ConservationError` if a frame breaks the contract of accepted stays."""
    types = {column.out: column.dtype for column in STAY_COLUMNS}
    wrong = [n for n, t in frame.schema.items() if n in types and t != types[n]]
    try:
        if wrong:
            raise ConservationError(f"columns of the wrong type: {', '.join(wrong)}")
        Stays.validate(frame)
    except (dy.exc.ValidationError, dy.exc.SchemaError) as error:
        what = " ".join(str(error).split("\n\n")[0].split())
        raise ConservationError(f"stays break their contract: {what}") from error
