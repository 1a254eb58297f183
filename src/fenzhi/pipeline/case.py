"""One case: its group and why, its points, its payment, how far it is from every limit, what to look at again.

It explains and audits the codes that it is given. It never looks for other codes, and never for the ones that pay best:
no function here groups a record that differs in its codes. docs/rules.md, "One case".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.budget import fixed_points
from fenzhi.errors import ConservationError
from fenzhi.grouping import Trace, trace_stay
from fenzhi.money import ratio_half_up
from fenzhi.pipeline.case_basis import Basis
from fenzhi.pipeline.case_codes import code_findings
from fenzhi.pipeline.setting import map_codes
from fenzhi.points import PAID, score
from fenzhi.points.limits import deviation_limits
from fenzhi.policy import Policy
from fenzhi.policy.values import PointValue
from fenzhi.records.audit import AUDIT, audit, read_checks
from fenzhi.records.rules import BY_CODE
from fenzhi.review.distance import icu_hours_e4, review_distances
from fenzhi.review.eligibility import BY_DISEASE
from fenzhi.weights import Weights

#: What is shown of a case; of the person nothing but the settlement id.
FACTS = (
    *(
        "setl_id",
        "fixmedins_code",
        "pool",
        "dscg_caty",
        "outcome",
        "reason",
        "layer",
        "group_id",
        "mdc",
        "adrg",
        "drg",
    ),
    *(
        "act_ipt_days",
        "cost_fen",
        "booked_fen",
        "rw_e4",
        "coefficient_e4",
        "auxiliary_family",
        "auxiliary_level",
    ),
    *(
        "auxiliary_e4",
        "points_base_e4",
        "deviation",
        "reference_fen",
        "add_ons",
        "add_on_e4",
        "points_e4",
        "paid_directly",
    ),
)
_SOURCE = "docs/reference/records.md"


@dataclass(frozen=True)
class Prices:
    """What a point is worth: ``value_e4`` and where it is from (``given``, ``settlement``, ``published``, ``opening``).

    ``opening_e4``: of fixed points, where the policy has some. ``ratio``: B / C of the pool, None if not known.
    """

    value_e4: int | None
    source: str
    opening_e4: int | None = None
    ratio: Fraction | None = None


@dataclass(frozen=True)
class CaseAnswer:
    """All that is said of one case.

    ``facts``: the columns of :data:`FACTS`, one row. ``trace``: of the grouping. ``limits``: see
    :func:`fenzhi.points.limits.deviation_limits`, with ``points_e4``, the points at the beginning of each band.
    ``reviews``: see :func:`fenzhi.review.distance.review_distances`. ``payment``: one row. ``findings``: see
    :data:`fenzhi.records.audit.AUDIT`. ``notes``: what is left out, Chinese and English.
    """

    facts: pl.DataFrame
    trace: Trace
    limits: pl.DataFrame
    reviews: pl.DataFrame
    payment: pl.DataFrame
    findings: pl.DataFrame
    notes: tuple[tuple[str, str], ...]


def score_cases(taken: pl.DataFrame, basis: Basis) -> pl.DataFrame:
    """Return cases with their points by the stage that scores a year; each by itself, so no top share is taken.

    ``taken``: what :meth:`Basis.take` returns. Cases that points do not pay have none. A share of the cost that needs
    the mean of all stays has no points where that mean is not published.
    """
    weights = basis.weights
    paid = taken.filter(pl.col("outcome").is_in(PAID))
    other = taken.filter(~pl.col("outcome").is_in(PAID))
    if weights is None:
        return taken
    policy = basis.policy
    if policy.deviation.top_share is not None:
        policy = policy.model_copy(
            update={"deviation": policy.deviation.model_copy(update={"top_share": None})}
        )
    if paid.height:
        index = paid["group_idx"].set(paid["group_idx"] < 0, None)
        flags = [basis.groups["grassroots"].gather(index).fill_null(False).alias("grassroots")]
        if "rigid_e4" in basis.groups.columns:
            flags.append(basis.groups["rigid_e4"].gather(index))
        paid = _scored(paid.with_columns(flags), basis, weights, policy)
    return pl.concat([paid, other], how="diagonal_relaxed").sort("row_idx")


def _scored(paid: pl.DataFrame, basis: Basis, weights: Weights, policy: Policy) -> pl.DataFrame:
    return score(paid, weights, policy, basis.groups["grassroots"], basis.opening)


def at_costs(taken: pl.DataFrame, costs: Sequence[int], basis: Basis) -> pl.DataFrame:
    """Return one case at several costs, scored: all else, its group and level included, stays as it is."""
    rows = pl.DataFrame({"cost_fen": costs}, schema={"cost_fen": pl.Int64})
    many = taken.drop("cost_fen", "row_idx", strict=False).join(rows, how="cross").with_row_index("row_idx")
    return score_cases(many, basis)


def _limits(taken: pl.DataFrame, scored: pl.DataFrame, basis: Basis) -> pl.DataFrame:
    """Return the limits of the deviation with the points where each band begins, and check that they lie there."""
    bands = {band.name for tier in basis.policy.deviation.all_tiers() for band in tier.bands}
    tested = (
        scored.filter(pl.col("deviation").is_in(sorted(bands))) if "deviation" in scored.columns else None
    )
    if tested is None or tested.is_empty():
        return deviation_limits(_UNTESTED, basis.policy.deviation).with_columns(_NO_POINTS)
    limits = deviation_limits(tested, basis.policy.deviation)
    begin = at_costs(taken, limits["from_fen"].to_list(), basis)
    ends = limits.filter(pl.col("upto_fen").is_not_null())
    end = at_costs(taken, ends["upto_fen"].to_list(), basis)
    if (
        begin["deviation"].to_list() != limits["band"].to_list()
        or end["deviation"].to_list() != ends["band"].to_list()
    ):
        raise ConservationError(
            "a limit of the deviation does not lie where it was worked out",
            field="deviation",
            value=limits["band"].to_list(),
        )
    return limits.with_columns(begin["points_e4"].cast(pl.Int64))


_UNTESTED = pl.DataFrame(
    schema={"setl_id": pl.String, "rw_e4": pl.Int64, "cost_fen": pl.Int64, "reference_fen": pl.Int64}
)
_NO_POINTS = pl.lit(None, pl.Int64).alias("points_e4")


def case_reviews(scored: pl.DataFrame, basis: Basis, items: Sequence[str] = ()) -> pl.DataFrame:
    """Return how far cases are from the criteria of special review; no row where the policy has none.

    ``items``: drugs or technologies that an application would name.
    """
    rules = basis.policy.special_review
    if rules is None or basis.weights is None:
        return pl.DataFrame()
    found = scored.filter(pl.col("outcome").is_in(BY_DISEASE)).join(basis.opening, on="pool", how="left")
    days = None if basis.part is None else basis.part.days
    if days is None:
        days = _NO_DAYS
    found = found.join(days, on="group_idx", how="left")
    hours = found["icu_hours"].to_list() if "icu_hours" in found.columns else [None] * found.height
    department = pl.col("dscg_caty") if "dscg_caty" in found.columns else pl.lit(None, pl.String)
    listed = pl.lit(pl.Series([list(items)], dtype=pl.List(pl.String))).first()
    known = found.with_columns(
        pl.Series("icu_hours_e4", [icu_hours_e4(one) for one in hours], dtype=pl.Int64),
        listed.alias("items"),
        pl.concat_list(department.fill_null("")).alias("departments"),
    )
    return review_distances(known, rules)


_NO_DAYS = pl.DataFrame(schema={"group_idx": pl.Int32, "group_days": pl.Int64, "group_cases": pl.Int64})


def _alone(rules: PointValue) -> PointValue:
    """Return the rules of the point value for a case alone: points that a hospital's last year fixes all float."""
    if rules.elastic is None or rules.elastic.base != "last_year":
        return rules
    return rules.model_copy(update={"rate": "floating", "elastic": None})


def case_payments(scored: pl.DataFrame, prices: Prices, policy: Policy) -> pl.DataFrame:
    """Return what scored cases would be paid: setl_id, point_value_e4, value_source, fixed_points_e4, standard_fen,
    direct_fen, fund_fen, cost_fen, over_fen (standard - cost).

    standard = RH(fixed points x opening value + other points x value). Fund amount, by ``ratio``: that sum x B / C, RH;
    by ``difference``: standard - (cost - booked). Null where something that it needs is not known. A case that is paid
    directly has RH(cost x B / C), an ungrouped one x its factor, at least 0, and no standard.
    """
    rules = _alone(policy.point_value)
    paid = scored.filter(pl.col("points_e4").is_not_null())
    last = pl.DataFrame(schema={"fixmedins_code": pl.String, "pool": pl.String, "last_points_e4": pl.Int64})
    fixed = fixed_points(paid, rules, last)
    value = pl.lit(prices.opening_e4 if rules.rate == "fixed" else prices.value_e4, pl.Int64)
    firm, points = pl.col("fixed_points_e4").cast(pl.Int128), pl.col("points_e4").cast(pl.Int128)
    opening = pl.lit(prices.opening_e4, pl.Int64)
    # What has no fixed points needs no opening value.
    exact = (pl.when(firm == 0).then(0).otherwise(firm * opening)) + (points - firm) * value
    exact = pl.when(firm == points).then(firm * opening).otherwise(exact)
    direct = pl.col("paid_directly").is_not_null()
    standard = pl.when(~direct).then(ratio_half_up(exact, pl.lit(_UNIT)))
    none, ratio = pl.lit(None, pl.Int64), prices.ratio
    if rules.settlement == "difference":
        fund = pl.when(pl.col("hifp_pay_fen").is_not_null()).then(
            standard - pl.col("cost_fen") + pl.col("booked_fen")
        )
    elif ratio is None:
        fund = pl.when(pl.lit(False)).then(none)
    else:
        fund = pl.when(~direct).then(
            ratio_half_up(exact * ratio.numerator, pl.lit(_UNIT * ratio.denominator))
        )
    return fixed.select(
        pl.col("setl_id").cast(pl.String),
        pl.when(~direct).then(value).alias("point_value_e4"),
        pl.lit(prices.source).alias("value_source"),
        "fixed_points_e4",
        standard.alias("standard_fen"),
        _direct(policy, ratio).alias("direct_fen"),
        fund.alias("fund_fen"),
        "cost_fen",
        (standard - pl.col("cost_fen")).alias("over_fen"),
    )


_UNIT = 1_000_000


def _direct(policy: Policy, ratio: Fraction | None) -> pl.Expr:
    """Return what the fund pays a case directly."""
    if ratio is None:
        return pl.lit(None, pl.Int64)
    cost = pl.col("cost_fen").cast(pl.Int128)
    factor = ratio * Fraction(policy.ungrouped.factor)
    whole = ratio_half_up(cost * ratio.numerator, pl.lit(ratio.denominator)).clip(lower_bound=0)
    part = ratio_half_up(cost * factor.numerator, pl.lit(factor.denominator)).clip(lower_bound=0)
    return (
        pl.when(pl.col("paid_directly") == "ungrouped")
        .then(part)
        .when(pl.col("paid_directly").is_not_null())
        .then(whole)
    )


def quality_findings(warnings: pl.DataFrame) -> pl.DataFrame:
    """Return the warnings of quality control as findings; ``warnings``: of :class:`fenzhi.records.StaysRead`."""
    codes = warnings["rule"].unique().to_list()
    texts = {name: [getattr(BY_CODE[code], name) for code in codes] for name in ("zh", "en")}
    rule = pl.col("rule")
    return warnings.select(
        "setl_id",
        pl.lit("quality").alias("kind"),
        rule.alias("check"),
        "field",
        "value",
        *(
            rule.replace_strict(codes, found, return_dtype=pl.String).alias(name)
            for name, found in texts.items()
        ),
        pl.lit(_SOURCE).alias("source"),
    ).select(pl.col(name).cast(dtype) for name, dtype in AUDIT.items())


def answer_case(
    stay: pl.DataFrame,
    basis: Basis,
    prices: Prices,
    *,
    warnings: pl.DataFrame | None = None,
    items: Sequence[str] = (),
    checks: pl.DataFrame | None = None,
) -> CaseAnswer:
    """Answer one accepted stay (a frame of one row, see the contract *Stays* of docs/architecture.md).

    ``warnings``: what quality control said of it. ``items``: see :func:`case_reviews`. ``checks``: see
    :func:`fenzhi.records.audit.read_checks`, those of fenzhi unless given. Raises :class:`ConservationError` if a step
    does not agree with another.
    """
    taken = basis.take(stay)
    scored = score_cases(taken, basis)
    coded = stay if basis.setting is None else map_codes(stay, basis.setting)
    trace = trace_stay(coded.with_columns(taken["cost_fen"]), basis.compiled)
    notes = list(basis.notes)
    if basis.policy.deviation.top_share is not None:
        notes.append(_TOP)
    if basis.weights is not None and basis.policy.point_value != _alone(basis.policy.point_value):
        notes.append(_LAST_YEAR)
    priced = basis.weights is not None and scored["outcome"].is_in(PAID).all()
    findings = [audit(coded, read_checks() if checks is None else checks, basis.kinds)]
    findings.append(code_findings(stay, coded, basis, trace))
    if warnings is not None:
        findings.insert(0, quality_findings(warnings))
    return CaseAnswer(
        facts=scored.select(name for name in FACTS if name in scored.columns),
        trace=trace,
        limits=_limits(taken, scored, basis),
        reviews=case_reviews(scored, basis, items),
        payment=case_payments(scored, prices, basis.policy) if priced else pl.DataFrame(),
        findings=pl.concat(findings),
        notes=tuple(notes),
    )


_TOP = (
    "最高费用比例要同全年病例一起排序,这里不判断",
    "the share of the most expensive stays needs all stays of the year: left out here",
)
_LAST_YEAR = (
    "固定点值部分取决于机构全年分值,这里全部按浮动点值计",
    "which part of the points is fixed depends on the hospital's whole year: all are priced at the floating value here",
)
