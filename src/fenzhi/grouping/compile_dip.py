"""A DIP catalogue and a policy become sorted tables that the kernel looks up.

Every catalogue row is spread into clauses (one AND-set of main operations x one of related operations),
every clause into
entries (one per diagnosis token and operation key it can be found by). Precedence is a sort of the entries.
Rules: docs/rules.md, section 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from fenzhi.arrays import Int32s
from fenzhi.catalogs.dialect import expand_sets, parse_tidy_cell, parse_tidy_diagnoses, token_kind
from fenzhi.catalogs.models import COMPREHENSIVE, KINDS, DipCatalog
from fenzhi.codes.normalise import split_extension
from fenzhi.errors import PolicyError
from fenzhi.kernels.dip import KEY_ANY, KEY_CONSERVATIVE, KEY_FIRST_TOKEN, KEY_KIND, Rules
from fenzhi.policy.models import Grouping

ANY_DIAGNOSIS = ""
# How specific a diagnosis token is: what a stay matches by decides, docs/rules.md 2.6.
SPECIFICITY = {"full": 4, "subcategory": 3, "category": 2, "range": 1, "any": 0}
KIND_OF = {
    "medical": 0,
    "conservative": 0,
    "diagnostic": 1,
    "therapeutic": 2,
    "interventional": 3,
    "surgery": 4,
}
CLASS_KIND = {"medical": "conservative"}
# The criterion that depends on what a row leaves of a stay's operations.
LEAVES_SURGERY = "no_unmatched_surgery"


@dataclass(frozen=True)
class Clause:
    """One AND-set of a catalogue row: the row, main terms, related terms, and how it is looked up."""

    group: int
    main: tuple[str, ...]
    related: tuple[str, ...]
    treatment: str


@dataclass(frozen=True)
class CompiledDip:
    """The tables of :class:`fenzhi.kernels.dip.Rules` with what is needed to translate codes and to explain.

    ``diag_tokens``: token -> id (id 0 is any diagnosis). ``oprn_tokens``: token -> key. ``conditions``: the
    token lists of
    other/any diagnosis cells and of main_within ranges, by id. ``uses_others``: diagnosis token id ->
    whether an entry looks
    at further diagnoses.
    """

    catalog: DipCatalog
    rules: Rules
    policy: Grouping
    clauses: tuple[Clause, ...]
    diag_tokens: dict[str, int]
    oprn_tokens: dict[str, int]
    conditions: tuple[tuple[str, ...], ...]
    uses_others: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @cached_property
    def group_layers(self) -> pl.Series:
        """Layer of every group, by group index."""
        return self.catalog.groups["layer"]

    @cached_property
    def tokens_by_kind(self) -> dict[str, tuple[pl.Series, pl.Series]]:
        """Return kind of diagnosis token -> tokens and their ids."""
        kinds: dict[str, dict[str, int]] = {"full": {}, "subcategory": {}, "category": {}, "range": {}}
        for token, number in self.diag_tokens.items():
            if token != ANY_DIAGNOSIS:
                kinds[token_kind(token)][token] = number
        return {
            kind: (pl.Series(list(found), dtype=pl.String), pl.Series(list(found.values()), dtype=pl.Int32))
            for kind, found in kinds.items()
        }

    @cached_property
    def operation_types(self) -> dict[str, str]:
        """Return operation code -> type, as the catalogue's table has it."""
        return dict(self.catalog.operations.select("code", "type").iter_rows())

    @cached_property
    def extended_tokens(self) -> dict[str, list[int]]:
        """Return bare operation code -> the keys of its tokens with an extension."""
        base, extension = split_extension(pl.Series(list(self.oprn_tokens), dtype=pl.String))
        out: dict[str, list[int]] = {}
        for bare, own, number in zip(base, extension, self.oprn_tokens.values(), strict=True):
            if own is not None:
                out.setdefault(bare, []).append(number)
        return out

    @cached_property
    def exclusions(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return exclusion kind -> code -> the diagnosis tokens it is allowed within."""
        out: dict[str, dict[str, tuple[str, ...]]] = {}
        for kind, code, within in self.catalog.exclusions.select("kind", "code", "within").iter_rows():
            out.setdefault(kind, {})[code] = _diagnoses(within, self.catalog) if within else ()
        return out


def _diagnoses(cell: str | None, catalog: DipCatalog) -> tuple[str, ...]:
    if not cell:
        return ()
    return expand_sets(parse_tidy_diagnoses(cell, catalog.meta.dialect), catalog.code_sets)


def _clauses(catalog: DipCatalog) -> list[Clause]:
    dialect = catalog.meta.dialect
    out = []
    rows = catalog.groups.select("treatment", "main_oprn", "related_oprn").iter_rows()
    for group, (treatment, main_cell, related_cell) in enumerate(rows):
        mains = parse_tidy_cell(main_cell, dialect) if main_cell else ((),)
        relateds = parse_tidy_cell(related_cell, dialect) if related_cell else ((),)
        out += [Clause(group, main, related, treatment) for main in mains for related in relateds]
    return out


class _Numbering(dict[str, int]):
    """Give each new text the next number."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first

    def __missing__(self, text: str) -> int:
        self[text] = number = self.first + len(self)
        return number


def _keys_of(clause: Clause, tokens: dict[str, int], offset: int) -> list[tuple[int, int]]:
    """Return (key, token that the main operation serves) under which a clause is found."""
    if clause.treatment == "operation":
        return [(tokens[term], tokens[term]) for term in dict.fromkeys(clause.main)]
    if clause.treatment == "any_operation":
        return [(tokens[clause.main[0]] + offset, -1)]
    if clause.treatment == "conservative":
        return [(KEY_CONSERVATIVE, -1)]
    if clause.treatment == "any":
        return [(KEY_ANY, -1)]
    return [(KEY_KIND + KIND_OF[clause.treatment], -1)]


def _with_extension(tokens: dict[str, int]) -> set[str]:
    """Return the operation tokens that carry an extension."""
    names = pl.Series(list(tokens), dtype=pl.String)
    return set(names.filter(split_extension(names)[1].is_not_null()))


def _with_extension_first(terms: tuple[str, ...], extended: set[str]) -> list[str]:
    return [t for t in terms if t in extended] + [t for t in terms if t not in extended]


def _places(codes: list[str]) -> Int32s:
    """Return the place of each group code, numbers in codes compared as numbers: XQ-9 stands before XQ-14."""

    def key(code: str) -> tuple[list[tuple[int, int | str]], str]:
        parts = re.split(r"([0-9]+)", code)
        return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part], code

    place = {code: at for at, code in enumerate(sorted(set(codes), key=key))}
    return np.array([place[code] for code in codes], dtype=np.int32)


def _treatment_kinds(catalog: DipCatalog, clauses: list[Clause], policy: Grouping) -> list[str]:
    """Return the kind of each clause's operations, as ``class_order`` names it: the highest of the main terms."""
    table = dict(catalog.operations.select("code", "type").iter_rows())
    names = {number: name for name, number in KIND_OF.items() if name != "medical"}
    kinds = []
    for clause in clauses:
        if clause.treatment in KINDS:
            kinds.append(CLASS_KIND.get(clause.treatment, clause.treatment))
        else:
            unknown = policy.unknown_operation_type
            kinds.append(names[max((KIND_OF[table.get(term, unknown)] for term in clause.main), default=0)])
    return kinds


def _sort_columns(
    catalog: DipCatalog, clauses: list[Clause], policy: Grouping, weights: pl.DataFrame | None
) -> dict[str, Int32s]:
    """Return per clause, for every static criterion, a number of which the smaller wins."""
    groups = catalog.groups
    conditions = sum(
        groups[name].is_not_null().cast(pl.Int32) for name in ("other_diag", "any_diag", "age_days_max")
    ) + (groups["birth_weight_min_g"].is_not_null() | groups["birth_weight_max_g"].is_not_null()).cast(
        pl.Int32
    )
    of = np.array([clause.group for clause in clauses], dtype=np.int64)
    n_main = np.array([len(clause.main) for clause in clauses])
    n_related = np.array([len(clause.related) for clause in clauses])
    order = {layer: i for i, layer in enumerate(catalog.meta.layers)}
    layers = np.array([order[layer] for layer in groups["layer"]])
    columns = {
        "layer": layers[of],
        "most_terms": -(n_main + conditions.to_numpy()[of]),
        "most_related": -n_related,
        "most_operations": -(n_main + n_related),
        "group_id": _places(groups["group_id"].to_list())[of],
    }
    if "class_order" in policy.precedence:
        place = {name: i for i, name in enumerate(policy.class_order)}
        core = groups.select(
            pl.when(pl.col("layer") == COMPREHENSIVE)
            .then(pl.lit("comprehensive"))
            .when(pl.col("grassroots"))
            .then(pl.lit("grassroots"))
            .otherwise(pl.lit("core"))
        ).to_series()
        names = [
            f"{core[c.group]}-{kind}"
            for c, kind in zip(clauses, _treatment_kinds(catalog, clauses, policy), strict=True)
        ]
        columns["class_order"] = np.array([place.get(name, len(place)) for name in names])
    if "higher_weight" in policy.precedence and weights is not None:
        columns["higher_weight"] = -weights["rw_e4"].fill_null(0).to_numpy()[of]
    return columns


def compile_dip(catalog: DipCatalog, policy: Grouping, weights: pl.DataFrame | None = None) -> CompiledDip:
    """Compile a catalogue under a grouping policy.

    ``weights``: one row per catalogue group in the catalogue's order, with ``rw_e4`` and ``mean_cost_fen``; the
    criteria ``higher_weight`` and ``closest_cost`` need it and are left out without it (history is grouped
    before weights exist).
    """
    clauses = _clauses(catalog)
    tokens = _Numbering(KEY_FIRST_TOKEN)
    for clause in clauses:
        for term in (*clause.main, *clause.related):
            tokens[term]
    offset = len(tokens)
    diags = _Numbering(0)
    diags[ANY_DIAGNOSIS]
    conditions: dict[tuple[str, ...], int] = {}

    def condition(cell: str | None) -> int:
        return conditions.setdefault(_diagnoses(cell, catalog), len(conditions)) if cell else -1

    groups = catalog.groups
    row_diags = [_diagnoses(cell, catalog) or (ANY_DIAGNOSIS,) for cell in groups["main_diag"]]
    row_levels = [[SPECIFICITY[token_kind(t) if t else "any"] for t in row] for row in row_diags]
    row_tokens = [[diags[t] for t in row] for row in row_diags]
    other = [condition(cell) for cell in groups["other_diag"]]
    any_ = [condition(cell) for cell in groups["any_diag"]]
    for within in catalog.exclusions.filter(pl.col("kind") == "main_within")["within"]:
        condition(within)

    entry_clause, entry_diag, entry_key, entry_token, entry_level = [], [], [], [], []
    for number, clause in enumerate(clauses):
        keys = _keys_of(clause, tokens, offset)
        for diag, level in zip(row_tokens[clause.group], row_levels[clause.group], strict=True):
            for key, token in keys:
                entry_clause.append(number)
                entry_diag.append(diag)
                entry_key.append(key)
                entry_token.append(token)
                entry_level.append(level)
    clause_of = np.array(entry_clause, dtype=np.int32)
    columns = {
        name: values[clause_of] for name, values in _sort_columns(catalog, clauses, policy, weights).items()
    }
    columns["diagnosis_specificity"] = -np.array(entry_level)
    major, left, minor, by_cost = _precedence(policy, columns, weights is not None)
    diag_of = np.array(entry_diag, dtype=np.int32)
    key_of = np.array(entry_key, dtype=np.int32)
    order = np.lexsort((minor, major, key_of, diag_of))

    needs: list[int] = []
    need_offsets = [0]
    extended = _with_extension(tokens)
    for clause in clauses:
        needs += [tokens[term] for term in _with_extension_first((*clause.main, *clause.related), extended)]
        need_offsets.append(len(needs))
    of_group = np.array([clause.group for clause in clauses], dtype=np.int32)

    def per_clause(name: str) -> Int32s:
        return np.ascontiguousarray(groups[name].fill_null(-1).to_numpy()[of_group], dtype=np.int32)

    mean = (
        weights["mean_cost_fen"].fill_null(-1).cast(pl.Int64).to_numpy()
        if weights is not None
        else np.zeros(groups.height, dtype=np.int64)
    )
    rules = Rules(
        diag_start=np.searchsorted(diag_of[order], np.arange(len(diags) + 1)).astype(np.int64),
        entry_key=key_of[order],
        entry_major=major[order],
        entry_minor=minor[order],
        entry_token=np.array(entry_token, dtype=np.int32)[order],
        entry_clause=clause_of[order],
        need_offsets=np.array(need_offsets, dtype=np.int64),
        needs=np.array(needs, dtype=np.int32),
        other_condition=np.array(other, dtype=np.int32)[of_group],
        any_condition=np.array(any_, dtype=np.int32)[of_group],
        age_days_max=per_clause("age_days_max"),
        weight_min_g=per_clause("birth_weight_min_g"),
        weight_max_g=per_clause("birth_weight_max_g"),
        clause_group=of_group,
        any_key_offset=offset if (key_of >= KEY_FIRST_TOKEN + offset).any() else 0,
        key_used=np.isin(np.arange(KEY_FIRST_TOKEN + 2 * offset), key_of),
        group_mean_fen=np.ascontiguousarray(mean),
        by_cost=by_cost,
        highest_kind=policy.comprehensive_type == "highest",
        entry_major_left=left[order],
        by_surgery=LEAVES_SURGERY in policy.precedence,
    )
    uses = np.zeros(len(diags), dtype=np.bool_)
    looks = (rules.other_condition >= 0) | (rules.any_condition >= 0)
    uses[diag_of[looks[clause_of]]] = True
    return CompiledDip(
        catalog=catalog,
        rules=Rules._make(_read_only(part) for part in rules),
        policy=policy,
        clauses=tuple(clauses),
        diag_tokens=dict(diags),
        oprn_tokens=dict(tokens),
        conditions=tuple(conditions),
        uses_others=uses,
    )


def _read_only(part: object) -> object:
    """Freeze an array, so that every call of a kernel has the same array types."""
    if isinstance(part, np.ndarray):
        part = np.ascontiguousarray(part)
        part.setflags(write=False)
    return part


def _precedence(
    policy: Grouping, columns: dict[str, Int32s], weighed: bool
) -> tuple[Int32s, Int32s, Int32s, bool]:
    """Return each entry's rank before the cost criterion, the same if it leaves surgery, after it; does cost decide?"""
    criteria = list(policy.precedence)
    if "group_id" not in criteria:
        criteria.append("group_id")
    by_cost = "closest_cost" in criteria and weighed
    cut = criteria.index("closest_cost") if by_cost else len(criteria)
    size = len(columns["group_id"])
    both = columns
    if LEAVES_SURGERY in criteria:
        # Every entry stands twice in the ranking: first as for stays of which it leaves no surgery, then as for others.
        both = {name: np.tile(values, 2) for name, values in columns.items()}
        both[LEAVES_SURGERY] = np.repeat(np.array([0, 1], dtype=np.int32), size)
    before = [name for name in criteria[:cut] if name in both]
    after = [name for name in criteria[cut:] if name in columns]
    if not before:
        raise PolicyError(
            "no criterion decides before the cost of the stay",
            code="POLICY_VALUE",
            field="grouping.precedence",
            remedy="put a criterion such as layer in front of closest_cost",
        )
    ranks = _dense_rank([both[name] for name in before], len(both["group_id"]))
    minor = _dense_rank([columns[name] for name in after], size)
    return ranks[:size], ranks[-size:], minor, by_cost


def _dense_rank(keys: list[Int32s], size: int) -> Int32s:
    """Return the dense rank of rows sorted by ``keys``, the first key deciding first; no keys: zeros."""
    if not keys:
        return np.zeros(size, dtype=np.int32)
    order = np.lexsort(keys[::-1])
    stacked = np.stack(keys)[:, order]
    new = np.ones(stacked.shape[1], dtype=np.int64)
    new[:1] = 0
    new[1:] = (stacked[:, 1:] != stacked[:, :-1]).any(axis=0)
    ranks = np.empty(len(order), dtype=np.int32)
    ranks[order] = np.cumsum(new)
    return ranks
