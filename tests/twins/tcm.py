"""TCM-advantage groups (docs/rules.md, sections 2 and 3), one stay at a time.

A catalogue's ``tcm``: rows of tcm_groups.csv; ``tcm_operations``: (code, class) pairs; ``tcm_lists``: name -> codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from twins.codes import Row, TwinCatalog, extension
from twins.exact import E4, half_up, number, step_for


def tcm_ids(catalog: Any, rules: Mapping[str, Any]) -> list[str]:
    """Codes of the TCM-advantage groups that the policy lets a stay enter, in the order of the table."""
    rows = getattr(catalog, "tcm", []) if rules["tcm"] is not None else []
    return list(dict.fromkeys(row["group_id"] for row in rows))


def listed(cell: str | None, code: str, catalog: TwinCatalog, match: str) -> bool:
    """Whether a cell of diagnoses names a code."""
    tokens: list[str] = []
    for token in cell.split("|") if cell else []:
        tokens += catalog.tcm_lists[token[1:]] if token.startswith("@") else [token]
    return any(code == token or (match == "prefix" and code.startswith(token)) for token in tokens)


def fees(stay: Row, names: list[str]) -> int | None:
    """Sum of fees; None if one of them is missing."""
    values = [stay.get(f"{name}_fen") for name in names]
    return None if None in values else sum(values)


def alternative(stay: Row, row: Row, catalog: TwinCatalog, settings: Row, weighted: bool) -> Row:
    """What a row of conditions finds in a stay, and the names of the conditions that fail."""
    classes = (row["classes"] or "").split("|") if row["classes"] else []
    found, operations = set(), 0
    for code in stay["oprn_codes"]:
        own = {
            one for listed_code, one in catalog.tcm_operations if listed_code in (code, extension(code)[0])
        }
        found |= own & set(classes)
        operations += bool(own & set(classes))
    tcm = fees(stay, settings["tcm_fees"])
    every = fees(stay, [*settings["tcm_fees"], *settings["western_fees"]])
    failed = []
    match = settings["diagnosis_match"]
    if row["tcm_diag"] and not any(
        listed(row["tcm_diag"], c, catalog, match) for c in stay["tcm_diag_codes"]
    ):
        failed.append("tcm_diagnosis")
    days = stay["act_ipt_days"]
    if row["los_min_days"] is not None and (days is None or days < row["los_min_days"]):
        failed.append("los")
    if classes and not (
        len(found) >= (1 if row["min_classes"] is None else row["min_classes"])
        and operations >= (1 if row["min_operations"] is None else row["min_operations"])
    ):
        failed.append("operations")
    if every is None:
        failed.append("fees_missing")
    else:
        ratio = Fraction(tcm or 0, every) if every > 0 else None
        limit = number(settings["ratio_limit"])
        if ratio is None or not (ratio > limit or (ratio == limit and settings["ratio_included"])):
            failed.append("ratio")
    if not weighted:
        failed.append("no_weight")
    return {
        "group_id": row["group_id"],
        "failed": "|".join(failed),
        "classes": len(found),
        "operations": operations,
        "tcm_fee_fen": tcm,
        "all_fee_fen": every,
    }


def best_alternative(
    stay: Row, catalog: Any, rules: Mapping[str, Any], groups: Mapping[str, Row] | None
) -> Row | None:
    """The alternative of which the fewest conditions fail; None if no group lists the principal diagnosis.

    ``groups``: weights of the groups, None while the history is grouped.
    """
    if not tcm_ids(catalog, rules) or not stay["diag_codes"] or not stay["diag_codes"][0]:
        return None
    settings, found = rules["tcm"], []
    for row in catalog.tcm:
        if listed(row["main_diag"], stay["diag_codes"][0], catalog, settings["diagnosis_match"]):
            weighted = groups is None or groups[row["group_id"]]["rw_e4"] is not None
            found.append(alternative(stay, row, catalog, settings, weighted))
    return min(found, key=lambda one: len([w for w in one["failed"].split("|") if w]), default=None)


def stated_weights(catalog: Any, rules: Mapping[str, Any]) -> dict[str, Row]:
    """What the catalogue states: group -> weight, or reference group and share."""
    stated: dict[str, Row] = {}
    for gid in tcm_ids(catalog, rules):
        rows = [row for row in catalog.tcm if row["group_id"] == gid]
        said = {
            name: next((row[name] for row in rows if row.get(name) is not None), None)
            for name in ("weight", "reference_group", "share")
        }
        if said["weight"] is not None or said["reference_group"] is not None:
            stated[gid] = said
    return stated


def state(groups: Mapping[str, Row], stated: Mapping[str, Row], settings: Mapping[str, Any]) -> None:
    """Give the stated weights to their groups, after all others have theirs."""
    for gid, said in stated.items():
        base = (
            E4 * settings["scale"] if said["weight"] is not None else groups[said["reference_group"]]["rw_e4"]
        )
        factor = number(said["weight"] if said["weight"] is not None else said["share"] or "1")
        groups[gid]["rw_e4"] = (
            None if base is None else half_up(base * factor, step_for(settings["decimals"]))
        )
