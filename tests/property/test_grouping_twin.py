"""Any catalogue, any policy, any stay: the engine groups as the brute-force twin does."""

from __future__ import annotations

from random import Random

import polars as pl
from hypothesis import given, note
from hypothesis import strategies as st

from fenzhi.grouping import compile_catalog, dip, group_dip
from fenzhi.policy.models import Grouping
from twins.draw import catalogs, drawn_catalog, group_weights, grouping_rules, grouping_stay, made
from twins.engine import catalog_of, stays_of
from twins.grouping import group_stay
from twins.profile import examples

STAYS = st.lists(made(grouping_stay), min_size=1, max_size=40)
COLUMNS = ["outcome", "layer", "group_id", "reason"]


def weight_frame(catalog, weights):
    rows = [weights[row["group_id"]] for row in catalog.groups]
    return pl.DataFrame(rows, schema={"rw_e4": pl.Int64, "mean_cost_fen": pl.Int64})


def answers(stays, compiled, **options):
    frame = group_dip(stays, compiled, **options).frame
    return frame.select(pl.col(COLUMNS).cast(pl.String)).rows()


@examples(400)
@given(catalog=catalogs(), rules=made(grouping_rules), stays=STAYS, seed=st.integers(0, 2**32 - 1))
def test_engine_and_twin_group_alike(catalog, rules, stays, seed):
    weights = group_weights(Random(seed), catalog) if seed % 3 else None
    frame = weight_frame(catalog, weights) if weights else None
    compiled = compile_catalog(catalog_of(catalog), Grouping.model_validate(rules), frame)
    found = answers(stays_of(stays), compiled)
    expected = [group_stay(stay, catalog, rules, weights) for stay in stays]
    for stay, ours, theirs in zip(stays, found, expected, strict=True):
        if ours != theirs:
            note(f"stay {stay}")
            rows = [row for row in catalog.groups if row["group_id"] in (ours[2], theirs[2])]
            note(f"rows {rows}")
            note(
                f"exclusions {catalog.exclusions}, types {catalog.operations}, {catalog.form}, {catalog.or_}"
            )
    assert found == expected


@examples(60)
@given(catalog=catalogs(), rules=made(grouping_rules), stays=STAYS, seed=st.integers(0, 2**32 - 1))
def test_order_chunks_and_threads_change_nothing(catalog, rules, stays, seed):
    rng = Random(seed)
    compiled = compile_catalog(catalog_of(catalog), Grouping.model_validate(rules))
    frame = stays_of(stays)
    whole = answers(frame, compiled, threads=1)
    order = rng.sample(range(len(stays)), len(stays))
    shuffled = answers(frame[order], compiled, threads=2)
    assert [whole[place] for place in order] == shuffled
    size = rng.randint(1, len(stays))
    parts = [answers(part, compiled) for part in frame.iter_slices(size)]
    assert [row for part in parts for row in part] == whole


def test_many_stays_on_one_or_two_threads_group_alike(monkeypatch):
    monkeypatch.setattr(dip, "SMALLEST_PART", 300)  # two parts already for a few stays
    rng = Random(20260101)
    rules = grouping_rules(Random(3))
    catalog = drawn_catalog(rng)
    frame = stays_of([grouping_stay(rng) for _ in range(1_000)])
    compiled = compile_catalog(catalog_of(catalog), Grouping.model_validate(rules))
    one = answers(frame, compiled, threads=1)
    assert len({answer[2] for answer in one}) > 5
    assert answers(frame, compiled, threads=2) == one
    assert answers(frame, compiled, threads=3) == one
