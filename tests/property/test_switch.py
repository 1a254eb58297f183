"""Any small region under another catalogue, DIP or DRG: all adds up to the fen, and follows from the stays."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import polars as pl
from hypothesis import assume, given

from fenzhi.attribution import CAUSES, STAY_CAUSES, cause
from fenzhi.attribution.switch import GROUPING_CAUSES, SWITCH_CAUSES, SWITCH_STAY_CAUSES
from fenzhi.catalogs import save_catalog
from fenzhi.errors import FenzhiError
from fenzhi.pipeline.switch import switch_catalog
from property.test_year_twin import CATALOGS, ready
from twins.draw_year import HISTORY, POLICIES, RECORDS, REGIONS
from twins.engine import catalog_of
from twins.folder import sound, write_region
from twins.profile import examples

#: What a year may refuse: it is refused in words before anything is compared.
REFUSED = (
    "BUDGET_OPENING",
    "HISTORY_EMPTY",
    "BUDGET_DIRECT",
    "WEIGHT_ZERO",
    "WEIGHT_OVERRIDES",
    "WEIGHT_BENCHMARK",
    "POLICY_LAYER",
    "CATALOG_SAME",
)
INSIDE = ("grouped", "comprehensive")


def switched(parts, new, policy=None):
    """The switch of a drawn region to a drawn catalogue, or to a shipped one."""
    fitting = ready(*parts)
    assume(fitting is not None and not fitting[1])
    region, rules, catalog, stays = fitting[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "region"
        write_region(folder, region, catalog, rules, stays)
        if not isinstance(new, str):
            twin = sound(new)
            assume(twin.groups)
            save_catalog(catalog_of(twin), Path(name) / "new")
            new = Path(name) / "new"
        try:
            return switch_catalog(folder, new, policy=policy)
        except FenzhiError as error:
            assume(error.code not in REFUSED)
            raise


def whole(done, rules):
    """What must hold of every switch."""
    communities = any(track["kind"] == "community" for track in rules.get("tracks") or ())
    tables, summary = done.tables, done.summary
    everything = [cause(name) for name in SWITCH_CAUSES]
    of_stays = [cause(name) for name in SWITCH_STAY_CAUSES]
    for name in ("accounts", "hospitals", "levels", "groups", "flows", "classes", "stays"):
        frame = tables[name]
        causes = everything if name in ("accounts", "hospitals", "levels") else of_stays
        assert (frame.select(pl.sum_horizontal(causes)).to_series() == frame["difference_fen"]).all(), name
        assert (frame["after_fen"] - frame["before_fen"] == frame["difference_fen"]).all(), name
    # One budget, both times: what the hospitals gain and lose and what the reserve does are nothing in sum. Only a
    # community's package moves the fund: it hands over what its patients' points elsewhere are booked at.
    lines = summary["balance"]
    moved = tables["pools"].select(pl.col("fund_after_fen").sum() - pl.col("fund_before_fen").sum()).item()
    assert lines["fund"] == moved
    assert moved == 0 or communities
    assert lines["gross"] == lines["fund"] + lines["residual"]
    assert lines["gross"] == int(tables["stays"]["difference_fen"].sum())
    for name in ("accounts", "hospitals", "levels"):
        assert int(tables[name]["difference_fen"].sum()) == lines["final"] == lines["fund"] - lines["kept"]
    assert sum(summary["causes"].values()) == lines["final"]
    for (pool,), rows in tables["balance"].group_by(["pool"]):
        line = {row["item"]: row for row in rows.iter_rows(named=True)}
        for when in ("before_fen", "after_fen"):
            assert line["fund"][when] + line["residual"][when] == line["gross"][when], pool
            assert line["final"][when] + line["kept"][when] == line["fund"][when], pool
    # Regrouping, stay by stay, in plain Python.
    sums = defaultdict(int)
    counted = defaultdict(int)
    for stay in tables["stays"].iter_rows(named=True):
        had, has = (stay[f"outcome_{when}"] in INSIDE for when in ("before", "after"))
        moved = stay["group_id_before"] != stay["group_id_after"]
        kind = "grouping" if had and has and moved else "ungrouped" if had != has else "weight"
        parts = {name: stay[cause(name)] for name in GROUPING_CAUSES}
        assert {name for name, fen in parts.items() if fen} <= {kind}
        sums[stay["fixmedins_code"], stay["pool"], kind] += parts[kind]
        counted[stay["class_before"], stay["class_after"]] += 1
        assert (stay["outcome_now"] in INSIDE) == has
    for row in tables["accounts"].iter_rows(named=True):
        mine = {name: sums[row["fixmedins_code"], row["pool"], name] for name in GROUPING_CAUSES}
        assert mine == {name: row[cause(name)] for name in GROUPING_CAUSES}
    found = {(row[0], row[1]): row[2] for row in tables["classes"].iter_rows()}
    assert found == dict(counted)
    for name in ("matrix", "group_matrix"):
        frame = tables[name]
        if frame.height > 1:
            assert frame["total"][-1] == tables["stays"].height == frame["total"][:-1].sum()
    lost = {row["setl_id"] for row in tables["ungrouped"].iter_rows(named=True)}
    assert lost == {
        stay["setl_id"]
        for stay in tables["stays"].iter_rows(named=True)
        if stay["outcome_before"] in INSIDE and stay["outcome_now"] not in INSIDE
    }
    assert "case_mix" in CAUSES
    assert "case_mix" in STAY_CAUSES
    assert not {"case_mix"} & {*SWITCH_CAUSES}


@examples(10, reduce=False)
@given(region=REGIONS, rules=POLICIES, catalog=CATALOGS, new=CATALOGS, history=HISTORY, records=RECORDS)
def test_another_dip_catalogue(region, rules, catalog, new, history, records):
    whole(switched((region, rules, catalog, history, records), new), rules)


@examples(6, reduce=False)
@given(region=REGIONS, rules=POLICIES, catalog=CATALOGS, history=HISTORY, records=RECORDS)
def test_from_dip_to_drg(region, rules, catalog, history, records):
    whole(switched((region, rules, catalog, history, records), "demonstration-drg", "national-drg"), rules)
