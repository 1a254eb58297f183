"""Any history and limits: the engine chooses the grassroots groups that the twin chooses; order changes nothing."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from fenzhi.weights.grassroots import choose_grassroots
from property.test_weights_twin import GROUPS, HISTORY, POLICIES, both
from twins.codes import TwinCatalog
from twins.draw import made
from twins.draw_year import chance, decimal, hospitals
from twins.engine import catalog_of, hospitals_of, policy_of
from twins.grassroots import criteria
from twins.profile import examples

MET = ("core", "cases_met", "share_met", "cv_met", "selected")


def section(rng):
    """Limits near what drawn histories have."""
    return {
        "coefficient": None,
        "primary_levels": rng.choice([["1"], ["1", "2"], ["3"]]),
        "share_min": rng.choice(["0", "0.5", "0.5", "0.3333", "1", decimal(rng, 0, 1)]),
        "cv_max": rng.choice(["0.0001", "0.5", "0.7", "1.5"]),
        "min_cases": rng.choice([1, 2, 3, 10]),
    }


def drawn_catalog(rng):
    empty = dict.fromkeys(("main_oprn", "related_oprn", "other_diag", "any_diag", "age_days_max"))
    band = dict.fromkeys(("birth_weight_min_g", "birth_weight_max_g"))
    rows = [
        {
            **empty,
            **band,
            "group_id": name,
            "layer": "comprehensive" if chance(rng, 0.2) else "basic",
            "treatment": "any",
            "main_diag": "K35",
            "grassroots": chance(rng, 0.3),
        }
        for name in GROUPS
    ]
    return TwinCatalog(groups=rows, layers=["basic", "comprehensive"])


@examples(150)
@given(history=HISTORY, rules=POLICIES, places=made(hospitals), seed=st.integers(0, 2**32 - 1))
def test_the_choice_is_the_twins(history, rules, places, seed):
    rng = Random(seed)
    rules = {**rules, "grassroots": section(rng)}
    # A benchmark group is named where weights are measured; here none are.
    rules["weights"]["method"] = "mean_cost"
    assume({place["level"] for place in places} & set(rules["grassroots"]["primary_levels"]))
    frame, rows = both(history, rules, places)
    twin = drawn_catalog(rng)
    catalog, policy = catalog_of(twin), policy_of(rules)
    expected = criteria(rows, twin.groups, places, rules)
    found = choose_grassroots(frame, catalog, policy, hospitals_of(places))
    assert found["group_id"].to_list() == GROUPS
    assert {row["group_id"]: {name: row[name] for name in MET} for row in found.to_dicts()} == expected
    order = rng.sample(range(frame.height), frame.height)
    assert choose_grassroots(frame[order], catalog, policy, hospitals_of(places)).equals(found)
    some = rng.sample(GROUPS, 2)
    few = choose_grassroots(frame, catalog, policy, hospitals_of(places), [*some, "X99", some[0]])
    assert few.filter("in_catalog").equals(found.filter(found["group_id"].is_in(some)))
    assert few.filter(~few["in_catalog"])["group_id"].to_list() == ["X99"]
    assert not few.filter(~few["in_catalog"])["selected"].any()
