"""The same stays under two catalogues: what regrouping made of the difference, and where the stays went.

docs/rules.md, section 7. Works on what :func:`fenzhi.attribution.tables.stay_by_stay` gives.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fenzhi.attribution.causes import CAUSES, STAY_CAUSES, at, cause
from fenzhi.attribution.runs import ACCOUNT, Side
from fenzhi.errors import ConservationError

#: What the cause ``case_mix`` is made of where catalogues differ: stays that are in another group, stays that lost or
#: found a group, and the new weights of the others.
GROUPING_CAUSES = ("grouping", "ungrouped", "weight")


def _parted(causes: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for name in causes for part in (GROUPING_CAUSES if name == "case_mix" else (name,)))


SWITCH_STAY_CAUSES = _parted(STAY_CAUSES)
SWITCH_CAUSES = _parted(CAUSES)
GROUPED = ("grouped", "comprehensive")
#: The class of a stay that has no group, or that points do not pay, is its outcome.
CLASS = "class"
OTHERS = "*"


def by_grouping(stays: pl.DataFrame) -> pl.DataFrame:
    """Split ``by_case_mix_fen`` of every stay into :data:`GROUPING_CAUSES`; they add up to it, stay by stay."""
    had, has = (pl.col(at("outcome", when)).is_in(GROUPED).fill_null(False) for when in ("before", "after"))
    moved = pl.col(at("group_id", "before")).ne_missing(pl.col(at("group_id", "after")))
    which = pl.when(had & has & moved).then(0).when(had != has).then(1).otherwise(2)
    mix = pl.col(cause("case_mix"))
    return stays.with_columns(
        pl.when(which == number).then(mix).otherwise(0).alias(cause(name))
        for number, name in enumerate(GROUPING_CAUSES)
    )


def with_grouping(table: pl.DataFrame, stays: pl.DataFrame, keys: Sequence[str | pl.Expr]) -> pl.DataFrame:
    """Put :data:`GROUPING_CAUSES` beside a table of sums: those of the stays of each row (``keys``, named as there).

    Raises :class:`ConservationError` if they do not add up to the table's ``by_case_mix_fen``.
    """
    names = [cause(name) for name in GROUPING_CAUSES]
    sums = stays.group_by(keys).agg(pl.col(names).sum())
    on = [name for name in sums.columns if name not in names]
    found = table.join(sums, on=on, how="left", nulls_equal=True, maintain_order="left")
    found = found.with_columns(pl.col(names).fill_null(0))
    wrong = found.filter(pl.sum_horizontal(names) != pl.col(cause("case_mix")))
    if wrong.height:
        raise ConservationError(
            "what regrouping made does not add up to the case mix",
            field=cause("case_mix"),
            value=wrong[cause("case_mix")][0],
        )
    return found


def places(side: Side) -> pl.DataFrame:
    """Return setl_id, class, outcome, reason of every stay of a run, one row each.

    The class is the chapter (MDC) of a DRG, the layer of a DIP group, and the outcome of all other stays.
    """
    inside = pl.col("outcome").is_in(GROUPED)
    chapter = pl.when(pl.col("scheme") == "drg").then(pl.coalesce("mdc", "layer")).otherwise("layer")
    # A stay that was sent twice is the one that counts, not the row that was rejected.
    order = (pl.col("outcome") == "rejected").alias("_last")
    return (
        side.cases.select(
            "setl_id",
            pl.when(inside)
            .then(chapter.cast(pl.String))
            .otherwise(pl.col("outcome").cast(pl.String))
            .alias(CLASS),
            pl.col("outcome").cast(pl.String),
            pl.col("reason").cast(pl.String),
            order,
        )
        .collect()
        .sort("_last", maintain_order=True)
        .unique("setl_id", keep="first", maintain_order=True)
        .drop("_last")
    )


def placed(stays: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Add class_before, class_after and the reason after, from :func:`places` of both runs, to every stay."""
    out = stays
    for found, when in ((before, "before"), (after, "after")):
        mine = found.select("setl_id", pl.col(CLASS).alias(at(CLASS, when)))
        if when == "after":
            mine = mine.with_columns(found["reason"], found["outcome"].alias("outcome_now"))
        out = out.join(mine, on="setl_id", how="left", maintain_order="left")
    return out


def classes(stays: pl.DataFrame) -> pl.DataFrame:
    """Return per pair of classes the stays, their points, amounts and causes, the most stays first."""
    keys = [at(CLASS, "before"), at(CLASS, "after")]
    figures = [at("points_e4", when) for when in ("before", "after")]
    figures += ["before_fen", "after_fen", "difference_fen", *(cause(name) for name in SWITCH_STAY_CAUSES)]
    return (
        stays.group_by(keys)
        .agg(pl.len().cast(pl.Int64).alias("stays"), pl.col(figures).sum())
        .sort("stays", *keys, descending=[True, False, False], nulls_last=True)
    )


def matrix(pairs: pl.DataFrame, keys: tuple[str, str], most: int) -> pl.DataFrame:
    """Return a cross-table of stays: ``from``, one column per name after, ``total``; so is the last row.

    ``pairs``: the two ``keys`` (names, null = not paid) and ``stays``. The ``most`` names with the most stays stand
    for themselves on each side, all others together as :data:`OTHERS`; so the table adds up in both directions.
    """
    kept = []
    for key in keys:
        sums = pairs.group_by(key).agg(pl.col("stays").sum()).sort("stays", key, descending=[True, False])
        names = sums[key].head(most)
        shown = pl.when(pl.col(key).is_in(names.implode())).then(key).otherwise(pl.lit(OTHERS)).alias(key)
        kept.append((shown, [*names, *([OTHERS] if sums.height > most else [])]))
    (rows, lines), (columns, heads) = kept
    summed = pairs.with_columns(rows, columns).group_by(keys).agg(pl.col("stays").sum())
    cells = {(one, other): n for one, other, n in summed.iter_rows()}
    body = [[cells.get((line, head), 0) for head in heads] for line in lines]
    body.append([sum(row[at] for row in body) for at in range(len(heads))])
    return pl.DataFrame(
        [
            [*lines, "total"],
            *([row[n] for row in body] for n in range(len(heads))),
            [sum(row) for row in body],
        ],
        schema={"from": pl.String, **{f"to {head}": pl.Int64 for head in heads}, "total": pl.Int64},
    )


def lost(stays: pl.DataFrame) -> pl.DataFrame:
    """Return the stays that had a group and have none now, or are not paid by points any more, with the reason.

    The largest loss first. ``outcome_now``: what became of the stay.
    """
    had = pl.col(at("outcome", "before")).is_in(GROUPED)
    has = pl.col("outcome_now").is_in(GROUPED).fill_null(False)
    return stays.filter(had & ~has & (pl.col("state") != "added")).sort("difference_fen", "setl_id")


def destinations(flowing: pl.DataFrame) -> pl.DataFrame:
    """Return per group before (outcome, group_id) where most of its moved stays went: to_outcome, to_group, to_stays.

    ``flowing``: as :func:`fenzhi.attribution.tables.flows` gives it.
    """
    same = [pl.col(at(key, "before")).eq_missing(pl.col(at(key, "after"))) for key in ("outcome", "group_id")]
    first = flowing.filter(~(same[0] & same[1])).sort(
        "stays", "outcome_after", "group_id_after", descending=[True, False, False], nulls_last=True
    )
    return first.unique(["outcome_before", "group_id_before"], keep="first", maintain_order=True).select(
        pl.col("outcome_before").alias("outcome"),
        pl.col("group_id_before").alias("group_id"),
        pl.col("outcome_after").alias("to_outcome"),
        pl.col("group_id_after").alias("to_group"),
        pl.col("name_after").alias("to_name"),
        pl.col("stays").alias("to_stays"),
    )


def balance(accounts: pl.DataFrame, pools: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    """Return per pool how the by-disease fund becomes what hospitals get in the end: item, before, after, difference.

    ``accounts``: of the comparison; ``pools``: those tables of both runs. fund = residual + gross; gross less
    assessment and deductions, plus sharing = final; fund = final + kept. Raises :class:`ConservationError` unless
    that holds to the fen on both sides, and the changes of the hospitals are that of the last line.
    """
    rows = []
    for pool in sorted({*pools[0]["pool"], *pools[1]["pool"]}):
        mine = accounts.filter(pl.col("pool") == pool)
        sides = []
        for frame, when in zip(pools, ("before", "after"), strict=True):
            found = frame.filter(pl.col("pool") == pool)
            own = found.row(0, named=True) if found.height else {}
            fund, residual = own.get("fund_fen") or 0, own.get("residual_fen") or 0
            gross = sum(
                int(mine[at(name, when)].sum()) * sign
                for name, sign in (("priced_fen", 1), ("patients_fen", -1), ("direct_fen", 1))
            )
            sides.append({"fund": fund, "residual": -residual, "gross": gross})
            sides[-1]["final"] = int(mine[f"{when}_fen"].sum())
        changes = {name: int(mine[cause(name)].sum()) for name in ("assessment", "deduction", "sharing")}
        differences = {key: sides[1][key] - sides[0][key] for key in sides[0]}
        whole = (
            differences["gross"] + sum(changes.values())
            == differences["final"]
            == int(mine["difference_fen"].sum())
        )
        if not whole or any(side["fund"] + side["residual"] != side["gross"] for side in sides):
            raise ConservationError(
                "what the hospitals gain and lose does not add up to the difference of the budget",
                field="difference_fen",
                value=pool,
            )
        for item in ("fund", "residual", "gross"):
            rows.append((pool, item, sides[0][item], sides[1][item], differences[item]))
        rows += [(pool, name, None, None, fen) for name, fen in changes.items()]
        rows.append((pool, "final", sides[0]["final"], sides[1]["final"], differences["final"]))
        kept = [side["fund"] - side["final"] for side in sides]
        rows.append((pool, "kept", *kept, kept[1] - kept[0]))
    schema = ("pool", "item", "before_fen", "after_fen", "difference_fen")
    return pl.DataFrame(
        rows,
        schema={name: pl.String() if name in schema[:2] else pl.Int64() for name in schema},
        orient="row",
    )


def require_added_up(accounts: pl.DataFrame) -> None:
    """Raise :class:`ConservationError` unless the causes of every account add up to its difference."""
    wrong = accounts.filter(
        pl.sum_horizontal(cause(name) for name in SWITCH_CAUSES) != pl.col("difference_fen")
    )
    if wrong.height:
        raise ConservationError(
            "the causes of a difference do not add up to it",
            field="difference_fen",
            value=wrong.select(ACCOUNT).row(0),
        )
