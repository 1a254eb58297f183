"""The one door where text becomes dense indices: distinct codes are translated once, stays carry numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import Bools, Int8s, Int32s, Int64s, freeze, ints, offsets
from fenzhi.catalogs.dialect import range_limits, token_kind
from fenzhi.codes.normalise import normalise_diagnosis, normalise_operation, split_extension
from fenzhi.grouping.book import Book, explode_codes
from fenzhi.grouping.compile_dip import KIND_OF, CompiledDip
from fenzhi.kernels.dip import AS_CONSERVATIVE, BLANK, CANNOT_BE_MAIN, FREE, MAIN_WITHIN, Codes, Stays

DAYS_OF_A_YEAR = 365


@dataclass(frozen=True)
class Door:
    """Stays in numbers: what the kernel takes, the distinct codes as text, and which of them are unknown."""

    stays: Stays
    codes: Codes
    diagnoses: pl.Series
    operations: pl.Series
    unknown_operations: Bools
    room: int


def matches(codes: pl.Series, tokens: tuple[str, ...]) -> Bools:
    """Tell which normalised diagnosis codes match one of the tokens (full, 4 or 3 characters, range)."""
    hit = np.zeros(len(codes), dtype=np.bool_)
    by_kind: dict[str, list[str]] = {}
    for token in tokens:
        by_kind.setdefault(token_kind(token), []).append(token)
    for kind, part in (
        ("full", codes),
        ("subcategory", codes.str.slice(0, 5)),
        ("category", codes.str.slice(0, 3)),
    ):
        if kind in by_kind:
            hit |= part.is_in(by_kind[kind]).fill_null(False).to_numpy()
    category = codes.str.slice(0, 3)
    for token in by_kind.get("range", ()):
        low, high = range_limits(token)
        hit |= ((category >= low) & (category <= high)).fill_null(False).to_numpy()
    return hit


def _diagnosis_tokens(codes: pl.Series, compiled: CompiledDip) -> Int32s:
    """Return the tokens of each diagnosis code as a matrix, -1 filled: any, full, 4, 3 characters, ranges."""
    by_kind = compiled.tokens_by_kind
    columns = [np.zeros(len(codes), dtype=np.int32)]
    parts = (("full", codes), ("subcategory", codes.str.slice(0, 5)), ("category", codes.str.slice(0, 3)))
    for kind, part in parts:
        tokens, numbers = by_kind[kind]
        if len(tokens):
            columns.append(part.replace_strict(tokens, numbers, default=-1, return_dtype=pl.Int32).to_numpy())
    category = codes.str.slice(0, 3)
    for token, number in zip(*by_kind["range"], strict=True):
        low, high = range_limits(token)
        inside = ((category >= low) & (category <= high)).fill_null(False).to_numpy()
        if inside.any():
            columns.append(np.where(inside, number, -1).astype(np.int32))
    return np.ascontiguousarray(np.stack(columns, axis=1))


def _operation_tokens(codes: pl.Series, compiled: CompiledDip) -> tuple[Int64s, Int32s, Int32s]:
    """Return the tokens each operation code satisfies (offsets, values) and the token spelled like it."""
    extended = compiled.extended_tokens
    code_base, code_extension = split_extension(codes)
    values: list[int] = []
    starts = [0]
    exact = []
    for code, base, extension in zip(codes, code_base, code_extension, strict=True):
        own = compiled.oprn_tokens.get(code, -1) if code else -1
        exact.append(own)
        if own >= 0:
            values.append(own)
        if extension is None:
            values += extended.get(code, ())
        elif base in compiled.oprn_tokens:
            values.append(compiled.oprn_tokens[base])
        starts.append(len(values))
    return (
        np.array(starts, dtype=np.int64),
        np.array(values, dtype=np.int32),
        np.array(exact, dtype=np.int32),
    )


def _operation_kinds(codes: pl.Series, compiled: CompiledDip) -> tuple[Int8s, Bools]:
    """Return each operation's kind for comprehensive groups (0 medical to 4 surgery) and which are unknown."""
    policy = compiled.policy
    kinds = compiled.operation_types
    own = [kinds.get(code) for code in codes]
    unknown = np.array([k is None and c is not None for k, c in zip(own, codes, strict=True)], dtype=np.bool_)
    named = [kind or str(policy.unknown_operation_type) for kind in own]
    as_ = str(policy.interventional_as)
    values = [KIND_OF[as_ if kind == "interventional" else kind] for kind in named]
    return np.array(values, dtype=np.int8), unknown


def _flags(codes: pl.Series, compiled: CompiledDip) -> tuple[Int8s, Int32s]:
    """Return the exclusion flag of each operation and the condition of those limited to a range."""
    number = {tokens: i for i, tokens in enumerate(compiled.conditions)}
    flag = np.zeros(len(codes), dtype=np.int8)
    within = np.full(len(codes), -1, dtype=np.int32)
    lists = compiled.exclusions
    for i, code in enumerate(codes):
        if code is None:
            flag[i] = BLANK
        elif code in lists.get("as_conservative", ()):
            flag[i] = AS_CONSERVATIVE
        elif code in lists.get("main_within", ()):
            flag[i] = MAIN_WITHIN
            within[i] = number[lists["main_within"][code]]
        elif code in lists.get("cannot_be_main", ()):
            flag[i] = CANNOT_BE_MAIN
        else:
            flag[i] = FREE
    return flag, within


def _excluded(codes: pl.Series, compiled: CompiledDip) -> Bools:
    """Tell which diagnosis codes cannot be principal."""
    listed = list(compiled.exclusions.get("diagnosis", ()))
    if not listed:
        return np.zeros(len(codes), dtype=np.bool_)
    if compiled.policy.excluded_diagnosis_match == "exact":
        return codes.is_in(listed).fill_null(False).to_numpy()
    hit = np.zeros(len(codes), dtype=np.bool_)
    for prefix in listed:
        hit |= codes.str.starts_with(prefix).fill_null(False).to_numpy()
    return hit


def age_in_days(frame: pl.DataFrame) -> Int32s:
    """Return the age in days: ``nwb_age`` below one year, at least 365 a year above; -1 if not known."""
    days = (
        pl.when(pl.col("age") > 0)
        .then(pl.col("age").cast(pl.Int32) * DAYS_OF_A_YEAR)
        .otherwise(pl.col("nwb_age"))
    )
    return np.ascontiguousarray(ints(frame.select(days.cast(pl.Int32)).to_series()))


def open_door(frame: pl.DataFrame, compiled: CompiledDip) -> Door:
    """Translate the grouping columns of a frame of stays into numbers.

    Needs ``diag_codes``, ``oprn_codes`` (List of text; null counts as empty), ``age``, ``nwb_age``, ``nwb_bir_wt``,
    and ``cost_fen`` (else ``medfee_sumamt_fen``) if cost decides between groups.
    Further diagnoses are only translated for stays whose principal diagnosis can meet a rule that looks at them.
    """
    diags, oprns = Book(), Book()
    lists = frame["diag_codes"]
    principal = diags.index(lists.list.first())
    principal_text = normalise_diagnosis(diags.texts())
    if principal_text.null_count():
        blank = principal_text.is_null().to_numpy()
        principal = np.where((principal >= 0) & blank[principal], np.int32(-1), principal).astype(np.int32)
    principal_tokens = _diagnosis_tokens(principal_text, compiled)
    looks = _looks_further(principal_tokens, compiled)
    wanted = (
        np.zeros(len(principal), dtype=np.bool_) if not looks.any() else (principal >= 0) & looks[principal]
    )
    further = lists.list.slice(1) if wanted.all() else lists.filter(pl.Series(wanted)).list.slice(1)
    others = diags.index(explode_codes(further))
    lengths = np.zeros(len(principal), dtype=np.int64)
    lengths[wanted] = further.list.len().cast(pl.Int64).to_numpy()
    other_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    oprn_lists = frame["oprn_codes"]
    oprn_offsets = offsets(oprn_lists)
    oprn_ids = oprns.index(explode_codes(oprn_lists))

    # Most catalogues look at further diagnoses of few stays, often of none: then nothing is translated twice.
    known = diags.size == len(principal_text)
    diag_text = principal_text if known else normalise_diagnosis(diags.texts())
    oprn_text = normalise_operation(oprns.texts())
    token_offsets, token_values, exact = _operation_tokens(oprn_text, compiled)
    kinds, unknown = _operation_kinds(oprn_text, compiled)
    flags, within = _flags(oprn_text, compiled)
    conditions = (
        np.stack([matches(diag_text, tokens) for tokens in compiled.conditions], axis=1)
        if compiled.conditions
        else np.zeros((len(diag_text), 1), dtype=np.bool_)
    )
    most = int(np.diff(oprn_offsets).max(initial=0))
    widest = int(np.diff(token_offsets).max(initial=0))
    own_cost = "cost_fen" if "cost_fen" in frame.columns else "medfee_sumamt_fen"
    cost = frame[own_cost] if compiled.rules.by_cost else pl.Series([], dtype=pl.Int64)
    return Door(
        stays=Stays(
            *freeze(
                principal,
                other_offsets,
                others,
                oprn_offsets,
                oprn_ids,
                age_in_days(frame),
                np.ascontiguousarray(ints(frame["nwb_bir_wt"])),
                np.ascontiguousarray(ints(cost, pl.Int64)),
            )
        ),
        codes=Codes(
            *freeze(
                principal_tokens if known else _diagnosis_tokens(diag_text, compiled),
                _excluded(diag_text, compiled),
                np.ascontiguousarray(conditions),
                token_offsets,
                token_values,
                exact,
                kinds,
                flags,
                within,
            )
        ),
        diagnoses=diag_text,
        operations=oprn_text,
        unknown_operations=unknown,
        room=4 + most * (widest + 1) + widest,
    )


def _looks_further(tokens: Int32s, compiled: CompiledDip) -> Bools:
    """Tell for which principal diagnoses (rows of tokens) a rule may look at further diagnoses."""
    looks: Bools = np.any(compiled.uses_others[np.maximum(tokens, 0)] & (tokens >= 0), axis=1)
    return looks
