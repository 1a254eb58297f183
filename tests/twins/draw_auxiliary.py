"""Random auxiliary types: families of levels, lists of diagnoses, listed coefficients."""

from __future__ import annotations

from random import Random

from twins.codes import Row
from twins.draw import DIAGNOSES, chance, some

LISTS = ["ill", "worse"]


def auxiliary_level(rng: Random, name: str) -> Row:
    """A level of an auxiliary family, one or two conditions."""
    conditions: list[Row] = [
        {"ways": rng.choice([[5], [1, 2]])},
        {"lists": some(rng, LISTS, 2)},
        {"los_from": rng.choice([2, 3])},
        {"los_upto": rng.choice([5, 8])},
        {"cost_from": rng.choice(["0.5", "1", "1.5", "3"])},
        {"fees": some(rng, ["treat_fee", "drug_fee"], 2), "fee_share_from": rng.choice(["0.3", "0.5", "0"])},
        {"cci_from": rng.choice([1, 2, 3])},
        {"cci_upto": rng.choice([3, 4])},
        {"age_from": 1},
        {"age_upto": rng.choice([0, 1])},
        {"age_days_from": rng.choice([0, 29]), "age_days_upto": rng.choice([29, 364, 400])},
        {"icu_days_from": rng.choice([1, 2])},
    ]
    found: Row = {"name": name, "title": ""}
    for one in rng.sample(conditions, rng.choice([1, 1, 2])):
        found.update(one)
    if found.get("age_from") == 1 and found.get("age_upto") == 0:
        found["age_upto"] = 1
    return found


def auxiliary_rules(rng: Random) -> Row:
    """Auxiliary types: one to three families; levels of the later ones may be split by the first."""
    families: list[Row] = []
    for place in range(rng.choice([1, 2, 3])):
        levels = [auxiliary_level(rng, f"l{at}") for at in range(rng.choice([1, 2, 3]))]
        if place and chance(rng, 0.7):
            rng.choice(levels)["split_by"] = "f0"
        families.append(
            {
                "name": f"f{place}",
                "title": "",
                "main_in": some(rng, LISTS, 2) if chance(rng, 0.2) else [],
                "main_not_in": some(rng, LISTS, 1) if chance(rng, 0.2) else [],
                "levels": levels,
            }
        )
    return {
        "source": rng.choice(["measured", "measured", "listed"]),
        "comorbidity": "comorbidity.csv",
        "min_cases": rng.choice([1, 2, 4]),
        "min_level_cases": rng.choice([1, 1, 2]),
        "cv_drop": rng.choice(["0", "0.05", "0.2", "1"]),
        "decimals": rng.choice([4, 4, 2]),
        "excluded_layers": rng.choice([["comprehensive"], []]),
        "families": families,
    }


def comorbidity_lists(rng: Random) -> list[tuple[str, str | None, str, int | None]]:
    """Every list with some codes or beginnings of codes."""
    known = [*DIAGNOSES, *(code[:3] for code in DIAGNOSES), "C", "A54.301"]
    found: list[tuple[str, str | None, str, int | None]] = []
    for name in LISTS:
        found += [(name, None, code, None) for code in dict.fromkeys(some(rng, known, 4))]
    for code in dict.fromkeys(some(rng, known, 6)):
        found.append(("cci", rng.choice("ab"), code, rng.choice([1, 2, 3])))
    return found


def listed_auxiliary(region: Row, rules: Row, groups: list[Row]) -> list[Row]:
    """The drawn rows of auxiliary.csv for the groups of a catalogue and the families of a policy."""
    settings = rules["auxiliary"]
    able = [row["group_id"] for row in groups if row["layer"] not in settings["excluded_layers"]]
    found: list[Row] = []
    for place, family, level, los, coefficient in region["auxiliary_drawn"]:
        if not able:
            continue
        own = settings["families"][family % len(settings["families"])]
        levels = ["other", *(one["name"] for one in own["levels"] if not one.get("split_by"))]
        row = {
            "group_id": able[place % len(able)],
            "family": own["name"],
            "level": levels[level % len(levels)],
            "los_from": los[0],
            "los_upto": los[1],
            "coefficient_e4": coefficient,
        }
        found.append(row)
    return found
