"""The grouping rules read literally, one case at a time: slow, short, and only for tests of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import polars as pl

from fenzhi.catalogs import (
    DipCatalog,
    Rule,
    expand_sets,
    parse_diagnoses,
    parse_rules,
    range_limits,
    token_kind,
)
from fenzhi.catalogs.models import COMPREHENSIVE
from fenzhi.codes import split_extension


def _by_numbers(code: str) -> list[tuple[int, int, str]]:
    """A code with its numbers compared as numbers."""
    parts = re.findall(r"[0-9]+|[^0-9]+", code)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


SPECIFICITY = {"full": 0, "subcategory": 1, "category": 2, "range": 3}


def _diagnosis_fits(code: str, token: str) -> bool:
    kind = token_kind(token)
    if kind == "range":
        first, last = range_limits(token)
        return first <= code[:3] <= last
    if kind == "full":
        return code == token
    return code[: 3 if kind == "category" else 5] == token


def _operation_fits(code: str, token: str) -> bool:
    bases, extensions = split_extension(pl.Series([code, token]))
    return bases[0] == bases[1] and (extensions[0] == extensions[1] or None in extensions.to_list())


def _each_its_own(terms: Sequence[str], operations: Sequence[str]) -> bool:
    return any(
        all(_operation_fits(code, term) for code, term in zip(chosen, terms, strict=True))
        for chosen in permutations(operations, len(terms))
    )


def _operations_fit(one: Sequence[str], two: Sequence[str], main: str | None, others: list[str]) -> bool:
    """Every term its own operation; the main operation, if given, satisfies a term of ``one``."""
    if main is None:
        return _each_its_own((*one, *two), others)
    return any(
        _operation_fits(main, term) and _each_its_own((*one[:at], *one[at + 1 :], *two), others)
        for at, term in enumerate(one)
    )


@dataclass(frozen=True)
class Case:
    diagnoses: list[str]
    operations: list[str]
    age: int | None = None
    nwb_age: int | None = None
    nwb_bir_wt: int | None = None


class PlainGrouper:
    """Groups one case after the other by trying every row."""

    def __init__(self, catalog: DipCatalog) -> None:
        self.catalog = catalog
        self.rules, findings = parse_rules(catalog)
        assert not findings
        self.excluded = {
            (row["kind"] == "diagnosis", row["code"]): row for row in catalog.exclusions.iter_rows(named=True)
        }
        self.types = dict(zip(catalog.operations["code"], catalog.operations["type"], strict=True))

    def _acts_as_conservative(self, code: str, principal: str) -> bool:
        row = self.excluded.get((False, code))
        if row is None or row["kind"] == "cannot_be_main":
            return False
        if row["kind"] == "as_conservative":
            return True
        tokens = expand_sets(
            parse_diagnoses(row["within"], self.catalog.meta.dialect), self.catalog.code_sets
        )
        return not any(_diagnosis_fits(principal, token) for token in tokens)

    def _effective(self, operations: list[str], principal: str) -> tuple[str | None, list[str]]:
        """Return the operation that acts as main one and the further ones that count."""
        for position, code in enumerate(operations):
            row = self.excluded.get((False, code))
            if row is not None and row["kind"] == "cannot_be_main":
                continue
            if self._acts_as_conservative(code, principal):
                return None, []
            rest = operations[:position] + operations[position + 1 :]
            return code, [other for other in rest if not self._acts_as_conservative(other, principal)]
        return None, operations

    def _conditions(self, rule: Rule, case: Case) -> int | None:
        """Return how many further conditions the rule sets, None if the case misses one."""
        rest = case.diagnoses[1:]
        count = 0
        for tokens, codes in ((rule.other_diag, rest), (rule.any_diag, case.diagnoses)):
            if tokens:
                count += 1
                if not any(_diagnosis_fits(code, token) for code in codes for token in tokens):
                    return None
        if rule.age_days_max is not None:
            count += 1
            if case.nwb_age is None or case.age or case.nwb_age > rule.age_days_max:
                return None
        low, high = rule.birth_weight_min_g, rule.birth_weight_max_g
        if low is not None or high is not None:
            count += 1
            weight = case.nwb_bir_wt
            if weight is None or weight < (low or 0) or (high is not None and weight > high):
                return None
        return count

    def _treatment(self, rule: Rule, main: str | None, others: list[str]) -> list[tuple[int, int]]:
        """Return (main terms, related terms) of every AND-set by which the rule accepts the treatment."""
        if rule.treatment == "any":
            return [(0, 0)]
        if rule.treatment == "conservative":
            return [(0, 0)] if main is None else []
        if rule.treatment == "operation" and main is None:
            return []
        if rule.treatment in ("operation", "any_operation"):
            first = main if rule.treatment == "operation" else None
            pool = others if first or main is None else [main, *others]
            return [
                (len(one), len(two))
                for one in rule.main_oprn
                for two in rule.related_oprn or ((),)
                if _operations_fit(one, two, first, pool)
            ]
        kind = "medical" if main is None else self.types.get(main, "medical")
        return [(0, 0)] if rule.treatment == ("surgery" if kind == "interventional" else kind) else []

    def group(self, case: Case) -> tuple[str, str | None, str | None, str | None]:
        """Return outcome, layer, group and reason of one case."""
        principal = case.diagnoses[0]
        if (True, principal) in self.excluded:
            return "ungrouped", None, None, "excluded_diagnosis"
        main, others = self._effective(case.operations, principal)
        accepted = []
        for rule in self.rules:
            fitting = [token for token in rule.main_diag if _diagnosis_fits(principal, token)]
            conditions = self._conditions(rule, case)
            if conditions is None or (rule.main_diag and not fitting):
                continue
            specific = min((SPECIFICITY[token_kind(token)] for token in fitting), default=4)
            layer = self.catalog.meta.layers.index(rule.layer)
            for terms, related in self._treatment(rule, main, others):
                place = _by_numbers(rule.group_id)
                accepted.append(
                    (layer, -terms - conditions, -related, specific, place, rule.group_id, rule.layer)
                )
        if not accepted:
            return "ungrouped", None, None, "no_group"
        *_, group_id, layer_name = min(accepted)
        outcome = "comprehensive" if layer_name == COMPREHENSIVE else "grouped"
        return outcome, layer_name, group_id, None
