"""Merged packs shown, compared, titled, and their schema."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal

import pytest

from fenzhi.errors import PolicyError
from fenzhi.policy import load_policy, policies_dir
from fenzhi.policy.base import Section
from fenzhi.policy.diff import diff_packs
from fenzhi.policy.fields import leaves, plain, tables_in, written
from fenzhi.policy.models import Policy
from fenzhi.policy.origins import show_pack, shown_json
from fenzhi.policy.schema import json_schema, sentences
from fenzhi.policy.titles import TITLES, title_of

SHIPPED = sorted(path.stem for path in policies_dir().glob("*.toml"))


def keys(model, place=()):
    """Every place of a pack that a key may stand at."""
    for name, field in model.model_fields.items():
        yield (*place, name)
        for inner in tables_in(field.annotation):
            yield from keys(inner, (*place, name))


# ---- titles -------------------------------------------------------------------------------------------------------


def test_no_title_is_for_nothing():
    known = {".".join(place[start:]) for place in keys(Policy) for start in range(len(place))}
    assert set(TITLES) <= known


def test_the_longer_name_comes_first():
    assert title_of(("deviation", "bands", 0, "points"), "en") == "points"
    assert title_of(("points",), "en") == "points of a case"
    assert title_of(("weights", "trim", "low"), "zh") == "下限"
    assert title_of(("no", "such", "key"), "zh") == "key"


# ---- show ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_value_is_shown_with_what_its_file_says_on_its_line(name):
    shown = show_pack(name)
    seen = 0
    files = {path: path.read_text(encoding="utf-8").splitlines() for path in shown.chain}
    for part in shown.sections:
        for value in part.values:
            assert (value.file is None) == (value.line is None)
            if value.file is None:
                continue
            line = files[value.file][value.line - 1]
            key, sign, rest = line.partition("=")
            if sign and key.strip() == value.place[-1] and not rest.endswith("["):
                [told] = tomllib.loads(f"key ={rest}", parse_float=Decimal).values()
                assert str(plain(told)) == str(plain(value.value))
                seen += 1
    assert seen > 5
    assert {part.name for part in shown.sections} | set(shown.off) == set(Policy.model_fields)


def test_the_national_rules_of_2020_stand_on_those_of_3_0():
    shown = show_pack("national-dip-1.0")
    assert [path.stem for path in shown.chain] == ["national-dip-3.0", "national-dip-1.0"]
    [weights] = [part for part in shown.sections if part.name == "weights"]
    values = {value.key: value for value in weights.values}
    assert values["trim.low"].file.stem == "national-dip-3.0"
    assert (values["trim.k"].value, values["trim.k"].file) == (2, None)
    assert (weights.confidence, weights.cite_file.stem) == ("published article", "national-dip-3.0")
    [deviation] = [part for part in shown.sections if part.name == "deviation"]
    bands = [value for value in deviation.values if value.place[1] == "bands"]
    assert {value.file.stem for value in bands if value.file} == {"national-dip-1.0"}
    assert "bands.4.upto" not in {value.key for value in bands}  # open, and not written


def test_one_section_as_json():
    data = json.loads(json.dumps(shown_json(show_pack("national-drg", "ungrouped"), "en")))
    assert list(data["sections"]) == ["ungrouped"]
    factor = data["sections"]["ungrouped"]["values"]["factor"]
    assert (factor["value"], factor["title"]) == ("0.7", "factor")
    assert factor["file"].endswith("national-drg.toml")
    assert show_pack("national-drg", "readmission").off == ("readmission",)


def test_a_section_there_is_not():
    with pytest.raises(PolicyError) as caught:
        show_pack("national-drg", "weight")
    assert caught.value.code == "POLICY_SECTION"
    assert "nearest is 'weights'" in caught.value.message


# ---- diff ---------------------------------------------------------------------------------------------------------


def changed(before: str, after: str) -> dict:
    return {
        change.key: (change.before, change.after)
        for change in diff_packs(load_policy(before), load_policy(after))
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_a_pack_does_not_differ_from_itself(name):
    assert changed(name, name) == {}


def test_differences_name_bands_and_sections():
    found = changed("national-dip-1.0", "national-dip-3.0")
    assert found["deviation.bands.low.points"] == ("ratio", "actual_cost")
    assert found["deviation.bands.high.upto"] == (5, None)
    assert found["deviation.bands.extreme.above"] == (5, None)
    assert "deviation.bands.low.upto" not in found
    assert not any(key.startswith("weights") for key in found)
    drg = changed("national-drg", "jinhua-drg-2017")
    assert drg["bed_day.steps.2.upto_days"] == (None, 90)
    assert "bed_day.steps.3.upto_days" not in drg  # open
    assert "stability" not in drg


def test_every_difference_is_one_of_the_values_and_back_again():
    there, back = (
        changed("national-dip-2.0", "jining-dip-2023"),
        changed("jining-dip-2023", "national-dip-2.0"),
    )
    assert {key: (two, one) for key, (one, two) in there.items()} == back
    assert len(dict(leaves(load_policy("jining-dip-2023")))) > len(there) > 0


# ---- how values are written ---------------------------------------------------------------------------------------


def test_values_as_toml_writes_them():
    values = (None, True, "a", Decimal("0.10"), (1, "b"), {"2105": "bed_day"}, 5)
    assert [written(value) for value in values] == [
        "-",
        "true",
        '"a"',
        "0.10",
        '[1, "b"]',
        '{"2105" = "bed_day"}',
        "5",
    ]


# ---- schema -------------------------------------------------------------------------------------------------------


def test_the_schema_has_every_key_with_titles_in_both_languages():
    schema = json_schema()
    json.dumps(schema)

    def at(entry, part):
        items = entry.get("items", {})
        refs = [
            one["$ref"]
            for one in (entry, items, *entry.get("anyOf", []), *items.get("oneOf", []))
            if "$ref" in one
        ]
        # A list of several kinds of tables: the first kind that has the key.
        tables = [schema["$defs"][ref.split("/")[-1]] for ref in refs] or [entry]
        return next(one["properties"][part] for one in tables if part in one["properties"])

    for place in keys(Policy):
        entry = schema
        for part in place:
            entry = at(entry, part)
        assert entry["title"]
        assert entry["description"].startswith(entry["title"])
    weights = schema["$defs"]["Weights"]
    assert weights["description"].startswith("权重测算。How weights are measured on history.")
    assert weights["properties"]["scale"]["title"] == "权重放大倍数 / scale of weights"
    assert "oldest to newest" in weights["properties"]["year_weights"]["description"]
    assert '"null"' not in json.dumps(schema)


def test_the_schema_asks_for_keys_only_where_nothing_is_laid_over():
    schema = json_schema()
    assert "required" not in schema
    assert "required" not in schema["$defs"]["Readmission"]
    assert schema["$defs"]["Band"]["required"] == ["name", "points"]
    assert all(entry["additionalProperties"] is False for entry in (schema, schema["$defs"]["Band"]))


def test_sentences_end_at_points_that_end_them():
    assert sentences("One of 2.5. ``two`` is 3.0: see. Three") == [
        "One of 2.5.",
        "``two`` is 3.0: see.",
        "Three",
    ]


def test_every_section_that_can_be_left_out_is_a_section():
    for name, field in Policy.model_fields.items():
        [model, *_] = tables_in(field.annotation)
        assert name == "meta" or issubclass(model, Section)
