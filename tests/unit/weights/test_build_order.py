"""A built catalogue does not depend on the order of rows or on how they are cut into files."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from worked import catalog, policy, stays

from fenzhi.pipeline.build import BuildInputs
from fenzhi.pipeline.local import Local, build_local
from fenzhi.pipeline.local_source import LocalSource, files_source
from fenzhi.policy.models import Policy
from fenzhi.weights.build import compiled_base, kept_rows, observe, regrouped
from twins.profile import examples

from .building import BASE, TYPES, rules

DIAGNOSES = ["K35.800", "K35.801", "K35.900", "K36.x00", "N18.500", "R50.900", "I10.x00"]
OPERATIONS = ["47.0100", "47.0100x001", "54.5100", "39.9500", "45.2300", "99.9999"]
STAY = st.fixed_dictionaries(
    {
        "fixmedins_code": st.sampled_from(["A1", "B2", "C3"]),
        "diag_codes": st.lists(st.sampled_from(DIAGNOSES), min_size=1, max_size=2),
        "oprn_codes": st.lists(st.sampled_from(OPERATIONS), max_size=3),
        "dscg_time": st.sampled_from(["2024-03-01", "2025-03-01", "2026-03-01", "2026-07-01"]),
        "medfee_sumamt": st.integers(1, 30_000),
        "drug_fee": st.none() | st.integers(0, 900),
        "age": st.integers(1, 90),
        "act_ipt_days": st.integers(1, 20),
    }
)
FAMILY = {"name": "days", "levels": [{"name": "long", "los_from": 10}]}


def drawn_policy(threshold: int) -> Policy:
    return policy(
        weights={
            "threshold": {"cases": threshold},
            "trim": {"method": "percentile", "low": "0.1", "high": "0.9", "min_cases": 4},
        },
        auxiliary={"min_cases": 2, "min_level_cases": 1, "cv_drop": "0", "families": [FAMILY]},
    )


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {"setl_id": pl.String, "gend": pl.Int8, "drug_fee": pl.Int64}
    full = [{"setl_id": f"S{at}", "gend": 1, "adm_time": "2024-02-28", **row} for at, row in enumerate(rows)]
    return pl.DataFrame(full, schema_overrides=schema, infer_schema_length=None)


def source(frames: list[pl.DataFrame], threshold: int) -> LocalSource:
    inputs = BuildInputs(history=frames, policy=drawn_policy(threshold))  # type: ignore[arg-type]
    return files_source(inputs)


def same(one: Local, two: Local) -> None:
    assert one.catalog.digest == two.catalog.digest
    assert one.figures == two.figures
    assert set(one.tables) == set(two.tables)
    for name, table in one.tables.items():
        assert table.equals(two.tables[name]), name


@examples(6)
@given(
    rows=st.lists(STAY, min_size=3, max_size=40),
    threshold=st.integers(1, 5),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_a_built_catalogue_does_not_depend_on_the_order_of_rows_and_files(
    rows: list[dict[str, Any]], threshold: int, seed: int, data: st.DataObject
) -> None:
    whole = frame(rows)
    order = list(range(whole.height))
    Random(seed).shuffle(order)
    shuffled = whole[order]
    cut = data.draw(st.integers(1, whole.height - 1))
    one = build_local(source([whole], threshold))
    two = build_local(source([shuffled[:cut], shuffled[cut:]], threshold))
    same(one, two)
    assert one.figures["history_counted"] == len(rows)


CASE = st.fixed_dictionaries(
    {
        "diag": st.sampled_from(["K35.800", "K35.900", "K36.x00", "K36.900", "A00.000", "N18.500"]),
        "oprn": st.lists(st.sampled_from(list(TYPES)), max_size=3).map("|".join),
        "medfee_sumamt_fen": st.integers(1, 10**6),
    }
)


@examples(15)
@given(drawn=st.lists(CASE, min_size=1, max_size=40), threshold=st.integers(1, 8))
def test_looking_again_at_the_stays_of_dropped_rows_alone_is_enough(
    drawn: list[dict[str, Any]], threshold: int
) -> None:
    pack, history = rules(threshold), stays(*drawn)
    base = catalog(*BASE.groups.to_dicts(), operations=TYPES)
    observed = observe(history, compiled_base(base, pack), numbered=True)
    kept, _ = kept_rows(observed, base, threshold)
    compiled = compiled_base(base, pack, kept)
    again = regrouped(history, observed, kept, compiled)
    assert again.to_list() == observe(history, compiled)["group_id"].to_list()
