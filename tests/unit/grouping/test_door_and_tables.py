"""From text to numbers: spellings, blanks, column types, empty frames, unknown operations; the compiled tables."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from worked import catalog, row, stays

from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.grouping.compile_dip import ANY_DIAGNOSIS, CompiledDip
from fenzhi.grouping.door_dip import age_in_days, matches, open_door
from fenzhi.kernels.dip import KEY_ANY, KEY_CONSERVATIVE, KEY_FIRST_TOKEN, KEY_KIND, first_entry
from fenzhi.policy.models import Grouping

A, B = "47.0100", "54.5100"
RULES = catalog(
    row("OP", "K35", "operation", main_oprn=A),
    row("CONS", "K35", "conservative"),
    row("OTHER", "Z51", "any", other_diag="C34"),
    row("NEWBORN", "P07", "any", age_days_max=28, birth_weight_min_g=1000, birth_weight_max_g=1499),
    operations={A: "surgery"},
)
COMPILED = compile_catalog(RULES, Grouping())
CASES = [
    {"diag": "K35.800", "oprn": A},
    {"diag": "K35.800"},
    {"diag": "Z51.101|C34.901"},
    {"diag": "P07.000", "age": 0, "nwb_age": 3, "nwb_bir_wt": 1200},
    {"diag": "I10.x00", "oprn": B},
    {"diag": "", "oprn": A},
]
GROUPS = ["OP", "CONS", "OTHER", "NEWBORN", None, None]


def groups(frame: pl.DataFrame, compiled: CompiledDip = COMPILED) -> list[str | None]:
    return group_dip(frame, compiled).frame["group_id"].to_list()


def lists(values: list[list[str | None] | None], dtype: pl.DataType | None = None) -> pl.Series:
    return pl.Series(values, dtype=pl.List(dtype or pl.String))


# --- spellings and blanks ---


def test_codes_are_compared_in_one_spelling() -> None:
    frame = stays(*[{"diag": "K35.800"}] * 4).with_columns(
        diag_codes=lists([["k35.800"], [" K35.800 "], ["Ｋ３５.８００"], ["K35.800\ufeff"]]),
        oprn_codes=lists([["47.0100"], ["４７.０１００"], [" 47.0100"], ["47. 0100"]]),
    )
    assert groups(frame) == ["OP"] * 4


@pytest.mark.parametrize("codes", [None, [], [None], [""], ["  "], ["", "K35.800"], [None, "K35.800"]])
def test_without_a_principal_diagnosis_a_stay_is_rejected(codes: list[str | None] | None) -> None:
    frame = stays({"diag": "K35.800", "oprn": A}).with_columns(diag_codes=lists([codes]))
    got = group_dip(frame, COMPILED).frame
    assert got.select("outcome", "reason", "group_id").row(0) == ("rejected", "no_principal_diagnosis", None)


@pytest.mark.parametrize("codes", [None, [], [None], [""], ["  ", None]])
def test_blank_operations_are_no_operations(codes: list[str | None] | None) -> None:
    frame = stays({"diag": "K35.800"}).with_columns(oprn_codes=lists([codes]))
    assert groups(frame) == ["CONS"]


def test_a_blank_before_the_main_operation_is_passed_over() -> None:
    frame = stays(*[{"diag": "K35.800"}] * 2).with_columns(oprn_codes=lists([["", A], [None, A]]))
    assert groups(frame) == ["OP"] * 2


def test_blank_further_diagnoses_match_nothing() -> None:
    # The last code of the frame is one that would match.
    given = [["Z51.101", None], ["Z51.101", ""], ["Z51.101", " ", None], ["Z51.101", None, "", "C34.901"]]
    frame = stays(*[{"diag": "Z51.101"}] * 4).with_columns(diag_codes=lists(given))
    assert groups(frame) == [None, None, None, "OTHER"]


# --- column types ---


@pytest.mark.parametrize("dtype", ["categorical", "enum"])
def test_code_columns_may_be_categorical_or_enum(dtype: str) -> None:
    frame = stays(*CASES)
    for name in ("diag_codes", "oprn_codes"):
        codes = sorted(set(frame[name].explode(empty_as_null=False, keep_nulls=False)))
        inner = pl.Categorical() if dtype == "categorical" else pl.Enum(codes)
        frame = frame.with_columns(pl.col(name).cast(pl.List(inner)))
    assert groups(frame) == GROUPS


def test_integers_may_be_wide_and_setl_id_may_be_anything() -> None:
    frame = stays(*CASES).with_columns(pl.col("age", "nwb_age", "nwb_bir_wt").cast(pl.Int64))
    assert groups(frame.drop("row_idx")) == GROUPS
    got = group_dip(frame.drop("row_idx"), COMPILED).frame
    assert got.columns[0] == "setl_id"


def test_cost_is_not_needed_where_it_decides_nothing() -> None:
    assert groups(stays(*CASES).drop("medfee_sumamt_fen")) == GROUPS


def test_rows_keep_their_order_and_row_numbers() -> None:
    frame = stays(*CASES, *CASES)
    got = group_dip(frame, COMPILED).frame
    assert got["row_idx"].to_list() == list(range(12))
    assert got["setl_id"].to_list() == frame["setl_id"].to_list()
    assert groups(frame.reverse()) == (GROUPS * 2)[::-1]


def test_parts_and_threads_change_nothing() -> None:
    frame = pl.concat([stays(*CASES)] * 10_000)
    whole = group_dip(frame, COMPILED, threads=1).frame
    assert whole.equals(group_dip(frame, COMPILED, threads=3).frame)
    assert whole["group_id"].to_list()[-6:] == GROUPS
    parts = pl.concat([group_dip(part, COMPILED).frame for part in frame.iter_slices(7_777)])
    assert whole.equals(parts.rechunk())


def test_a_frame_of_several_chunks() -> None:
    frame = pl.concat([stays(*CASES[:3]), stays(*CASES[3:])], rechunk=False)
    assert groups(frame) == GROUPS


# --- empty ---


def test_an_empty_frame_gives_an_empty_frame_of_the_same_columns() -> None:
    full = group_dip(stays(*CASES), COMPILED)
    empty = group_dip(stays(*CASES).clear(), COMPILED)
    assert empty.frame.height == 0
    assert empty.frame.schema == full.frame.schema
    assert empty.unknown_operations.height == 0


def test_an_empty_catalogue_groups_nothing() -> None:
    compiled = compile_catalog(catalog(), Grouping())
    got = group_dip(stays(*CASES), compiled).frame
    assert got["outcome"].to_list() == ["ungrouped"] * 5 + ["rejected"]
    assert group_dip(stays(*CASES).clear(), compiled).frame.height == 0


def test_an_empty_catalogue_still_excludes() -> None:
    compiled = compile_catalog(catalog(exclusions=[("diagnosis", "K35.800", None)]), Grouping())
    got = group_dip(stays(*CASES), compiled).frame
    assert got["reason"].to_list()[:3] == ["excluded_diagnosis", "excluded_diagnosis", "no_group"]


# --- unknown operations ---


def test_operations_without_a_type_are_counted() -> None:
    frame = stays(
        {"diag": "K35.800", "oprn": f"{A}|{B}"},
        {"diag": "K35.800", "oprn": B},
        {"diag": "K35.800", "oprn": "99.9999"},
        {"diag": "K35.800", "oprn": A},
    )
    assert group_dip(frame, COMPILED).unknown_operations.rows() == [(B, 2), ("99.9999", 1)]


def test_two_spellings_of_an_unknown_operation_are_one() -> None:
    frame = stays(*[{"diag": "K35.800"}] * 2).with_columns(
        oprn_codes=lists([["54.5100x001"], ["54.5100X001 "]])
    )
    assert group_dip(frame, COMPILED).unknown_operations.rows() == [("54.5100x001", 2)]


def test_a_blank_operation_is_not_an_unknown_one() -> None:
    frame = stays({"diag": "K35.800"}).with_columns(oprn_codes=lists([["", " ", None]]))
    assert group_dip(frame, COMPILED).unknown_operations.rows() == []


def test_an_operation_done_twice_in_a_stay_counts_one_stay() -> None:
    frame = stays({"diag": "K35.800", "oprn": f"{B}|{B}"})
    assert group_dip(frame, COMPILED).unknown_operations.rows() == [(B, 1)]


# --- ages, matching ---


def test_age_in_days_by_hand() -> None:
    frame = pl.DataFrame(
        {"age": [0, 0, None, 1, 70, None], "nwb_age": [3, None, 9, 9, None, None]},
        schema={"age": pl.Int16, "nwb_age": pl.Int16},
    )
    assert age_in_days(frame).tolist() == [3, -1, 9, 365, 25_550, -1]


def test_ages_of_a_wide_range_do_not_overflow() -> None:
    frame = pl.DataFrame({"age": [130], "nwb_age": [None]}, schema={"age": pl.Int16, "nwb_age": pl.Int16})
    assert age_in_days(frame).tolist() == [47_450]


def test_matching_a_list_of_tokens() -> None:
    codes = pl.Series(["K35.800", "K35.8", "K36.x00", "C34.901", "C76.000", None, "I10"])
    assert matches(codes, ("K35.8", "C00-C75", "I10")).tolist() == [
        True,
        True,
        False,
        True,
        False,
        False,
        True,
    ]
    assert matches(codes, ()).tolist() == [False] * 7


# --- compiled tables ---


def test_every_key_of_a_diagnosis_finds_its_entries() -> None:
    rules = COMPILED.rules
    token = COMPILED.diag_tokens["K35"]
    low, high = int(rules.diag_start[token]), int(rules.diag_start[token + 1])
    assert high - low == 2
    keys = rules.entry_key[low:high].tolist()
    assert keys == [KEY_CONSERVATIVE, COMPILED.oprn_tokens[A]]
    assert first_entry(low, high, KEY_CONSERVATIVE, rules.entry_key) == low
    assert first_entry(low, high, COMPILED.oprn_tokens[A], rules.entry_key) == low + 1
    # Between and behind the keys there is a place, but no entry.
    assert first_entry(low, high, KEY_ANY, rules.entry_key) == low + 1
    assert first_entry(low, high, 10_000, rules.entry_key) == high


def test_tokens_and_keys_do_not_meet() -> None:
    assert COMPILED.diag_tokens[ANY_DIAGNOSIS] == 0
    assert min(COMPILED.oprn_tokens.values()) == KEY_FIRST_TOKEN
    assert KEY_KIND + 4 < KEY_FIRST_TOKEN


def test_a_row_is_spread_into_clauses() -> None:
    made = catalog(row("G", "K35|K36", "operation", main_oprn=f"{A}|{A}+{B}", related_oprn="1|2|3"))
    compiled = compile_catalog(made, Grouping())
    assert [(c.main, c.related) for c in compiled.clauses] == [
        ((A,), ("1",)),
        ((A,), ("2",)),
        ((A,), ("3",)),
        ((A, B), ("1",)),
        ((A, B), ("2",)),
        ((A, B), ("3",)),
    ]
    # Two diagnoses; one key for (A), two for (A and B): 2 x (3 x 1 + 3 x 2).
    assert len(compiled.rules.entry_key) == 18


def test_terms_with_an_extension_are_served_first() -> None:
    made = catalog(row("G", "K35", "any_operation", main_oprn=f"{B}+{A}x001+{A}"))
    compiled = compile_catalog(made, Grouping())
    names = {number: code for code, number in compiled.oprn_tokens.items()}
    assert [names[int(need)] for need in compiled.rules.needs] == [f"{A}x001", B, A]


def test_the_tables_are_frozen() -> None:
    for part in COMPILED.rules:
        if isinstance(part, np.ndarray):
            assert not part.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        COMPILED.rules.entry_key[0] = 1


def test_a_compiled_catalogue_may_be_used_again_and_again() -> None:
    assert groups(stays(*CASES)) == groups(stays(*CASES)) == GROUPS


def test_further_diagnoses_are_translated_only_where_a_rule_looks() -> None:
    door = open_door(stays(*CASES), COMPILED)
    assert np.diff(door.stays.other_offsets).tolist() == [0, 0, 1, 0, 0, 0]
    assert door.stays.principal.tolist()[-1] == -1


def test_layers_and_exclusions_of_a_compiled_catalogue() -> None:
    made = catalog(
        row("G", "K35"),
        row("H", "K36", "surgery", layer="comprehensive"),
        exclusions=[("main_within", A, "K35|K40-K45")],
    )
    compiled = compile_catalog(made, Grouping())
    assert compiled.group_layers.to_list() == ["basic", "comprehensive"]
    assert compiled.exclusions == {"main_within": {A: ("K35", "K40-K45")}}
