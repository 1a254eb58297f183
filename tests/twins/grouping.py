"""Grouping of one stay by brute force: test every row of the catalogue, then sort what accepts.

Written from docs/rules.md, sections 1 and 2, without a look at how the engine does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Any

from twins.codes import NO_MATCH, Row, TwinCatalog, best_match, operation_matches

KIND_ORDER = ["conservative", "diagnostic", "therapeutic", "interventional", "surgery"]
LAST = 10**9

Result = tuple[str, str | None, str | None, str | None]


@dataclass(frozen=True)
class Operations:
    """What is left of a stay's operations: codes in order and the place of the effective main one."""

    codes: tuple[str, ...]
    main: int | None


@dataclass(frozen=True)
class Candidate:
    """A row that accepts the stay with one choice of its AND-sets."""

    row: Row
    main: tuple[str, ...]
    related: tuple[str, ...]
    conditions: int
    specificity: int


def written(codes: list[str | None]) -> list[str]:
    """The codes of a list that are not blank."""
    return [code for code in codes if code and code.strip()]


def effective_operations(stay: Row, catalog: TwinCatalog) -> Operations:
    """Apply the exclusion lists of operations (2.2)."""
    principal = stay["diag_codes"][0]

    def listed(code: str, kind: str) -> bool:
        return any(entry["kind"] == kind and entry["code"] == code for entry in catalog.exclusions)

    def as_conservative(code: str) -> bool:
        within = [e for e in catalog.exclusions if e["kind"] == "main_within" and e["code"] == code]
        outside = any(best_match(catalog.tokens(e["within"]), principal) == NO_MATCH for e in within)
        return listed(code, "as_conservative") or outside

    codes = written(stay["oprn_codes"])
    can_be_main = [at for at, code in enumerate(codes) if not listed(code, "cannot_be_main")]
    if not can_be_main:
        return Operations(tuple(codes), None)
    main = can_be_main[0]
    if as_conservative(codes[main]):
        return Operations((), None)
    kept = [at for at, code in enumerate(codes) if at == main or not as_conservative(code)]
    return Operations(tuple(codes[at] for at in kept), kept.index(main))


def assignable(terms: tuple[str, ...], codes: list[str]) -> bool:
    """Can every term be served by an operation of its own? All assignments are tried."""
    return any(
        all(operation_matches(term, code) for term, code in zip(terms, chosen, strict=True))
        for chosen in permutations(codes, len(terms))
    )


def served(main: tuple[str, ...], related: tuple[str, ...], operations: Operations, treatment: str) -> bool:
    """Do the operations serve a main and a related AND-set, one operation for one term?"""
    codes = list(operations.codes)
    if treatment != "operation":
        return assignable(main + related, codes)
    if operations.main is None:
        return False
    further = codes[: operations.main] + codes[operations.main + 1 :]
    return any(
        operation_matches(term, codes[operations.main])
        and assignable(main[:at] + main[at + 1 :] + related, further)
        for at, term in enumerate(main)
    )


def kind_of(code: str, catalog: TwinCatalog, grouping: Mapping[str, Any]) -> str:
    """Kind of one operation in comprehensive groups: table, else the policy; interventional as told."""
    kind = catalog.operations.get(code, grouping["unknown_operation_type"])
    return grouping["interventional_as"] if kind == "interventional" else kind


def kind_of_stay(operations: Operations, catalog: TwinCatalog, grouping: Mapping[str, Any]) -> str:
    """Kind of the stay (2.5): of the effective main operation, or the highest over all."""
    if operations.main is None:
        return "conservative"
    codes = [operations.codes[operations.main]]
    if grouping["comprehensive_type"] == "highest":
        codes = list(operations.codes)
    return max((kind_of(code, catalog, grouping) for code in codes), key=KIND_ORDER.index)


def treatment_fits(treatment: str, operations: Operations, kind: str) -> bool:
    """Does the treatment word fit, apart from the operation cells?"""
    if treatment == "conservative":
        return operations.main is None
    if treatment in ("operation", "any_operation", "any"):
        return True
    return treatment == ("medical" if kind == "conservative" else kind)


def conditions_met(row: Row, stay: Row, catalog: TwinCatalog) -> int | None:
    """Number of further conditions of a row, all met; None if one is not."""
    met = 0
    codes = written(stay["diag_codes"])
    for cell, among in (("other_diag", codes[1:]), ("any_diag", codes)):
        if row[cell]:
            tokens = catalog.tokens(row[cell])
            if not any(best_match(tokens, code) != NO_MATCH for code in among):
                return None
            met += 1
    if row["age_days_max"] is not None:
        days = stay["nwb_age"]
        if (stay["age"] or 0) >= 1 or days is None or days > row["age_days_max"]:
            return None
        met += 1
    low, high, weight = row["birth_weight_min_g"], row["birth_weight_max_g"], stay["nwb_bir_wt"]
    if low is not None or high is not None:
        if weight is None or (low is not None and weight < low) or (high is not None and weight > high):
            return None
        met += 1
    return met


def candidates(stay: Row, catalog: TwinCatalog, grouping: Mapping[str, Any]) -> Iterator[Candidate]:
    """Yield every row, with every choice of its AND-sets, that accepts the stay (2.4)."""
    operations = effective_operations(stay, catalog)
    kind = kind_of_stay(operations, catalog, grouping)
    for row in catalog.groups:
        specificity = best_match(catalog.tokens(row["main_diag"]), stay["diag_codes"][0])
        conditions = conditions_met(row, stay, catalog)
        if specificity == NO_MATCH or conditions is None:
            continue
        if not treatment_fits(row["treatment"], operations, kind):
            continue
        for main in catalog.and_sets(row["main_oprn"]) or [()]:
            for related in catalog.and_sets(row["related_oprn"]) or [()]:
                if served(main, related, operations, row["treatment"]):
                    yield Candidate(row, main, related, conditions, specificity)


def excluded_principal(stay: Row, catalog: TwinCatalog, grouping: Mapping[str, Any]) -> bool:
    """Is the principal diagnosis on the exclusion list (2.1)?"""
    code = stay["diag_codes"][0]
    listed = [entry["code"] for entry in catalog.exclusions if entry["kind"] == "diagnosis"]
    if grouping["excluded_diagnosis_match"] == "prefix":
        return any(code.startswith(entry) for entry in listed)
    return code in listed


def row_class(row: Row, kind: str) -> str:
    """Class of a row for the criterion class_order."""
    if row["layer"] == "comprehensive":
        return f"comprehensive-{kind}"
    return f"grassroots-{kind}" if row["grassroots"] else f"core-{kind}"


def by_numbers(code: str) -> tuple[list[tuple[int, int, str]], str]:
    """A group code with its numbers compared as numbers: XQ-9 comes before XQ-14."""
    key: list[tuple[int, int, str]] = []
    at = 0
    while at < len(code):
        end = at + 1
        while end < len(code) and (code[end] in "0123456789") == (code[at] in "0123456789"):
            end += 1
        part = code[at:end]
        key.append((0, int(part), "") if part[0] in "0123456789" else (1, 0, part))
        at = end
    return key, code


def sort_key(
    candidate: Candidate,
    stay: Row,
    catalog: TwinCatalog,
    grouping: Mapping[str, Any],
    weights: Mapping[str, Mapping[str, Any]] | None,
) -> tuple[object, ...]:
    """The precedence as a sort key: smaller wins, the group code last (2.6)."""
    row = candidate.row
    group = (weights or {}).get(row["group_id"], {})
    key: list[object] = []
    for criterion in grouping["precedence"]:
        if criterion == "layer":
            key.append(catalog.layers.index(row["layer"]))
        elif criterion == "most_terms":
            key.append(-len(candidate.main) - candidate.conditions)
        elif criterion == "most_related":
            key.append(-len(candidate.related))
        elif criterion == "most_operations":
            key.append(-len(candidate.main) - len(candidate.related))
        elif criterion == "diagnosis_specificity":
            key.append(-candidate.specificity)
        elif criterion == "higher_weight":
            key.append(-(group.get("rw_e4") or 0))
        elif criterion == "closest_cost":
            mean = group.get("mean_cost_fen")
            key.append(LAST * LAST if mean is None else abs(Fraction(stay["cost_fen"]) - mean))
        elif criterion == "class_order":
            order = grouping["class_order"]
            name = row_class(row, row_kind(candidate, catalog, grouping))
            key.append(order.index(name) if name in order else LAST)
        elif criterion == "no_unmatched_surgery":
            key.append(len(surgery_left(candidate, stay, catalog, grouping)) > 0)
        elif criterion == "group_id":
            key.append(by_numbers(row["group_id"]))
    return (*key, by_numbers(row["group_id"]))


def surgery_left(
    candidate: Candidate, stay: Row, catalog: TwinCatalog, grouping: Mapping[str, Any]
) -> list[str]:
    """Effective operations of surgery that match no term of the row; none for comprehensive rows of surgery."""
    if candidate.row["layer"] == "comprehensive" and candidate.row["treatment"] == "surgery":
        return []
    terms = candidate.main + candidate.related
    return [
        code
        for code in effective_operations(stay, catalog).codes
        if kind_of(code, catalog, grouping) == "surgery"
        and not any(operation_matches(term, code) for term in terms)
    ]


def row_kind(candidate: Candidate, catalog: TwinCatalog, grouping: Mapping[str, Any]) -> str:
    """Kind of treatment a row stands for: its own word, else the highest kind of its main operation terms."""
    treatment = candidate.row["treatment"]
    if treatment == "medical":
        return "conservative"
    if treatment in KIND_ORDER:
        return str(treatment)
    unknown = grouping["unknown_operation_type"]
    kinds = [catalog.operations.get(term, unknown) for term in candidate.main]
    return max(kinds, key=KIND_ORDER.index, default="conservative")


def group_stay(
    stay: Row,
    catalog: TwinCatalog,
    grouping: Mapping[str, Any],
    weights: Mapping[str, Mapping[str, Any]] | None = None,
) -> Result:
    """Return outcome, layer, group_id, reason of one stay that is in scope."""
    if excluded_principal(stay, catalog, grouping):
        return "ungrouped", None, None, "excluded_diagnosis"
    found = list(candidates(stay, catalog, grouping))
    if not found:
        return "ungrouped", None, None, "no_group"
    best = min(found, key=lambda candidate: sort_key(candidate, stay, catalog, grouping, weights)).row
    outcome = "comprehensive" if best["layer"] == "comprehensive" else "grouped"
    return outcome, best["layer"], best["group_id"], None
