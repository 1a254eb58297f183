"""A hand-made scheme in the official layout groups stays as the national scheme is said to."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs import DipCatalog
from fenzhi.catalogs.dip import LocalLayout, Sources, read_dip
from fenzhi.codes import read_table
from fenzhi.pipeline.api import group

from .book import OPERATIONS, official, write

Stay = tuple[str, list[str], list[str], int | None, int | None]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> DipCatalog:
    folder = tmp_path_factory.mktemp("scheme")
    book = write(folder / "scheme.xlsx", official())
    types = write(folder / "types.xlsx", OPERATIONS)
    read = read_dip(Sources((book,), {"operations": types}, LocalLayout(), {}))
    assert read.report.errors == []
    assert read.catalog is not None
    return read.catalog


def groups_of(catalog: DipCatalog, stays: list[Stay]) -> list[str]:
    """The group of each stay: id, principal diagnosis and others, operations, age in days, birth weight."""
    frame = pl.DataFrame(
        {
            "setl_id": [stay[0] for stay in stays],
            "diag_codes": [stay[1] for stay in stays],
            "oprn_codes": [stay[2] for stay in stays],
            "age": [None if stay[3] is None else 0 for stay in stays],
            "nwb_age": [stay[3] for stay in stays],
            "nwb_bir_wt": [stay[4] for stay in stays],
        },
        schema_overrides={
            "diag_codes": pl.List(pl.String),
            "oprn_codes": pl.List(pl.String),
            "age": pl.Int16,
            "nwb_age": pl.Int32,
            "nwb_bir_wt": pl.Int32,
        },
    )
    found = group(frame, catalog).frame.select("group_id", "reason")
    return [code or f"({reason})" for code, reason in found.iter_rows()]


def _codes(*cells: str | None) -> list[str]:
    return [code.rstrip("*") for cell in cells if cell for code in cell.split("|")]


def test_the_known_answers(catalog: DipCatalog, reference_data: Path) -> None:
    known = read_table(reference_data / "dip30_known_answers.csv")
    assert known.height == 29
    stays: list[Stay] = [
        (
            row["case_id"],
            _codes(row["main_diag"], row["other_diag"]),
            _codes(row["main_oprn"], row["related_oprn"]),
            None if row["day_age"] is None else int(row["day_age"]),
            None if row["birth_weight_g"] is None else int(row["birth_weight_g"]),
        )
        for row in known.iter_rows(named=True)
    ]
    found = groups_of(catalog, stays)
    wrong = []
    for row, got in zip(known.iter_rows(named=True), found, strict=True):
        answer = row["expected_seq"]
        if answer == "EXCLUDED":
            right = got == "(excluded_diagnosis)"
        elif answer.startswith("NOT "):
            right = not got.startswith(answer.removeprefix("NOT "))
        else:
            right = got == answer
        if not right:
            wrong.append((row["case_id"], got, answer))
    assert wrong == []


MORE: list[tuple[str, list[str], list[str], int | None, int | None, str]] = [
    # pre-groups: any position, the more specific one, one extension never for another
    ("a", ["I50.900"], ["88.4100", "33.6x00"], None, None, "XQ-1"),
    ("a", ["J96.001"], ["96.7201", "39.9500x007"], None, None, "XQ-13"),
    ("a", ["J96.001"], ["96.7201", "39.9500x008"], None, None, "XQ-14"),
    ("a", ["A41.900"], ["96.7201"], None, None, "XQ-14"),
    # newborns: 28 days is in, 29 is not; the bands' ends; without an age or a weight
    ("n", ["P07.000"], [], 3, 800, "XQ-16"),
    ("n", ["P07.000"], [], 28, 999, "XQ-16"),
    ("n", ["P07.000"], [], 29, 999, "JC-4478"),
    ("n", ["P07.000"], [], 10, 1000, "XQ-17"),
    ("n", ["P07.100"], [], 20, 1499, "XQ-17"),
    ("n", ["P07.100"], [], 20, 1500, "XQ-18"),
    ("n", ["P07.100"], [], 20, 2499, "XQ-19"),
    ("n", ["P07.100"], [], 20, 2500, "P07-1"),
    ("n", ["P07.000"], [], None, 1400, "JC-4478"),
    ("n", ["P07.000"], [], 10, None, "JC-4478"),
    ("n", ["P59.900"], [], 5, 3200, "JC-4513"),
    # merged: either diagnosis, either operation, the related one makes its own group
    ("m", ["I20.100"], ["36.0700"], None, None, "BX-609"),
    ("m", ["D18.000"], ["21.0300x004"], None, None, "BX-332"),
    ("m", ["D18.000"], ["21.0300"], None, None, "BX-332"),
    ("m", ["I70.100"], ["39.9016", "39.5002"], None, None, "BX-720"),
    ("m", ["I70.100"], ["39.9016"], None, None, "BX-719"),
    ("m", ["I70.100"], ["39.5002"], None, None, "JC-3285"),
    # burns: degree, area, operation, another operation falls to the row without one
    ("b", ["T21.200", "T31.000"], [], None, None, "FZ-1745"),
    ("b", ["T21.200", "T31.000"], ["86.2200x011"], None, None, "FZ-1746"),
    ("b", ["T21.200", "T31.000"], ["86.6201"], None, None, "FZ-1747"),
    ("b", ["T21.200", "T31.000"], ["88.4100"], None, None, "FZ-1745"),
    ("b", ["T21.300", "T31.400"], [], None, None, "FZ-1764"),
    ("b", ["T30.200", "T31.100"], [], None, None, "T30-1"),
    ("b", ["T30.100"], [], None, None, "T30-1"),
    # tumours: family of another diagnosis by combination of treatments
    ("t", ["Z51.102", "C80.900"], ["99.2503"], None, None, "FZ-1774"),
    ("t", ["Z51.102", "C88.000"], ["99.2503", "99.2800x006"], None, None, "FZ-1784"),
    ("t", ["Z51.102", "C91.000"], ["99.2503", "99.2800x006", "99.2800x005"], None, None, "FZ-1793"),
    ("t", ["Z51.800", "C81.000"], ["99.2800x006", "99.2800x005"], None, None, "FZ-1802"),
    ("t", ["Z51.800", "C90.000"], ["99.2800x005"], None, None, "FZ-1806"),
    ("t", ["Z51.102", "C34.900"], ["88.4100", "99.2800x005", "99.2503"], None, None, "FZ-1771"),
    ("t", ["Z51.102", "C80.900"], [], None, None, "JC-5111"),
    ("t", ["Z51.102", "C97.x00"], ["99.2503"], None, None, "Z51-3"),
    # tuberculosis: listed principal diagnosis or U84.3 beside it, with and without operation
    ("r", ["A15.100"], [], None, None, "FZ-1837"),
    ("r", ["A15.100"], ["34.0401"], None, None, "FZ-1829"),
    ("r", ["A16.200", "U84.300"], [], None, None, "FZ-1836"),
    ("r", ["A15.000x010"], [], None, None, "FZ-1836"),
    ("r", ["A15.000x010"], ["34.0401"], None, None, "FZ-1828"),
    ("r", ["A15.000x011"], [], None, None, "FZ-1837"),
    ("r", ["A19.900"], ["33.2402"], None, None, "FZ-1855"),
    # basic: conservative, both subcategories
    ("j", ["K35.900"], ["47.0100"], None, None, "JC-3625"),
    ("j", ["K35.800"], [], None, None, "JC-3626"),
    # excluded: the next operation becomes main; the whole case conservative; only within a range
    ("x", ["K35.800"], ["00.3101", "47.0100"], None, None, "JC-3625"),
    ("x", ["H16.000"], ["11.6000", "36.1200"], None, None, "JC-2975"),
    ("x", ["A09.000"], ["45.1300"], None, None, "A09-1"),
    ("x", ["I25.100"], ["45.1300", "36.1200"], None, None, "I25-1"),
    ("x", ["Z51.100", "C34.900"], ["99.2503"], None, None, "(excluded_diagnosis)"),
    # comprehensive: category by the kind of the main operation; interventional counts as surgery
    ("c", ["I63.900"], [], None, None, "I63-1"),
    ("c", ["I63.900"], ["88.4100"], None, None, "I63-2"),
    ("c", ["I63.900"], ["99.1000"], None, None, "I63-3"),
    ("c", ["I63.900"], ["39.7200x001"], None, None, "I63-4"),
    ("c", ["I25.100"], ["36.1200"], None, None, "I25-4"),
    ("c", ["I25.100"], ["88.4100", "36.1200"], None, None, "I25-2"),
    ("c", ["M99.900"], [], None, None, "(no_group)"),
]


def test_every_layer_and_condition(catalog: DipCatalog) -> None:
    stays: list[Stay] = [(f"{at}", *case[1:5]) for at, case in enumerate(MORE)]
    found = groups_of(catalog, stays)
    wrong = [(case[:5], got, case[5]) for case, got in zip(MORE, found, strict=True) if got != case[5]]
    assert wrong == []


def test_what_the_rows_become(catalog: DipCatalog) -> None:
    rows = {row["group_id"]: row for row in catalog.groups.iter_rows(named=True)}
    assert (rows["XQ-13"]["main_diag"], rows["XQ-13"]["treatment"]) == (None, "any_operation")
    assert (rows["XQ-16"]["age_days_max"], rows["XQ-16"]["birth_weight_min_g"]) == (28, 0)
    assert rows["XQ-19"]["birth_weight_max_g"] == 2499
    assert rows["FZ-1840"]["any_diag"] == "@TB_RESISTANT"
    assert rows["FZ-1841"]["any_diag"] is None
    assert catalog.code_sets == {"TB_RESISTANT": ("A15.000x010", "A15.000x012", "U84.3")}
    flagged = [code for code, row in rows.items() if row["grassroots"]]
    assert flagged == ["JC-1858", "JC-3625"]
    assert catalog.exclusions.filter(kind="main_within")["within"].to_list() == ["A00-A09|C15-C26|K20-K93"]
    assert catalog.meta.layers == ("pregroup", "merged", "assisted", "basic", "comprehensive")
    assert (catalog.meta.kind, catalog.meta.synthetic) == ("imported", False)
