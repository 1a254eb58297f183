"""Special review in the demo region: what was drawn holds, `fenzhi review` lists it, and the pages show it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done
from fenzhi.region.demo.reviews import COST_MULTIPLE, LONG_DAYS, QUOTA_PERMILLE


def table(run: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(run / f"{name}.parquet")


@pytest.fixture
def listed(demo_run: Path) -> pl.DataFrame:
    cases = table(demo_run, "cases").select("setl_id", "act_ipt_days", "outcome", "points_e4", "track")
    return table(demo_run, "applications").join(cases.unique("setl_id"), on="setl_id", how="left")


def test_the_policy_says_what_was_drawn_by(demo: Path) -> None:
    rules = tomllib.loads((demo / "policy.toml").read_text(encoding="utf-8"))["special_review"]
    assert (rules["confidence"], rules["quota"]) == ("sample", QUOTA_PERMILLE / 1000)
    assert [one.get("los_above_days") for one in rules["criteria"]] == [LONG_DAYS, None]
    assert [one.get("cost_multiple") for one in rules["criteria"]] == [None, COST_MULTIPLE]


def test_files_name_stays_by_their_settlement_id_only(demo: Path) -> None:
    for name in ("special_review.csv", "review_decisions.csv"):
        frame = pl.read_csv(demo / name)
        assert frame["setl_id"].str.contains("^S2027[0-9]+$").all()
        assert not {"psn_no", "psn_name", "certno"} & set(frame.columns)
    assert pl.read_csv(demo / "special_review.csv").columns == ["setl_id", "applied_at", "reason"]


def test_applications_have_every_state(listed: pl.DataFrame) -> None:
    found = dict(listed.group_by("state").len().iter_rows())
    assert set(found) == {"approved", "refused", "eligible", "not_eligible", "over_quota"}
    long = pl.col("act_ipt_days") > LONG_DAYS
    dear = pl.col("cost_multiple_e4") > COST_MULTIPLE * 10_000
    assert listed.filter(long | dear.fill_null(False)).height == listed.filter("eligible").height
    # The reason that was given is not always one that holds: the dearest stays are not all twice their standard.
    assert listed.filter(pl.col("state") == "not_eligible").select((~long).all()).item()
    assert listed["track"].null_count() == listed.height


def test_the_quota_is_four_in_a_thousand_stays(demo_run: Path, listed: pl.DataFrame) -> None:
    row = table(demo_run, "review").row(0, named=True)
    assert row["quota"] == row["discharges"] * QUOTA_PERMILLE // 1000
    behind = listed.filter(pl.col("state") == "over_quota")
    assert row["over_quota"] == behind.height > 0
    assert (behind["rank"] > row["quota"]).all()


def test_what_was_approved_is_paid_by_the_decision(demo_run: Path, listed: pl.DataFrame) -> None:
    cases = table(demo_run, "cases").filter(pl.col("review").is_not_null())
    approved = cases.filter(pl.col("review") != "refused")
    assert set(approved["setl_id"]) == set(listed.filter(pl.col("state") == "approved")["setl_id"])
    assert approved["before_review_e4"].null_count() == 0
    assert set(approved["review"]) == {"fee_for_service", "adjusted_standard", "coefficient", "expert_points"}


def test_review_lists_the_applications(demo: Path, demo_run: Path) -> None:
    said = done("review", demo, "--lang", "en")
    row = table(demo_run, "review").row(0, named=True)
    figures = [row[name] for name in ("discharges", "quota", "applications", "eligible", "approved")]
    last = " ".join(f"{figure:,}" for figure in figures)
    assert last in re.sub(r"\s+", " ", said)


def test_pages_show_special_review(demo_run: Path) -> None:
    region = (demo_run / "region.html").read_text(encoding="utf-8")
    assert "<h2>特例单议</h2>" in region or ">特例单议<" in region
    decided = table(demo_run, "cases").filter(pl.col("review").is_not_null())
    for code in decided["fixmedins_code"].unique():
        page = (demo_run / "statements" / f"{code}.html").read_text(encoding="utf-8")
        assert ">特例单议<" in page
    assert not any(one in region for one in decided["setl_id"])
