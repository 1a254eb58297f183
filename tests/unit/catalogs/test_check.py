import time

import polars as pl
import pytest

from fenzhi.catalogs import (
    CatalogMeta,
    Dialect,
    DipCatalog,
    Finding,
    check_catalog,
    make_catalog,
    parse_rules,
    require_sound,
)
from fenzhi.errors import CatalogError

META = CatalogMeta(
    id="test",
    title="试验",
    version="1",
    kind="built",
    layers=("pregroup", "basic", "comprehensive"),
    dialect=Dialect("or_of_ands"),
    synthetic=True,
)
Row = dict[str, str | int]


def _catalog(*rows: Row, **tables: object) -> DipCatalog:
    full = [
        {"group_id": f"G{i}", "name": "名", "layer": "basic", "treatment": "conservative", **row}
        for i, row in enumerate(rows, 1)
    ]
    return make_catalog(META, pl.DataFrame(full), **tables)  # type: ignore[arg-type]


def _found(catalog: DipCatalog, **options: bool) -> list[Finding]:
    return check_catalog(catalog, **options)


FALLBACK: Row = {"group_id": "Z", "layer": "comprehensive", "main_diag": "A00-Z99", "treatment": "any"}


def test_a_sound_catalogue_gives_nothing() -> None:
    assert _found(_catalog({"main_diag": "K35.8"}, FALLBACK)) == []


def test_a_forgotten_category_is_a_warning_and_an_error_if_asked() -> None:
    catalog = _catalog(
        {"main_diag": "K35.8|K36"},
        {"main_diag": "K35.9"},
        {"group_id": "K36-1", "layer": "comprehensive", "main_diag": "K36", "treatment": "medical"},
    )
    (finding,) = _found(catalog)
    assert (finding.severity, finding.code, finding.row, finding.group_id) == (
        "warning",
        "CATALOG_FORGOTTEN_CATEGORY",
        1,
        "G1",
    )
    assert finding.value == "K35"
    require_sound(catalog)
    assert [one.severity for one in _found(catalog, strict=True)] == ["error"]
    with pytest.raises(CatalogError, match="category K35 has core groups such as G1"):
        require_sound(catalog, strict=True)


def test_a_comprehensive_subcategory_does_not_cover_the_category() -> None:
    catalog = _catalog(
        {"group_id": "Z", "layer": "comprehensive", "main_diag": "K35.8", "treatment": "any"},
        {"main_diag": "K35.9"},
    )
    assert [(one.value, one.group_id) for one in _found(catalog)] == [("K35", "G2")]


def test_every_category_of_a_core_range_needs_a_fallback() -> None:
    catalog = _catalog(
        {"main_diag": "A98-B01"},
        {"group_id": "Z", "layer": "comprehensive", "main_diag": "A99-B00", "treatment": "medical"},
    )
    assert [one.value for one in _found(catalog)] == ["A98", "B01"]


def test_categories_come_from_named_sets_too() -> None:
    catalog = _catalog(
        {"main_diag": "@TB"},
        {"group_id": "Z", "layer": "comprehensive", "main_diag": "U84", "treatment": "any"},
        code_sets={"TB": ("U84.300", "A15.000x010")},
    )
    assert [one.value for one in _found(catalog)] == ["A15"]


def test_a_fallback_for_any_diagnosis_forgets_nothing() -> None:
    catalog = _catalog({"main_diag": "K35.8"}, {**FALLBACK, "main_diag": ""})
    assert _found(catalog) == []


def test_without_a_comprehensive_layer_nothing_is_forgotten() -> None:
    meta = META.model_copy(update={"layers": ("basic",)})
    groups = _catalog({"main_diag": "K35.8"}).groups
    assert check_catalog(make_catalog(meta, groups)) == []


OPERATION: Row = {"treatment": "operation"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"main_diag": "K35.8|K35.9"}, {"main_diag": "K35.9|K35.8"}),
        ({"main_diag": "C00-C02"}, {"main_diag": "C02|C01|C00"}),
        ({"main_diag": "@A"}, {"main_diag": "K36|K35"}),
        (
            {"main_diag": "K35", **OPERATION, "main_oprn": "A+B|C"},
            {"main_diag": "K35", **OPERATION, "main_oprn": "C|B+A"},
        ),
        (
            {"main_diag": "K35", **OPERATION, "main_oprn": "A", "related_oprn": "B|C", "other_diag": "@A"},
            {
                "main_diag": "K35",
                **OPERATION,
                "main_oprn": "A",
                "related_oprn": "C|B",
                "other_diag": "K35|K36",
            },
        ),
    ],
)
def test_the_same_rule_twice_is_an_error(one: Row, two: Row) -> None:
    catalog = _catalog(one, two, FALLBACK, code_sets={"A": ("K35", "K36")})
    error = _found(catalog)[0]
    assert (error.severity, error.code, error.row, error.group_id) == ("error", "CATALOG_SAME_RULE", 2, "G2")
    assert "G1 (row 1) and G2 (row 2)" in error.message


@pytest.mark.parametrize(
    "change",
    [
        {"layer": "pregroup"},
        {"treatment": "any"},
        {"other_diag": "E11"},
        {"any_diag": "E11"},
        {"treatment": "operation", "main_oprn": "47.0100"},
        {"main_diag": "K35.900"},
    ],
)
def test_rows_that_differ_in_a_condition_are_two_rules(change: Row) -> None:
    assert _found(_catalog({"main_diag": "K35.9"}, {"main_diag": "K35.9", **change}, FALLBACK)) == []


@pytest.mark.parametrize(
    ("one", "two", "what"),
    [
        ({"main_diag": "K35.8|K35.9"}, {"main_diag": "K35.9|K36.0"}, "K35.9"),
        ({"main_diag": "C00-C05"}, {"main_diag": "C05"}, "C05"),
        (
            {"main_diag": "K35", **OPERATION, "main_oprn": "A|B+C"},
            {"main_diag": "K35", **OPERATION, "main_oprn": "C+B"},
            "K35",
        ),
        ({"treatment": "any"}, {"treatment": "any", "age_days_max": 28}, "any diagnosis"),
        (
            {"main_diag": "P07", "birth_weight_min_g": 0, "birth_weight_max_g": 1000},
            {"main_diag": "P07", "birth_weight_min_g": 1000, "birth_weight_max_g": 1499},
            "P07",
        ),
    ],
)
def test_rows_that_accept_the_same_stay_are_a_warning(one: Row, two: Row, what: str) -> None:
    (finding,) = _found(_catalog(one, two, FALLBACK))
    assert (finding.severity, finding.code, finding.value) == ("warning", "CATALOG_OVERLAP", what)
    assert "the group code decides" in finding.message


def test_bands_that_only_touch_do_not_overlap() -> None:
    catalog = _catalog(
        {"main_diag": "P07", "birth_weight_max_g": 999},
        {"main_diag": "P07", "birth_weight_min_g": 1000},
        FALLBACK,
    )
    assert _found(catalog) == []


def test_unusual_codes_unused_sets_and_untyped_operations_are_warnings() -> None:
    catalog = _catalog(
        {"main_diag": "K358", "treatment": "operation", "main_oprn": "47.0100"},
        FALLBACK,
        code_sets={"UNUSED": ("K35",)},
        operations=pl.DataFrame({"code": ["00.0100"], "name": ["x"], "type": ["surgery"]}),
    )
    found = {one.code: one for one in _found(catalog)}
    assert set(found) == {"CATALOG_SET_UNUSED", "CATALOG_ODD_CODE", "CATALOG_OPERATION_UNLISTED"}
    assert found["CATALOG_ODD_CODE"].value == "K358"
    assert found["CATALOG_OPERATION_UNLISTED"].value == "47.0100"
    assert {one.severity for one in found.values()} == {"warning"}


def test_errors_come_first_and_all_are_told() -> None:
    catalog = _catalog(
        {"main_diag": "K35.8"},
        {"main_diag": "K35|", "layer": "attic"},
        {"group_id": "G1", "main_diag": "K40"},
    )
    severities = [one.severity for one in _found(catalog)]
    assert severities == sorted(severities)
    codes = [one.code for one in _found(catalog)]
    assert codes[:3] == ["CATALOG_DUPLICATE_ID", "CATALOG_LAYER", "CATALOG_CELL"]
    assert codes.count("CATALOG_FORGOTTEN_CATEGORY") == 2


def test_a_typed_operation_table_is_checked_in_memory() -> None:
    operations = pl.DataFrame({"code": ["47.0100"], "name": ["x"], "type": ["cut"]})
    (finding,) = _found(_catalog({"main_diag": "K35"}, FALLBACK, operations=operations))
    assert (finding.code, finding.file, finding.row) == ("OPERATION_TYPE", "operations.csv", 1)


def test_rules_are_parsed_with_sets_expanded() -> None:
    catalog = _catalog(
        {"main_diag": "@A|K40", "treatment": "any_operation", "main_oprn": "A|B+C", "age_days_max": 28},
        code_sets={"A": ("K35", "K36")},
    )
    (rule,), findings = parse_rules(catalog)
    assert findings == []
    assert rule.main_diag == ("K35", "K36", "K40")
    assert rule.main_oprn == (("A",), ("B", "C"))
    assert rule.limits() == (28, None, None)


def test_a_national_catalogue_is_checked_in_seconds() -> None:
    rows: list[Row] = [
        {
            "main_diag": f"{chr(65 + i // 100 % 26)}{i % 100:02d}.{i % 10}",
            "treatment": "operation",
            "main_oprn": f"{i:06d}|{i:06d}x001+1",
        }
        for i in range(9_000)
    ]
    catalog = _catalog(*rows, FALLBACK)
    # Of computing, not of the clock: another program on the machine must not fail it.
    began = time.process_time()
    assert _found(catalog) == []
    assert time.process_time() - began < 15
