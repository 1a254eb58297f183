"""Who applies for special review in the demo region, drawn from a frame that is written by hand."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from fenzhi.region.demo.dirt import ADDED, KIND
from fenzhi.region.demo.hospitals import AREA
from fenzhi.region.demo.reviews import LONG_DAYS, make_reviews

N = 2_500


@pytest.fixture
def frame() -> pl.DataFrame:
    """2,500 stays of 5 days and 1,000 yuan; the first 100 are long, the last ten dear."""
    days = [LONG_DAYS + 1] * 100 + [5] * (N - 100)
    yuan = ["1000.00"] * (N - 10) + [f"{90_000 + at}.00" for at in range(10)]
    return pl.DataFrame(
        {
            "setl_id": [f"S{at:05}" for at in range(N)],
            "insu_admdvs": AREA,
            "insutype": "390",
            "med_type": "21",
            "medfee_sumamt": pl.Series(yuan).cast(pl.Decimal(16, 2)),
            "act_ipt_days": pl.Series(days, dtype=pl.Int32),
            "dscg_time": datetime(2027, 3, 9, 10),
            "diag_codes": [["I10.x00"]] * N,
            "oprn_codes": pl.Series([[]] * N, dtype=pl.List(pl.String)),
            KIND: pl.Series([None] * N, dtype=pl.String),
            ADDED: False,
        }
    )


def draw(frame: pl.DataFrame, seed: int = 1):
    return make_reviews(frame, 2027, np.random.default_rng(seed))


def test_long_and_dear_stays_apply_and_long_ones_are_decided_on(frame: pl.DataFrame) -> None:
    """Dear: 2,500 x 2 / 1000 = 5 stays. Quota 2,500 x 4 / 1000 = 10; approved 40 % = 4, refused half of it = 2."""
    found = draw(frame)
    names = set(found.applications["setl_id"])
    assert names >= {f"S{at:05}" for at in range(N - 5, N)}
    long = {f"S{at:05}" for at in range(100)}
    assert 80 <= len(names & long) < 100
    assert len(names) == len(names & long) + 5
    assert found.decisions.height == 6
    assert (found.decisions["outcome"] == "refused").sum() == 2
    assert set(found.decisions["setl_id"]) <= names & long


def test_outcomes_have_the_value_that_they_need(frame: pl.DataFrame) -> None:
    decided = draw(frame).decisions
    assert set(decided["outcome"]) == {
        "fee_for_service",
        "adjusted_standard",
        "coefficient",
        "expert_points",
        "refused",
    }
    bare = decided["outcome"].is_in(["fee_for_service", "refused"])
    assert (decided["value"].is_null() == bare).all()


def test_the_order_of_the_rows_and_another_run_change_nothing(frame: pl.DataFrame) -> None:
    one, two = draw(frame), draw(frame.reverse())
    assert one.applications.equals(two.applications)
    assert one.decisions.equals(two.decisions)
    assert not one.applications.equals(draw(frame, seed=2).applications)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("insu_admdvs", "110100"),
        ("insutype", None),
        ("med_type", "2105"),
        ("diag_codes", ["K35.800"]),
    ],
)
def test_stays_that_points_may_not_pay_do_not_apply(frame: pl.DataFrame, column: str, value: object) -> None:
    dtype = frame.schema[column]
    rows = pl.Series([value] * 100, dtype=dtype)
    changed = pl.concat([frame.head(100).with_columns(rows.alias(column)), frame.tail(N - 100)])
    assert set(draw(changed).applications["setl_id"]) == {f"S{at:05}" for at in range(N - 4, N)}
