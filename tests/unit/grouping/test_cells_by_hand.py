"""Every kind of cell, one small catalogue each: what accepts a stay and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from worked import catalog, row, stays

from fenzhi.catalogs import Dialect, DipCatalog
from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.policy.models import Grouping


def found(
    rules: DipCatalog, diag: str, oprn: str = "", *, policy: Grouping | None = None, **stay: Any
) -> Any:
    """Return the group of one stay, or the reason why it has none."""
    frame = group_dip(
        stays({"diag": diag, "oprn": oprn, **stay}), compile_catalog(rules, policy or Grouping())
    ).frame
    group, reason = frame.select("group_id", "reason").row(0)
    return group or reason


def accepts(cells: dict[str, Any], diag: str, oprn: str = "", **stay: Any) -> bool:
    """Tell whether a catalogue of one row with these cells accepts the stay."""
    made = {"main_diag": None, "treatment": "any", **cells}
    return (
        found(catalog(row("G", made.pop("main_diag"), made.pop("treatment"), **made)), diag, oprn, **stay)
        == "G"
    )


# --- diagnosis ---


@pytest.mark.parametrize(
    ("cell", "inside", "outside"),
    [
        ("K35.800", ["K35.800"], ["K35.801", "K35.8", "K35.800x001", "K35"]),
        ("K35.800x001", ["K35.800x001"], ["K35.800", "K35.800x002"]),
        ("K35.8", ["K35.8", "K35.800", "K35.800x001", "K35.801"], ["K35.900", "K35", "K35.x00"]),
        ("I10.x", ["I10.x00", "I10.x00x002"], ["I10", "I10.900"]),
        ("K35", ["K35", "K35.800", "K35.x00", "K35.900x001"], ["K36.000", "K3", "J35.800"]),
        ("C00-C75", ["C00.000", "C75.900x001", "C34.9", "C75"], ["C76.000", "B99.x00", "D00.000"]),
        ("G99-H01", ["G99.200", "H00.000", "H01.100"], ["G98.x00", "H02.000"]),
        ("K35.8|K36", ["K35.800", "K36.x00"], ["K35.900", "K37.x00"]),
        ("E11.4", ["E11.401+G63.2*"], ["E11.501+I79.2*", "G63.200*"]),
        ("E11.401+G63.2*", ["E11.401+G63.2*"], ["E11.401"]),
        ("", ["K35.800", "Z99.900", "X"], []),
    ],
)
def test_principal_diagnosis(cell: str, inside: list[str], outside: list[str]) -> None:
    for code in inside:
        assert accepts({"main_diag": cell}, code), code
    for code in outside:
        assert not accepts({"main_diag": cell}, code), code


def test_the_principal_diagnosis_is_the_first_and_no_other() -> None:
    assert accepts({"main_diag": "K35"}, "K35.800|I10.x00")
    assert not accepts({"main_diag": "K35"}, "I10.x00|K35.800")


def test_a_named_set_holds_tokens_of_any_length() -> None:
    sets = {"TB": ("A15.000x010", "A16.2", "A18", "U84-U85")}
    rules = catalog(row("G", "@TB|B90"), code_sets=sets)
    for code in ("A15.000x010", "A16.200x002", "A18.900", "U85.x00", "B90.900"):
        assert found(rules, code) == "G", code
    for code in ("A15.000", "A16.300", "U86.x00"):
        assert found(rules, code) == "no_group", code


def test_other_diagnoses_are_those_after_the_first() -> None:
    cells = {"main_diag": "Z51.1", "other_diag": "C00-C75|C80.0"}
    assert accepts(cells, "Z51.101|I10.x00|C34.901")
    assert accepts(cells, "Z51.101|C80.000")
    assert not accepts(cells, "Z51.101|C80.900")
    assert not accepts(cells, "Z51.101")
    # The principal diagnosis itself does not count as another one.
    assert not accepts({"main_diag": "C34", "other_diag": "C34"}, "C34.901")
    assert accepts({"main_diag": "C34", "other_diag": "C34"}, "C34.901|C34.902")


def test_any_diagnosis_may_be_the_principal_one() -> None:
    cells = {"main_diag": "A15", "any_diag": "U84.3|A15.000x010"}
    assert accepts(cells, "A15.000x010")
    assert accepts(cells, "A15.101|I10.x00|U84.300")
    assert not accepts(cells, "A15.101|U84.400")


def test_other_and_any_diagnosis_may_be_asked_for_together() -> None:
    cells = {"main_diag": "A15", "other_diag": "J96", "any_diag": "U84.3"}
    assert accepts(cells, "A15.101|J96.000|U84.300")
    assert not accepts(cells, "A15.101|J96.000")
    assert not accepts(cells, "A15.101|U84.300")


# --- treatment ---

A, B, C = "47.0100", "54.5100", "51.2300"


def test_operation_asks_for_the_main_operation() -> None:
    cells = {"treatment": "operation", "main_oprn": A}
    assert accepts(cells, "K35.800", A)
    assert accepts(cells, "K35.800", f"{A}|{B}")
    assert not accepts(cells, "K35.800", f"{B}|{A}")
    assert not accepts(cells, "K35.800")


def test_alternatives_and_sets_of_main_operations() -> None:
    cells = {"treatment": "operation", "main_oprn": f"{A}|{B}+{C}"}
    assert accepts(cells, "K35.800", A)
    # The main operation is one of the set, the rest of the set stands anywhere behind it.
    assert accepts(cells, "K35.800", f"{B}|88.0100|{C}")
    assert accepts(cells, "K35.800", f"{C}|{B}")
    assert not accepts(cells, "K35.800", B)
    assert not accepts(cells, "K35.800", f"88.0100|{B}|{C}")


def test_any_operation_asks_for_the_set_anywhere() -> None:
    cells = {"treatment": "any_operation", "main_oprn": f"{B}+{C}|{A}"}
    assert accepts(cells, "K35.800", f"88.0100|{C}|{B}")
    assert accepts(cells, "K35.800", f"88.0100|{A}")
    assert not accepts(cells, "K35.800", f"88.0100|{B}")
    assert not accepts(cells, "K35.800")


def test_conservative_and_any() -> None:
    assert accepts({"treatment": "conservative"}, "K35.800")
    assert not accepts({"treatment": "conservative"}, "K35.800", A)
    assert accepts({"treatment": "any"}, "K35.800")
    assert accepts({"treatment": "any"}, "K35.800", A)


def test_related_operations_stand_beside_the_main_one() -> None:
    cells = {"treatment": "operation", "main_oprn": A, "related_oprn": f"{B}|{C}+88.0100"}
    assert accepts(cells, "K35.800", f"{A}|99.0000|{B}")
    assert accepts(cells, "K35.800", f"{A}|88.0100|{C}")
    assert not accepts(cells, "K35.800", f"{A}|{C}")
    assert not accepts(cells, "K35.800", A)
    assert not accepts(cells, "K35.800", f"{B}|{A}")


@pytest.mark.parametrize(
    ("form", "cell", "yes", "no"),
    [
        (Dialect("or_of_ands", "/", "+"), f"{A}/{B}+{C}", [A, f"{B}|{C}"], [B, f"{C}"]),
        (Dialect("and_of_ors", "/", "+"), f"{A}/{B}+{C}", [f"{A}|{C}", f"{C}|{B}"], [A, f"{A}|{B}"]),
        (Dialect("all", "|", ","), f"{A},{B}", [f"{A}|{B}", f"{B}|{A}"], [A, B]),
    ],
)
def test_the_dialect_says_how_a_cell_is_read(form: Dialect, cell: str, yes: list[str], no: list[str]) -> None:
    rules = catalog(row("G", "K35", "operation", main_oprn=cell), dialect=form)
    assert [found(rules, "K35.800", oprn) for oprn in yes] == ["G"] * len(yes)
    assert [found(rules, "K35.800", oprn) for oprn in no] == ["no_group"] * len(no)


# --- extensions, and one operation for one term ---


@pytest.mark.parametrize(
    ("token", "code", "fits"),
    [
        ("99.2800x005", "99.2800x005", True),
        ("99.2800x005", "99.2800", True),
        ("99.2800x005", "99.2800x006", False),
        ("99.2800x005", "99.2801", False),
        ("99.2800", "99.2800", True),
        ("99.2800", "99.2800x005", True),
        ("99.2800", "99.2801x005", False),
        # An x inside the base is no extension.
        ("33.6x00", "33.6x00", True),
        ("33.6x00", "33.6x00x001", True),
        ("33.6x00x001", "33.6x00", True),
        ("33.6", "33.6x00", False),
        ("74.1x01", "74.1x02", False),
    ],
)
def test_extensions(token: str, code: str, fits: bool) -> None:
    for treatment in ("operation", "any_operation"):
        assert accepts({"treatment": treatment, "main_oprn": token}, "K35.800", code) is fits
    related = {"treatment": "operation", "main_oprn": A, "related_oprn": token}
    assert accepts(related, "K35.800", f"{A}|{code}") is fits


X5, X6, BARE = "99.2800x005", "99.2800x006", "99.2800"


@pytest.mark.parametrize(
    ("cell", "oprn", "fits"),
    [
        # Both sides: the same term twice needs two operations.
        (f"{A}+{A}", A, False),
        (f"{A}+{A}", f"{A}|{A}", True),
        (f"{A}+{A}", f"{A}|{A}x001", True),
        # A bare code serves one of the two extensions, not both.
        (f"{X5}+{X6}", BARE, False),
        (f"{X5}+{X6}", f"{BARE}|{BARE}", True),
        (f"{X5}+{X6}", f"{X5}|{BARE}", True),
        (f"{X5}+{X6}", f"{BARE}|{X5}", True),
        (f"{X5}+{X6}", f"{X5}|{X5}", False),
        # The base takes any extension, but an operation that serves the extension is used up.
        (f"{X5}+{BARE}", X5, False),
        (f"{X5}+{BARE}", f"{X5}|{X6}", True),
        (f"{BARE}+{X5}", f"{X6}|{X5}", True),
        (f"{BARE}+{X5}", f"{X5}|{BARE}", True),
        (f"{BARE}+{X5}+{X6}", f"{X6}|{BARE}|{BARE}", True),
        (f"{BARE}+{X5}+{X6}", f"{X6}|{X6}|{BARE}", True),
        (f"{BARE}+{X5}+{X6}", f"{X6}|{X6}|{X6}", False),
    ],
)
def test_one_operation_serves_one_term(cell: str, oprn: str, fits: bool) -> None:
    for treatment in ("operation", "any_operation"):
        assert accepts({"treatment": treatment, "main_oprn": cell}, "Z51.101", oprn) is fits, treatment


def test_main_and_related_terms_need_operations_of_their_own() -> None:
    cells = {"treatment": "operation", "main_oprn": A, "related_oprn": A}
    assert not accepts(cells, "K35.800", A)
    assert accepts(cells, "K35.800", f"{A}|{A}")


# --- age and weight ---


@pytest.mark.parametrize(
    ("age", "days", "fits"),
    [
        (0, 0, True),
        (0, 28, True),
        (0, 29, False),
        (0, None, False),
        (None, None, False),
        (1, None, False),
        (None, 5, True),
    ],
)
def test_age_in_days(age: int | None, days: int | None, fits: bool) -> None:
    assert accepts({"main_diag": "P07", "age_days_max": 28}, "P07.000", age=age, nwb_age=days) is fits


def test_a_stay_of_a_year_or_more_is_older_than_its_days_say() -> None:
    assert not accepts({"age_days_max": 28}, "P07.000", age=3, nwb_age=5)
    assert accepts({"age_days_max": 365}, "P07.000", age=1)
    assert not accepts({"age_days_max": 364}, "P07.000", age=1)


@pytest.mark.parametrize(
    ("low", "high", "inside", "outside"),
    [
        (1000, 1499, [1000, 1499], [999, 1500, None]),
        (None, 999, [0, 999], [1000, None]),
        (2500, None, [2500, 9000], [2499, None]),
    ],
)
def test_birth_weight(
    low: int | None, high: int | None, inside: list[int], outside: list[int | None]
) -> None:
    cells = {"main_diag": "P07", "birth_weight_min_g": low, "birth_weight_max_g": high}
    assert [accepts(cells, "P07.000", nwb_bir_wt=grams) for grams in inside] == [True] * len(inside)
    assert [accepts(cells, "P07.000", nwb_bir_wt=grams) for grams in outside] == [False] * len(outside)
