"""The explanation of a stay ends with its result, and its way is the one that the twin walks."""

from __future__ import annotations

from fenzhi.grouping import group_drg
from fenzhi.grouping.explain_drg import trace_drg, trace_drgs
from twins.drg import NOT_CHECKED, group
from twins.drg_engine import RESULT, results

CASES = 10_000
TWIN_CASES = 10_000


def test_every_explanation_ends_with_the_result(stays, rules):
    chosen = stays.sample(CASES, seed=20261121)
    grouped = group_drg(chosen, rules).frame
    traces = trace_drgs(chosen, rules)
    rows = zip(traces, results(grouped), grouped["reason"], grouped["group_id"], strict=True)
    for trace, (status, mdc, adrg, drg), reason, group_id in rows:
        why = f" ({reason})" if reason else ""
        assert trace.final() == f"{status}{why}: {mdc} > {adrg} > {drg}"
        assert (trace.status, trace.reason, trace.group_id) == (status, reason, group_id)
        if group_id is None:
            # No DRG accepted what has no group.
            assert all(looked.level != "drg" or looked.failed for looked in trace.looked)
        else:
            last = trace.looked[-1]
            assert (last.level, last.code, last.failed) == ("drg", drg, None)


def test_the_way_is_the_twins(stays, rules, twin):
    chosen = stays.sample(TWIN_CASES, seed=7)
    traces = trace_drgs(chosen, rules)
    assert traces[:20] == [trace_drg(chosen[number], rules) for number in range(20)]
    for case, trace in zip(chosen.iter_rows(named=True), traces, strict=True):
        answer = group({**case, "icu_hours": None}, twin)
        if not case["diag_codes"][0]:
            assert trace.status == NOT_CHECKED
            continue
        walked = [
            (looked.level, looked.code)
            for looked in trace.looked
            if looked.failed is None and looked.level in ("mdc", "adrg", "drg")
        ]
        assert walked == [(step[0], step[1]) for step in answer.way], case
        assert answer.result == tuple(getattr(trace, name) for name in RESULT)
