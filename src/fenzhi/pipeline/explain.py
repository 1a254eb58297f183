"""Every step from a stay to its yuan: the rules replayed for one stay of a run, with figures and sources."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import ConservationError, InputError
from fenzhi.grouping import Trace, compile_catalog, trace_stay
from fenzhi.money import SCALE, format_e4, format_fen, round_half_up, step_of, to_e4
from fenzhi.pipeline.setting import COST_CRITERIA, known_codes, make_setting, map_codes
from fenzhi.pipeline.store import file_hashes, read_manifest, read_table
from fenzhi.policy import policy_hash
from fenzhi.policy.cases import Band
from fenzhi.policy.models import Policy
from fenzhi.records import read_stays
from fenzhi.region import Region, load_region
from fenzhi.region.scope import cost_of


@dataclass(frozen=True)
class Step:
    """One step: what it is (Chinese, English), its figures in a formula, its result, and where the rule comes from."""

    zh: str
    en: str
    formula: str
    result: str
    cite: str


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


def _check_inputs(region: Region, manifest: dict[str, Any]) -> None:
    now, then = file_hashes(region), manifest["inputs"]
    changed = [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]
    if not changed and policy_hash(region.policy) != manifest["policy"]["hash"]:
        changed = [region.meta.policy]
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
    _check_inputs(region, manifest)
    grouping = None
    if case["outcome"] not in ("rejected",) and case["status"] is not None:
        grouping = _replay(run, region, case)
    steps = [
        _rejected_step(run, case) if case["outcome"] == "rejected" else _outcome_step(case, region.policy)
    ]
    if case["points_e4"] is not None:
        steps += _points_steps(run, case, manifest, region)
    return Explanation(case, grouping, tuple(steps))


def _replay(run: Path, region: Region, case: dict[str, Any]) -> Trace:
    setting = make_setting(region, None)
    compiled = setting.compiled
    if COST_CRITERIA & set(region.policy.grouping.precedence):
        compiled = compile_catalog(setting.catalog, region.policy.grouping, read_table(run, "groups"))
    read = read_stays(
        region.path(region.meta.records),
        columns=setting.columns,
        quality=region.quality,
        known=known_codes(region),
    )
    stay = read.stays.filter(pl.col("setl_id") == case["setl_id"])
    found = trace_stay(
        map_codes(stay.with_columns(cost_of(stay, region.policy.scope).alias("cost_fen")), setting), compiled
    )
    if case["outcome"] != "ungrouped" and found.group_id != case["group_id"]:
        raise ConservationError(
            "the replay gives another group than the run",
            field="group_id",
            value=(case["group_id"], found.group_id),
        )
    return found


def _cite(policy: Policy, section: str) -> str:
    part = getattr(policy, section)
    return f"{part.cite} [{part.confidence}]" if part.cite else f"docs/rules.md [{part.confidence}]"


def _outcome_step(case: dict[str, Any], policy: Policy) -> Step:
    reason = f" ({case['reason']})" if case["reason"] else ""
    return Step("去向", "outcome", "", f"{case['outcome']}{reason}", _cite(policy, "scope"))


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


def _coefficient_formula(case: dict[str, Any], manifest: dict[str, Any], region: Region, exempt: bool) -> str:
    """Return where an institution coefficient comes from: the means of its class, hospitals.csv, or the exemption."""
    rules = region.policy.coefficients
    if exempt:
        return "grassroots: 1"
    hospital = region.hospitals.filter(pl.col("fixmedins_code") == case["fixmedins_code"]).row(0, named=True)
    if hospital["coefficient"] is not None:
        return "hospitals.csv"
    name = "|".join(hospital[column] or "" for column in rules.by)
    entry = next((entry for entry in manifest["classes"] if entry["class"] == name), None)
    if entry is None or entry["mean_fen"] is None:
        return f"{name}: 1"
    bounds = "".join(
        f"; {word} {bound}" for word, bound in ((">=", rules.floor), ("<=", rules.cap)) if bound is not None
    )
    return f"{name}: {format_fen(entry['mean_fen'])} / M {format_fen(manifest['mean_cost_fen'])}{bounds}"


def _group_steps(run: Path, case: dict[str, Any], manifest: dict[str, Any], region: Region) -> list[Step]:
    policy = region.policy
    group = read_table(run, "groups").filter(pl.col("group_id") == case["group_id"]).row(0, named=True)
    rw, h = case["rw_e4"], case["coefficient_e4"]
    mean, all_mean = group["mean_cost_fen"], manifest["mean_cost_fen"]
    weight = {
        "mean_cost": f"m {format_fen(mean)} / M {format_fen(all_mean)} x {policy.weights.scale}",
        "benchmark": f"m {format_fen(mean)} / m({policy.weights.benchmark_group}) x {policy.weights.scale}",
        "standard_amount": f"m {format_fen(mean)} / {policy.weights.standard_yuan} x {policy.weights.scale}",
    }[policy.weights.method]
    exempt = bool(group["grassroots"]) and policy.coefficients.grassroots_exempt
    kind = _coefficient_formula(case, manifest, region, exempt)
    return [
        Step(
            "病种分值 RW",
            "weight RW",
            f"{weight}; {group['history_cases']} - {group['trimmed_cases']} trimmed",
            format_e4(rw),
            _cite(policy, "weights"),
        ),
        Step(
            "机构调节系数 h", "institution coefficient h", kind, format_e4(h), _cite(policy, "coefficients")
        ),
        Step(
            "偏差前分值",
            "points before deviation",
            f"{format_e4(rw)} x {format_e4(h)}",
            format_e4(case["points_base_e4"]),
            _cite(policy, "points"),
        ),
    ]


def _recompute(
    case: dict[str, Any], band: Band, policy: Policy, opening_e4: int | None
) -> tuple[str, int] | None:
    """Return the formula with its figures and the points; None where the run keeps too little to repeat it."""
    base, cost, reference = case["points_base_e4"], case["cost_fen"], case["reference_fen"]
    if band.points in ("normal", "review"):
        return format_e4(base), base
    s, h = Fraction(case["rw_e4"]), Fraction(case["coefficient_e4"], SCALE)
    if band.points == "actual_cost":
        standard = round_half_up(Fraction(base * (opening_e4 or 0), 1_000_000))
        if standard <= 0:
            return format_e4(base), base
        exact = s * h * cost / standard
        text = f"RW x h x {format_fen(cost)} / {format_fen(standard)}"
    elif policy.deviation.factor_reference != policy.deviation.test_reference:
        return None
    else:
        q, limit = Fraction(cost, reference), Fraction(to_e4(band.above), SCALE)
        exact, text = {
            "ratio": (s * h * q, "RW x h x r"),
            "ratio_without_coefficient": (s * q, "RW x r"),
            "excess": (s * h * (q - limit + 1), f"RW x h x (r - {limit} + 1)"),
            "excess_plus_coefficient": (s * (q - limit + h), f"RW x (r - {limit} + h)"),
        }[band.points]
    return text, max(0, round_half_up(exact, step_of(policy.points.decimals)))


def _deviation_step(case: dict[str, Any], policy: Policy, opening_e4: int | None) -> Step:
    band = next((band for band in policy.deviation.bands if band.name == case["deviation"]), None)
    cite = _cite(policy, "deviation")
    if band is None:
        return Step("费用偏差", "cost deviation", "-", format_e4(case["points_e4"]), cite)
    amounts = f"{format_fen(case['cost_fen'])} / {format_fen(case['reference_fen'])}"
    ratio = f"r = {amounts} ({policy.deviation.test_reference})"
    again = _recompute(case, band, policy, opening_e4)
    if again is None:
        return Step(
            "费用偏差",
            "cost deviation",
            f"{ratio}; {band.title or band.name}",
            format_e4(case["points_e4"]),
            cite,
        )
    if again[1] != case["points_e4"]:
        raise ConservationError(
            "the replay gives other points than the run",
            field="points_e4",
            value=(case["points_e4"], again[1]),
        )
    return Step(
        "费用偏差",
        "cost deviation",
        f"{ratio}; {band.title or band.name}: {again[0]}",
        format_e4(again[1]),
        cite,
    )


def _share_formula(run: Path, case: dict[str, Any], policy: Policy) -> str:
    """Return how the hospital's amount falls on the stay: by points; `difference` subtracts the patients' part."""
    mine = (pl.col("fixmedins_code") == case["fixmedins_code"]) & (pl.col("pool") == case["pool"])
    hospital = read_table(run, "hospitals").filter(mine).row(0, named=True)
    amount, minus = hospital["gross_fen"], ""
    if policy.point_value.settlement == "difference":
        amount += hospital["cost_fen"] - hospital["booked_fen"]
        minus = f" - {format_fen(case['cost_fen'] - case['booked_fen'])}"
    return (
        f"{format_fen(amount)} x {format_e4(case['points_e4'])} / {format_e4(hospital['points_e4'])}{minus}"
    )


def _points_steps(run: Path, case: dict[str, Any], manifest: dict[str, Any], region: Region) -> list[Step]:
    policy = region.policy
    pool = read_table(run, "pools").filter(pl.col("pool") == case["pool"]).row(0, named=True)
    if case["outcome"] == "ungrouped":
        share = f"{format_fen(case['cost_fen'])} / M {format_fen(manifest['mean_cost_fen'])}"
        factor = f"{share} x {policy.weights.scale} x {policy.ungrouped.factor}"
        steps = [
            Step(
                "未入组分值",
                "points without a group",
                factor,
                format_e4(case["points_e4"]),
                _cite(policy, "ungrouped"),
            )
        ]
    else:
        steps = [
            *_group_steps(run, case, manifest, region),
            _deviation_step(case, policy, pool["opening_value_e4"]),
        ]
    value = _cite(policy, "point_value")
    fund, points = f"F {format_fen(pool['fund_fen'])}", format_e4(pool["points_e4"])
    if policy.point_value.settlement == "ratio":
        formula = f"({fund} / {format_e4(pool['payment_ratio_e4'])}) / {points}"
    else:
        formula = f"({fund} + {format_fen(pool['cost_fen'] - pool['booked_fen'])}) / {points}"
    return [
        *steps,
        Step("结算点值", "settlement point value", formula, format_e4(case["point_value_e4"]), value),
        Step(
            "支付标准",
            "payment standard",
            f"{format_e4(case['points_e4'])} x {format_e4(case['point_value_e4'])}",
            format_fen(case["standard_fen"]),
            value,
        ),
        Step(
            "基金应付(考核前)",
            "fund amount before assessment",
            _share_formula(run, case, policy),
            format_fen(case["payable_fen"]),
            _cite(policy, "settlement"),
        ),
    ]
