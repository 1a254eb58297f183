"""Every step from a stay to its yuan: the rules replayed for one stay of a run, with figures and sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import ConservationError, InputError
from fenzhi.grouping import Trace, compile_catalog, trace_stay
from fenzhi.money import format_e4, format_fen
from fenzhi.pipeline.replay import Step, cite
from fenzhi.pipeline.setting import (
    COST_CRITERIA,
    Setting,
    group_coded,
    known_codes,
    make_settings,
    map_codes,
    overlay_coded,
)
from fenzhi.pipeline.steps import points_steps
from fenzhi.pipeline.store import file_hashes, read_manifest, read_rows, read_table, rules_of
from fenzhi.pipeline.tcm import weighted_tcm
from fenzhi.pipeline.track_steps import track_steps
from fenzhi.policy import policy_hash
from fenzhi.policy.models import Policy
from fenzhi.records import read_stays
from fenzhi.region import Region, load_region
from fenzhi.region.scope import cost_of


@dataclass(frozen=True)
class Explanation:
    """A stay of a run explained: its row of cases.parquet, its grouping (None if it is no stay), its steps."""

    case: dict[str, Any]
    grouping: Trace | None
    steps: tuple[Step, ...]


def _case(run: Path, setl_id: str) -> dict[str, Any]:
    rows = read_table(run, "cases").filter(pl.col("setl_id") == setl_id)
    if rows.is_empty():
        raise InputError(
            "this run has no row with that settlement id",
            code="CASE_MISSING",
            file=run / "cases.parquet",
            field="setl_id",
            value=setl_id,
            remedy="copy the id from a statement or from cases.parquet",
        )
    # A settlement id that came twice (a duplicate, a refund) has one row that counts.
    counted = rows.filter(~pl.col("outcome").is_in(["rejected", "excluded"]))
    return (counted if counted.height else rows).row(0, named=True)


def require_inputs(region: Region, manifest: dict[str, Any]) -> None:
    """Raise :class:`InputError` if an input of a run changed since: then it cannot be replayed."""
    now, then = file_hashes(region), manifest["inputs"]
    changed = [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]
    if not changed:
        known = [entry["policy"] for entry in manifest.get("rules", [manifest])]
        hashes = {policy["id"]: policy["hash"] for policy in known}
        packs = zip(region.meta.packs(), region.policies, strict=True)
        changed = [name for name, pack in packs if policy_hash(pack) != hashes.get(pack.meta.id)]
    if changed:
        raise InputError(
            f"{len(changed)} input file(s) changed since this run, so it cannot be replayed; the first is {changed[0]}",
            code="RUN_STALE",
            file=region.folder / changed[0],
            remedy="put the file back as it was, or run the year again and explain the new run",
        )


def explain_stay(run: Path | str, setl_id: str) -> Explanation:
    """Explain one stay of a run (``runs/<id>`` inside the region's folder).

    Reads the region's records again, replays the grouping with the compiled rules and recomputes the points; raises
    :class:`ConservationError` should anything differ from the run, and :class:`InputError` for an unknown
    id or changed inputs.
    """
    run = Path(run)
    manifest = read_manifest(run)
    case = _case(run, setl_id)
    region = load_region(run.resolve().parents[1])
    require_inputs(region, manifest)
    grouping = None
    tried: list[Step] = []
    setting = _setting(region, case)
    stays = _records(setting)
    if case["outcome"] not in ("rejected",) and case["status"] is not None:
        grouping, tried = _replay(run, setting, case, stays)
    outcome = _rejected_step(run, case) if case["outcome"] == "rejected" else _outcome_step(case, setting)
    steps = [outcome, *tried]
    if case["points_e4"] is not None:
        steps += points_steps(run, case, rules_of(manifest, case), setting.region)
    elif case["track_fen"] is not None:
        steps += track_steps(run, case, stays, setting, region)
    return Explanation(case, grouping, tuple(steps))


def _setting(region: Region, case: dict[str, Any]) -> Setting:
    """Return the setting of the rules that a row follows; those of the first day for a row that is no stay."""
    settings = make_settings(region)
    for one in settings:
        if (one.region.policy.meta.id, one.catalog.meta.id) == (case["policy"], case["catalog"]):
            return one
    return settings[0]


def _records(setting: Setting) -> pl.DataFrame:
    """Return the stays of the year as the run read them."""
    region = setting.region
    return read_stays(
        region.path(region.meta.records),
        columns=setting.columns,
        quality=region.quality,
        known=known_codes(region),
    ).stays


def _replay(
    run: Path, setting: Setting, case: dict[str, Any], stays: pl.DataFrame
) -> tuple[Trace, list[Step]]:
    """Return the normal grouping of a stay, traced, and the step of its TCM-advantage group if there is one."""
    region, groups = setting.region, read_rows(run, "groups", case)
    compiled = setting.compiled
    if COST_CRITERIA & set(region.policy.grouping.precedence):
        compiled = compile_catalog(setting.catalog, region.policy.grouping, groups)
    stay = stays.filter(pl.col("setl_id") == case["setl_id"])
    found = trace_stay(
        map_codes(stay.with_columns(cost_of(stay, region.policy.scope).alias("cost_fen")), setting), compiled
    )
    laid = overlay_coded(
        stay,
        group_coded(stay, setting, compiled),
        setting,
        weighted_tcm(groups, setting),
    )
    group = found.group_id if laid is None else laid.grouped.frame["group_id"][0]
    if case["outcome"] != "ungrouped" and group != case["group_id"]:
        raise ConservationError(
            "the replay gives another group than the run",
            field="group_id",
            value=(case["group_id"], group),
        )
    return found, [] if laid is None else _tcm_steps(laid.report, region.policy)


def _tcm_steps(report: pl.DataFrame, policy: Policy) -> list[Step]:
    """Return the step of a stay in the report (one row, or none): its figures, and what failed if it did not enter."""
    assert policy.tcm is not None
    steps = []
    for row in report.iter_rows(named=True):
        fees = "-"
        if row["ratio_e4"] is not None:
            sign = ">=" if policy.tcm.ratio_included else ">"
            shares = f"{format_fen(row['tcm_fee_fen'])} / {format_fen(row['all_fee_fen'])}"
            fees = f"{shares} = {format_e4(row['ratio_e4'])} ({sign} {policy.tcm.ratio_limit})"
        found = f"{row['classes']} classes, {row['operations']} operations, {row['act_ipt_days']} days"
        result = row["group_id"] if row["entered"] else f"{row['normal_group_id'] or '-'}: {row['failed']}"
        text = f"{row['group_id']}: {fees}; {found}"
        steps.append(Step("中医优势病种", "TCM-advantage group", text, result, cite(policy, "tcm")))
    return steps


def _outcome_step(case: dict[str, Any], setting: Setting) -> Step:
    policy = setting.region.policy
    held = f"{policy.meta.id}, {setting.catalog.meta.id}" if setting.several else ""
    reason = f" ({case['reason']})" if case["reason"] else ""
    return Step("去向", "outcome", held, f"{case['outcome']}{reason}", cite(policy, "scope"))


def _rejected_step(run: Path, case: dict[str, Any]) -> Step:
    """Say what quality control found in a row."""
    found = read_table(run, "rejected").filter(
        pl.col("source_file") == case["source_file"], pl.col("source_row") == case["source_row"]
    )
    texts = [
        f"{row['field']} = {'' if row['value'] is None else row['value']}: {row['message']}"
        for row in found.filter(pl.col("severity") == "error").iter_rows(named=True)
    ]
    where = f"{case['source_file']}, {case['source_row']}"
    return Step("去向", "outcome", "; ".join(texts), f"rejected ({case['reason']})", where)
