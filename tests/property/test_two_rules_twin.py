"""Two packs that follow each other in a year: every stay has the points that the twin gives it under its own pack.

The twin computes the whole year once under each pack. Opening values are stated, so nothing of one pack reaches the
stays of the other. Left out is what looks at stays of other days: readmission, special review, the top share.
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import assume, given

from fenzhi.pipeline import compute
from fenzhi.region import load_region
from property.test_year_twin import CATALOGS, ready
from twins.budget import plain_pool
from twins.draw_year import HISTORY, POLICIES, RECORDS, REGIONS
from twins.folder import toml, write_region
from twins.profile import examples
from twins.year import PAID, run_year

SECOND_HALF = date(2027, 7, 1)
POINTS = [
    *("outcome", "reason", "group_id", "cost_fen", "rw_e4", "coefficient_e4", "auxiliary_family"),
    *(
        "auxiliary_level",
        "auxiliary_e4",
        "points_base_e4",
        "deviation",
        "reference_fen",
        "add_ons",
        "points_e4",
    ),
]


def plain(rules):
    """Rules without what needs files of its own, or looks at stays of other days."""
    rules["special_review"] = rules["readmission"] = None
    rules["deviation"]["top_share"] = None
    rules["coefficients"].update(form="class", items=[], levels={})
    if rules["weights"]["method"] == "benchmark":
        rules["weights"]["method"] = "mean_cost"
    if rules["auxiliary"] is not None:
        rules["auxiliary"]["source"] = "measured"
    return rules


def meta(name, more):
    return {"meta": {"id": name, "title": name, "scheme": "dip", "version": "1", **more}}


@examples(25, reduce=False)
@given(region=REGIONS, rules=POLICIES, later=POLICIES, catalog=CATALOGS, history=HISTORY, records=RECORDS)
def test_each_half_has_the_points_of_its_own_pack(region, rules, later, catalog, history, records):
    rules, later = plain(rules), plain(later)
    later |= {
        name: rules[name] for name in rules.keys() & {"point_value", "settlement", "sharing", "deposit"}
    }
    later["points"] = rules["points"]
    later["weights"]["scale"] = rules["weights"]["scale"]
    region["negotiated"], region["tracks_drawn"] = [], None
    region["budgets"] = {pool["id"]: plain_pool(10**13) for pool in region["pools"]}
    region["funds"] = {pool["id"]: 10**13 for pool in region["pools"]}
    for pool in region["pools"]:
        pool["opening_value_e4"] = 12_345
    both = [ready(dict(region), one, catalog, history, records) for one in (rules, later)]
    assume(all(one is not None and one[1] is None for one in both))
    (region, rules, catalog, stays), (_, later, _, _) = (one[0] for one in both)
    expected = [
        {
            row["setl_id"]: row
            for row in run_year(stays["history"], stays["records"], region, catalog, one)["cases"]
        }
        for one in (rules, later)
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "region"
        write_region(folder, region, catalog, rules, stays)
        first = meta("first", {"valid_to": "2027-06-30"})
        second = meta("second", {"valid_from": "2027-07-01"})
        (folder / "first.toml").write_text(toml({**first, **rules}), encoding="utf-8")
        (folder / "second.toml").write_text(toml({**second, **later}), encoding="utf-8")
        file = folder / "region.toml"
        text = file.read_text(encoding="utf-8")
        assert '"policy" = "policy.toml"' in text
        packs = '"policies" = ["second.toml", "first.toml"]'
        file.write_text(text.replace('"policy" = "policy.toml"', packs), encoding="utf-8")
        tables = compute(load_region(folder))[0]
    days = {stay["setl_id"]: stay["dscg_time"].date() for stay in stays["records"]}
    for row in tables["cases"].iter_rows(named=True):
        late = days[row["setl_id"]] >= SECOND_HALF
        assert row["policy"] == ("second" if late else "first")
        case = expected[late][row["setl_id"]]
        names = POINTS if case["outcome"] in PAID else ["outcome", "reason", "cost_fen"]
        assert {n: row[n] for n in names} == {n: case.get(n) for n in names}, case
    for pool in tables["pools"].iter_rows(named=True):
        mine = [row for row in tables["cases"].iter_rows(named=True) if row["pool"] == pool["pool"]]
        paid = [row for row in mine if row["outcome"] in PAID]
        assert pool["points_e4"] == sum(row["points_e4"] for row in paid)
        assert pool["gross_fen"] == sum(row["payable_fen"] for row in paid)
        assert pool["gross_fen"] + pool["residual_fen"] == pool["fund_fen"] == 10**13
