"""Any DRG tables, any stay: the engine groups as the twin that walks the CSV files does."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from fenzhi.catalogs import load_catalog
from fenzhi.catalogs.drg import import_tables, save_drg_catalog
from fenzhi.grouping import dip, group_drg
from fenzhi.pipeline.setting import group_stays
from twins import test_drg_by_hand as by_hand
from twins.draw_drg import drawn_tables, drg_stay, write_tables
from twins.drg import AMBIGUOUS, GROUPED, UNGROUPED, TwinDrg, group
from twins.drg_engine import compiled, expected, results, rules_in, stays_frame
from twins.profile import examples

# Numbers that tables and stays are made from: a failing example is these few, not pages of tables.
SEED = st.integers(0, 2**32 - 1)
SEEDS = st.lists(SEED, min_size=50, max_size=50)


def drawn(folder, seed, seeds):
    """Write the tables made from one number and return them with the stays made from the others."""
    tables = drawn_tables(Random(seed))
    write_tables(tables, folder)
    return tables, [drg_stay(Random(one)) for one in seeds]


@examples(300)
@given(seed=SEED, seeds=SEEDS, translate=st.sampled_from([False, False, True]))
def test_engine_and_twin_group_alike(seed, seeds, translate):
    with TemporaryDirectory() as name:
        folder = Path(name)
        tables, stays = drawn(folder, seed, seeds)
        twin = TwinDrg.read(folder, translate)
        rules = rules_in(folder, translate_codes=translate)
    found = results(group_drg(stays_frame(stays), rules).frame)
    wanted = [expected(stay, twin) for stay in stays]
    for stay, ours, theirs in zip(stays, found, wanted, strict=True):
        if ours != theirs:
            note(f"stay {stay}: engine {ours}, twin {group(stay, twin)}")
            note(f"chapters {tables['mdc']}, lists {tables['code_list']}")
            codes = {ours[2], theirs[2]}
            for name in ("adrg", "adrg_condition", "drg"):
                note(f"{name} {[row for row in tables[name] if row['adrg'] in codes]}")
    assert found == wanted


@examples(30)
@given(seed=SEED, seeds=SEEDS)
def test_order_chunks_threads_and_saving_change_nothing(seed, seeds):
    rng = Random(seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        _, stays = drawn(folder, seed, seeds)
        catalog = import_tables(folder)
        save_drg_catalog(catalog, folder / "saved")
        again = load_catalog(folder / "saved")
    assert again == catalog
    rules = compiled(catalog)
    frame = stays_frame(stays)
    whole = results(group_drg(frame, rules, threads=1).frame)
    assert results(group_drg(frame, compiled(again)).frame) == whole
    order = rng.sample(range(len(stays)), len(stays))
    shuffled = results(group_drg(frame[order], rules, threads=2).frame)
    assert [whole[place] for place in order] == shuffled
    assert results(group_stays(frame, rules, rng.randint(1, len(stays))).frame) == whole


def test_many_stays_on_one_to_three_threads_group_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(dip, "SMALLEST_PART", 300)  # two parts already for a few stays
    rng = Random(20260101)
    write_tables(drawn_tables(Random(11)), tmp_path)
    rules = rules_in(tmp_path)
    frame = stays_frame([drg_stay(rng) for _ in range(1_000)])
    one = group_drg(frame, rules, threads=1).frame
    assert one["drg"].n_unique() > 5
    for threads in (2, 3):
        assert group_drg(frame, rules, threads=threads).frame.equals(one)


@pytest.mark.parametrize("switches", [{}, {"retry": 1, "qy": "off"}, {"translate": True}])
def test_the_cases_worked_by_hand(tmp_path, switches):
    twin = by_hand.tables_in(tmp_path, **switches)
    rules = rules_in(tmp_path, translate_codes=bool(switches.get("translate")))
    stays = [stay for stay, _ in by_hand.CASES]
    found = results(group_drg(stays_frame(stays), rules).frame)
    assert found == [expected(stay, twin) for stay in stays]
    if not switches:
        assert found == [answer for _, answer in by_hand.CASES]


def test_the_drawn_stays_reach_every_kind_of_answer(tmp_path):
    """The comparison is worth what it reaches: every status, returned ADRGs, second chapters, retries."""
    seen: set[str] = set()
    for seed in range(40):
        rng = Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        write_tables(drawn_tables(rng), folder)
        twin = TwinDrg.read(folder, translate=seed % 2 == 0)
        for stay in (drg_stay(rng) for _ in range(50)):
            answer = group(stay, twin)
            seen.add(answer.status)
            if answer.status == GROUPED:
                seen.add("returned" if answer.adrg == answer.drg else "drg")
                seen.add(f"chapter {len(answer.chapters)}")
                if answer.way[-1][0] == "drg" and len([s for s in answer.way if s[0] == "adrg"]) > 1:
                    seen.add("went on after an ADRG without a DRG")
    wanted = {
        GROUPED,
        UNGROUPED,
        AMBIGUOUS,
        "信息校验不通过",
        "诊断不能转换",
        "手术操作不能转换",
        "returned",
        "drg",
    }
    assert wanted | {"chapter 1", "chapter 2", "chapter 3", "went on after an ADRG without a DRG"} <= seen
