"""Random catalogues and stays over a small alphabet of codes, so that rules meet, overlap and tie often.

Each row, stay or policy is made from one drawn number: hypothesis can leave rows and stays out when it
reduces a difference, and drawing stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from twins.codes import Row, TwinCatalog

T = TypeVar("T")

LAYERS = ["pregroup", "merged", "assisted", "basic", "comprehensive"]
KINDS = ["surgery", "interventional", "therapeutic", "diagnostic"]
DIAGNOSES = [
    "K35.800",
    "K35.800x001",
    "K35.900",
    "K36.x00",
    "C34.900",
    "C34.900x002",
    "C80.x00x003",
    "P07.000",
    "A15.100",
    "U84.300",
    "Z51.100",
    "A54.301+H13.1*",
]
RANGES = ["A00-C75", "C00-C75", "C76-C80", "K35-K36", "K36-Z51"]
SETS = ["FIRST", "SECOND"]
OPERATIONS = [
    "47.0100",
    "47.0100x001",
    "99.2800",
    "99.2800x005",
    "99.2800x006",
    "33.6x00",
    "33.6x00x001",
    "54.5100",
    "96.0700",
]
CONDITIONS = ["other_diag", "any_diag", "age_days_max", "birth_weight_min_g", "birth_weight_max_g"]
CRITERIA = [
    "layer",
    "most_terms",
    "most_related",
    "most_operations",
    "diagnosis_specificity",
    "higher_weight",
    "class_order",
    "no_unmatched_surgery",
    "closest_cost",
    "group_id",
]
CLASSES = [
    f"{family}-{kind}"
    for family in ("core", "grassroots", "comprehensive")
    for kind in (*KINDS, "conservative")
]


def made(maker: Callable[[Random], T]) -> st.SearchStrategy[T]:
    """Strategy of what ``maker`` makes from a generator seeded by one drawn number."""
    return st.integers(0, 2**32 - 1).map(lambda seed: maker(Random(seed)))


def some(rng: Random, values: list[Any], most: int, least: int = 1) -> list[Any]:
    """Distinct values in random order."""
    return rng.sample(values, min(len(values), rng.randint(least, most)))


def chance(rng: Random, share: float) -> bool:
    return rng.random() < share


def diagnosis_token(rng: Random, sets: bool = True) -> str:
    """A full code, 4 or 3 characters, a range or a named set."""
    form = rng.randrange(12)
    if form == 0 and sets:
        return "@" + rng.choice(SETS)
    if form <= 2:
        return rng.choice(RANGES)
    code = rng.choice(DIAGNOSES)
    return code if form <= 5 else code[:5] if form <= 8 else code[:3]


def diagnosis_cell(rng: Random, or_: str, sets: bool = True) -> str:
    tokens = [diagnosis_token(rng, sets) for _ in range(rng.choice((1, 1, 2, 3)))]
    return or_.join(dict.fromkeys(tokens))


def operation_cell(rng: Random, form: str, or_: str, and_: str) -> str:
    """One to three parts of one to three operations, joined as the dialect wants it."""

    def part(sign: str) -> str:
        return sign.join(rng.choice(OPERATIONS) for _ in range(rng.choice((1, 1, 1, 2, 2, 3))))

    if form == "all":
        return part(and_)
    inner, outer = (and_, or_) if form == "or_of_ands" else (or_, and_)
    return outer.join(part(inner) for _ in range(rng.choice((1, 1, 2, 3))))


def group_row(rng: Random, layers: list[str], form: str, or_: str, and_: str) -> Row:
    """One row of a catalogue, without its group code."""
    row: Row = dict.fromkeys(("main_oprn", "related_oprn", "other_diag", "any_diag", "age_days_max"))
    row["layer"] = rng.choice(layers)
    if row["layer"] == "comprehensive":
        row["treatment"] = rng.choice([*KINDS, *KINDS, "medical", "medical", "any"])
    else:
        row["treatment"] = rng.choice(
            ["operation"] * 6 + ["any_operation"] * 3 + ["conservative"] * 2 + ["any"]
        )
    if row["treatment"].endswith("operation"):
        row["main_oprn"] = operation_cell(rng, form, or_, and_)
        if chance(rng, 0.35):
            row["related_oprn"] = operation_cell(rng, form, or_, and_)
    row["main_diag"] = diagnosis_cell(rng, or_) if chance(rng, 0.85) else None
    for cell in ("other_diag", "any_diag"):
        if chance(rng, 0.15):
            row[cell] = diagnosis_cell(rng, or_)
    if chance(rng, 0.1):
        row["age_days_max"] = rng.choice([0, 28, 364])
    low, high = sorted(rng.sample([500, 999, 1000, 1500, 2500], 2))
    banded = chance(rng, 0.1)
    row["birth_weight_min_g"] = low if banded and chance(rng, 0.6) else None
    row["birth_weight_max_g"] = high if banded and chance(rng, 0.6) else None
    row["grassroots"] = chance(rng, 0.25)
    return row


def exclusion_list(rng: Random, or_: str) -> list[Row]:
    """Exclusions of every kind; a code stands once."""
    rows: list[Row] = []
    if chance(rng, 0.3):
        listed = [rng.choice([code, code[:5], code[:3]]) for code in some(rng, DIAGNOSES, 2)]
        rows += [{"kind": "diagnosis", "code": code} for code in dict.fromkeys(listed)]
    for code in some(rng, OPERATIONS, 5, 0):
        kind = rng.choice(["cannot_be_main", "cannot_be_main", "as_conservative", "main_within"])
        rows.append({"kind": kind, "code": code})
        if kind == "main_within":
            rows[-1]["within"] = diagnosis_cell(rng, or_)
    return [{"within": None, **row} for row in rows]


def dialect(rng: Random) -> tuple[str, str, str]:
    """Form and separators of operation cells."""
    form = rng.choice(["or_of_ands", "or_of_ands", "and_of_ors", "all"])
    return form, *rng.choice([("|", "+"), ("|", "+"), ("/", "+"), (",", "&"), (";", ","), ("|", ",")])


def assembled(rng: Random, signs: tuple[str, str, str], layers: list[str], rows: list[Row]) -> TwinCatalog:
    """A catalogue of the rows, with group codes in random order and random lists around them."""
    names = [f"{head}{n}" for n in range(1, len(rows) + 1) for head in ("G", "甲")]
    rng.shuffle(names)
    listed = some(rng, OPERATIONS, len(OPERATIONS), 0)
    form, or_, and_ = signs
    return TwinCatalog(
        groups=[{**row, "group_id": name} for row, name in zip(rows, names, strict=False)],
        layers=list(layers),
        exclusions=exclusion_list(rng, or_) if chance(rng, 0.6) else [],
        operations={code: rng.choice(KINDS) for code in listed},
        code_sets={name: list({diagnosis_token(rng, False): 0 for _ in range(3)}) for name in SETS},
        form=form,
        or_=or_,
        and_=and_,
    )


def fallback_rows(rng: Random, or_: str) -> list[Row]:
    """Wide rows, so that most stays end in some group."""
    wide = ["A00-C75", or_.join(["C76-C80", "K35-K36"]), "P00-U99", "Z51", None]
    kinds = [
        ("comprehensive", "any"),
        ("comprehensive", "medical"),
        ("basic", "conservative"),
        ("basic", "any"),
    ]
    rows = []
    for cell in wide:
        layer, treatment = rng.choice(kinds)
        row = dict.fromkeys((*CONDITIONS, "main_oprn", "related_oprn"))
        head = {"layer": layer, "treatment": treatment, "main_diag": cell}
        rows.append({**row, **head, "grassroots": chance(rng, 0.25)})
    return rows


@st.composite
def catalogs(draw: st.DrawFn, most_rows: int = 16, fallback: bool = False) -> TwinCatalog:
    """Small catalogues in any dialect, with any rows, exclusions, code sets and operation table."""
    rng = draw(made(lambda rng: rng))
    signs = dialect(rng)
    layers = rng.sample(LAYERS, len(LAYERS)) if chance(rng, 0.3) else LAYERS
    row = made(lambda own: group_row(own, layers, *signs))
    wide = fallback_rows(rng, signs[1]) if fallback else []
    return assembled(rng, signs, layers, draw(st.lists(row, min_size=1, max_size=most_rows)) + wide)


def drawn_catalog(rng: Random, rows: int = 40, fallback: bool = False) -> TwinCatalog:
    """One catalogue without hypothesis."""
    signs = dialect(rng)
    wide = fallback_rows(rng, signs[1]) if fallback else []
    return assembled(rng, signs, LAYERS, [group_row(rng, LAYERS, *signs) for _ in range(rows)] + wide)


def grouping_rules(rng: Random) -> dict[str, Any]:
    """The section of the policy that grouping reads, every option."""
    order = rng.sample(CRITERIA, rng.randint(1, len(CRITERIA)))
    if chance(rng, 0.4):
        order = ["layer", "most_terms", "most_related", "diagnosis_specificity", "group_id"]
    elif chance(rng, 0.4):
        order = [
            "layer",
            rng.choice(["closest_cost", "higher_weight", "class_order", "no_unmatched_surgery"]),
        ]
    if ("closest_cost" in order and chance(rng, 0.4)) or order[-1] == "no_unmatched_surgery":
        # What a row leaves of surgery is asked before cost.
        order = ["no_unmatched_surgery", *(name for name in order if name != "no_unmatched_surgery")]
    elif "closest_cost" in order:
        order = [name for name in order if name != "no_unmatched_surgery"]
    if order[0] == "closest_cost":
        order = ["layer", *(name for name in order if name != "layer")]
    operation_kinds = ["conservative", "diagnostic", "therapeutic", "interventional", "surgery"]
    return {
        "precedence": order,
        "class_order": some(rng, CLASSES, 8) if "class_order" in order else [],
        "unknown_operation_type": rng.choice(operation_kinds),
        "interventional_as": rng.choice(operation_kinds),
        "comprehensive_type": rng.choice(["main", "highest"]),
        "excluded_diagnosis_match": rng.choice(["exact", "prefix"]),
    }


def clinical_part(rng: Random) -> Row:
    """What grouping looks at: diagnoses, operations, age, birth weight."""
    diagnoses = [rng.choice(DIAGNOSES) for _ in range(rng.choice((1, 1, 2, 3)))]
    operations = [rng.choice(OPERATIONS) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4)))]
    age = rng.choice([None, 0, 0, 1, 40])
    days = rng.choice([None, 0, 1, 28, 29, 364]) if not age or chance(rng, 0.1) else None
    weight = rng.choice([None, 499, 500, 999, 1000, 1499, 1500, 2500, 3000])
    return {
        "diag_codes": diagnoses,
        "oprn_codes": operations,
        "age": age,
        "nwb_age": days,
        "nwb_bir_wt": weight,
    }


def grouping_stay(rng: Random) -> Row:
    """A stay as grouping alone needs it."""
    part = clinical_part(rng)
    for cell, first in (("oprn_codes", 0), ("diag_codes", 1)):
        if chance(rng, 0.1):  # a blank between codes is nothing
            part[cell].insert(rng.randint(first, len(part[cell])), rng.choice([None, "", " "]))
    return {**part, "cost_fen": rng.choice([0, 1, 5, 10, 1_000, rng.randrange(10**7)])}


def group_weights(rng: Random, catalog: TwinCatalog) -> dict[str, Row]:
    """Weights and means to decide by, with ties."""
    return {
        row["group_id"]: {"rw_e4": rng.choice([1, 2, 3]), "mean_cost_fen": rng.choice([1, 10, 20, 5_000])}
        for row in catalog.groups
    }
