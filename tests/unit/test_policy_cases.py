"""Sections on single stays: tiers, stability, incomplete stays, bed-days, readmission, fixed rates."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from fenzhi.policy import load_policy
from fenzhi.policy.cases import BedDay, Deviation, Incomplete, Readmission, Stability
from fenzhi.policy.models import Policy

META = {"id": "p", "title": "t", "scheme": "drg", "version": "1"}
NORMAL = [{"name": "normal", "points": "normal"}]


def tier(above=0, upto=None, above_included=False, upto_included=True, bands=NORMAL):
    return {
        "rw_above": above,
        "rw_upto": upto,
        "rw_above_included": above_included,
        "rw_upto_included": upto_included,
        "bands": bands,
    }


def wrong(build, match):
    with pytest.raises(ValidationError, match=match):
        build()


def test_bands_are_one_tier_for_every_weight():
    deviation = Deviation.model_validate({"bands": NORMAL})
    [one] = deviation.all_tiers()
    assert (one.bands, one.rw_above, one.rw_upto) == (deviation.bands, 0, None)


def test_tiers_that_meet_are_taken_and_name_each_band_once():
    low = {"name": "low", "upto": "0.4", "points": "ratio"}
    rest = {"name": "normal", "above": "0.4", "points": "normal"}
    deviation = Deviation.model_validate({"tiers": [tier(upto=100, bands=[low, rest]), tier(100)]})
    assert [t.rw_upto for t in deviation.all_tiers()] == [100, None]
    assert [band.name for band in deviation.all_bands()] == ["low", "normal"]
    assert deviation.all_bands()[1].above == Decimal("0.4")  # as the first tier says


@pytest.mark.parametrize(
    ("tiers", "match"),
    [
        ([tier(1)], "tier '1' must begin at 0"),
        ([tier(upto=100), tier(200)], "gap between tiers '1' and '2'"),
        ([tier(upto=200), tier(100)], "tiers '1' and '2' overlap"),
        ([tier(upto=100), tier(100, above_included=True)], "the limit 100 must belong to one .*, not both"),
        (
            [tier(upto=100, upto_included=False), tier(100)],
            "the limit 100 must belong to one .*, not neither",
        ),
        ([tier(upto=100)], "the last tier '1' must be open above"),
        ([tier(upto=100), tier(100, bands=[])], "at least one band"),
        ([tier(bands=[{"name": "a", "above": 1, "points": "normal"}])], "band 'a' must begin at 0"),
        ([tier(upto="0.00001"), tier("0.00001")], "decimal"),
    ],
)
def test_tiers_that_leave_a_weight_undecided_are_refused(tiers, match):
    wrong(lambda: Deviation.model_validate({"tiers": tiers}), match)


def test_bands_and_tiers_together_are_refused():
    wrong(lambda: Deviation.model_validate({"bands": NORMAL, "tiers": [tier()]}), "has bands and tiers")


@pytest.mark.parametrize("name", ["unstable", "incomplete"])
def test_no_band_takes_a_word_that_results_use(name):
    wrong(lambda: Deviation.model_validate({"bands": [{"name": name, "points": "normal"}]}), "named")


@pytest.mark.parametrize(
    ("steps", "match"),
    [
        ([], "steps without level"),
        ([{"level": "3", "points_per_day": 1}], "steps without level"),
        ([{"upto_days": 30, "points_per_day": 1}], "must be open"),
        ([{"points_per_day": 1}, {"points_per_day": 2}], "must rise"),
        (
            [{"upto_days": n, "points_per_day": 1} for n in (30, 30)] + [{"points_per_day": 1}],
            "must rise",
        ),
        (
            [{"points_per_day": 1}, {"level": "3", "upto_days": 9, "points_per_day": 1}],
            "steps of level '3' must be open",
        ),
        ([{"points_per_day": "0.00001"}], "decimal"),
        ([{"upto_days": 0, "points_per_day": 1}, {"points_per_day": 1}], "greater than or equal to 1"),
    ],
)
def test_steps_of_days_that_leave_a_day_undecided_are_refused(steps, match):
    wrong(lambda: BedDay.model_validate({"med_types": ["2105"], "steps": steps}), match)


def test_other_sections_refuse():
    wrong(lambda: Incomplete(), "give ways or los_below_days")
    wrong(lambda: Incomplete(los_below_days=0), "greater than or equal to 1")
    wrong(lambda: Stability(cv_max=0), "greater than 0")
    wrong(lambda: Readmission(days=-1, factor=1), "greater than or equal to 0")
    wrong(lambda: Readmission(days=10, factor="1.5"), "less than or equal to 1")
    wrong(lambda: BedDay(med_types=(), steps=()), "at least 1 item")


def test_a_fixed_rate_needs_the_reserve():
    fixed = {"meta": META, "deviation": {"bands": NORMAL}, "point_value": {"rate": "fixed"}}
    wrong(lambda: Policy.model_validate(fixed), "needs settlement.residual = reserve")
    taken = Policy.model_validate({**fixed, "settlement": {"residual": "reserve"}})
    assert taken.point_value.rate == "fixed"


def test_the_sections_are_off_unless_a_pack_has_them():
    policy = load_policy("national-dip-3.0")
    assert (policy.stability, policy.incomplete, policy.bed_day, policy.readmission) == (None,) * 4
    assert (policy.coefficients.form, policy.point_value.rate) == ("class", "floating")


def test_the_packs_for_drg_say_what_their_sources_say():
    rate, points = load_policy("national-drg"), load_policy("jinhua-drg-2017")
    assert (rate.meta.scheme, rate.weights.scale, rate.point_value.rate) == ("drg", 1, "floating")
    assert (points.weights.scale, points.weights.year_weights, points.weights.trim.method) == (
        100,
        (1, 1),
        "none",
    )
    assert (points.coefficients.form, points.coefficients.cost_years, points.coefficients.min_cases) == (
        "cost",
        2,
        1,
    )
    assert points.incomplete is not None
    assert not points.incomplete.coefficient
    assert points.readmission is not None
    assert points.readmission.days == 10
    assert points.bed_day is not None
