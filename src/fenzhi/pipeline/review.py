"""``fenzhi review``: applications listed, decisions checked and recorded, their effect before they are final."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.files import neutral, new_file
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.year import compute
from fenzhi.region import Region, load_region
from fenzhi.region.load import Reviews
from fenzhi.region.reviews import (
    DECISION_COLUMNS,
    DECISIONS,
    HISTORY,
    HISTORY_COLUMNS,
    latest,
    read_decisions,
    read_review_history,
)
from fenzhi.region.tables import require_once
from fenzhi.review import ranked, require_fitting
from fenzhi.review.ranking import APPROVED

ENGINE = "fenzhi"


@dataclass(frozen=True)
class Effect:
    """What decisions change. ``pools``: pool, title, value_before_e4, value_after_e4, direct_before_fen,
    direct_after_fen; ``hospitals``: fixmedins_code, fixmedins_name, before_fen, after_fen, moved_fen (payable).
    """

    pools: pl.DataFrame
    hospitals: pl.DataFrame


@dataclass(frozen=True)
class Listed:
    """``applications`` and ``published`` as of results, and the effect if it was asked for."""

    applications: pl.DataFrame
    published: pl.DataFrame
    effect: Effect | None = None


def _region(folder: Path) -> Region:
    region = load_region(folder)
    if region.review_rules is None:
        raise RegionError(
            "the policy of this region has no special review",
            code="REVIEW_NO_RULES",
            file=folder / "region.toml",
            field="region.policy",
            value=region.meta.policy,
            remedy="add [special_review] to the policy",
        )
    return region


def _with(region: Region, decisions: pl.DataFrame) -> Region:
    reviews = region.reviews
    return replace(region, reviews=Reviews(reviews.applications, decisions, reviews.history))


def _effect(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> Effect:
    def pools(tables: dict[str, pl.DataFrame], when: str) -> pl.DataFrame:
        value, direct = f"value_{when}_e4", f"direct_{when}_fen"
        names = [pl.col("settlement_value_e4").alias(value), pl.col("direct_fen").alias(direct)]
        return tables["pools"].select("pool", "title", *names)

    def hospitals(tables: dict[str, pl.DataFrame], when: str) -> pl.DataFrame:
        keys = ("fixmedins_code", "fixmedins_name")
        sums = tables["hospitals"].group_by(keys).agg(pl.col("payable_fen").sum().alias(f"{when}_fen"))
        return sums.sort("fixmedins_code")

    both = hospitals(before, "before").join(
        hospitals(after, "after").drop("fixmedins_name"), on="fixmedins_code", maintain_order="left"
    )
    return Effect(
        pools(before, "before").join(pools(after, "after").drop("title"), on="pool", maintain_order="left"),
        both.with_columns((pl.col("after_fen") - pl.col("before_fen")).alias("moved_fen")),
    )


def list_reviews(folder: Path, *, effect: bool = False, progress: Progress = silent) -> Listed:
    """List a region's applications with eligibility, rank and quota; writes nothing.

    ``effect``: also what the recorded decisions change against a year without any.
    """
    region = _region(folder)
    tables, _ = compute(region, progress=progress)
    found = None
    if effect:
        none, _ = compute(_with(region, region.reviews.decisions.clear()), progress=progress)
        found = _effect(none, tables)
    return Listed(tables["applications"], tables["review"], found)


def _last_states(history: pl.DataFrame) -> dict[str, str]:
    steps = history.filter(pl.col("state").is_in(["decided", "appealed", "settled"]))
    return dict(steps.unique("setl_id", keep="last").select("setl_id", "state").iter_rows())


def _refuse(code: str, message: str, file: Path, row: dict[str, Any], remedy: str) -> RegionError:
    number, stay = row["source_row"], row["setl_id"]
    return RegionError(message, code=code, file=file, row=number, field="setl_id", value=stay, remedy=remedy)


def _require_open(region: Region, new: pl.DataFrame, file: Path) -> None:
    """Raise for a stay that is settled, or decided without an appeal since."""
    states = _last_states(region.reviews.history)
    decided = set(region.reviews.decisions["setl_id"])
    for row in new.iter_rows(named=True):
        state = states.get(row["setl_id"])
        if state == "settled":
            message = "this stay is settled: nothing can be decided any more"
            raise _refuse("REVIEW_SETTLED", message, file, row, "take the decision out of the file")
        if row["setl_id"] in decided and state != "appealed":
            message = "this application is decided already"
            remedy = "take it out of the file, or record the appeal first (--record)"
            raise _refuse("REVIEW_DECIDED", message, file, row, remedy)


def _require_rank(region: Region, new: pl.DataFrame, tables: dict[str, pl.DataFrame], file: Path) -> None:
    """Raise for a decision that cannot hold: unknown stay, no criterion, over the quota by rank."""
    rules = region.review_rules
    assert rules is not None
    units = tables["review"].filter(pl.col("unit").is_not_null()).select("unit", "quota")
    fresh = tables["applications"].drop("quota", "rank", "state", "review", "decided_by", "decided_at", "why")
    known = latest(region.reviews.decisions).join(new.select("setl_id"), on="setl_id", how="anti")
    refusals = new.filter(pl.col("review") == "refused")
    # New approvals are no reason to go first: they are ranked as if they were not decided.
    said = pl.concat([known, refusals]).select("setl_id", "review")
    listed = ranked(fresh, said, units, rules)
    ranks = dict(listed.select("setl_id", "rank").iter_rows())
    quota = dict(listed.select("setl_id", "quota").iter_rows())
    one_by_one = new.filter(pl.col("review").is_in(APPROVED))
    require_fitting(new.join(one_by_one, on="setl_id", how="anti"), listed, rules, file)
    for number in range(one_by_one.height):
        row = one_by_one.row(number, named=True)
        rank = ranks.get(row["setl_id"])
        if rank is not None and rank > quota[row["setl_id"]]:
            message = f"this application is over the quota: rank {rank}, quota {quota[row['setl_id']]}"
            remedy = "refuse it, or refuse one that goes before it"
            raise _refuse("REVIEW_QUOTA", message, file, row, remedy)
    require_fitting(one_by_one, listed, rules, file)


def _history_rows(
    region: Region, tables: dict[str, pl.DataFrame], new: pl.DataFrame, today: str
) -> list[tuple[str | None, ...]]:
    """Return what the history lacks about the decided applications, then the decisions."""
    known = set(region.reviews.history.select("setl_id", "state").iter_rows())
    rows: list[tuple[str | None, ...]] = []
    applied = {row["setl_id"]: row for row in tables["applications"].iter_rows(named=True)}
    for row in new.iter_rows(named=True):
        one = applied[row["setl_id"]]
        who = one["fixmedins_code"] or "-"
        if (row["setl_id"], "applied") not in known:
            rows.append((row["setl_id"], "applied", one["applied_at"], who, one["reason"]))
        over = one["eligible"] and one["rank"] is not None and one["rank"] > one["quota"]
        state = "over_quota" if over else "eligible" if one["eligible"] else "not_eligible"
        if (row["setl_id"], state) not in known:
            rows.append((row["setl_id"], state, today, ENGINE, one["met"] or "-"))
        rows.append(
            (
                row["setl_id"],
                "decided",
                row["decided_at"],
                row["decided_by"],
                f"{row['review']}: {row['why']}",
            )
        )
    return rows


def _append(file: Path, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Add rows to a CSV file, which is whole at any time; what it holds stays as it is."""
    old = file.read_bytes() if file.is_file() else ("\ufeff" + ",".join(columns) + "\n").encode()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([neutral(cell or "") for cell in row] for row in rows)
    gap = b"" if old.endswith(b"\n") else b"\n"
    with new_file(file, replace=True) as aside:
        aside.write_bytes(old + gap + text.getvalue().encode())


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def decide(folder: Path, file: Path, *, effect: bool = False, progress: Progress = silent) -> Listed:
    """Check the decisions of a file and append them to review_decisions.csv and review_history.csv.

    ``effect``: show what they would change and record nothing. Raises :class:`RegionError` with the row of the file
    for an unknown or settled stay, one decided already, an outcome that cannot hold, or a decision over the quota.
    """
    region = _region(folder)
    new = read_decisions(file)
    require_once(new, file, "setl_id", "stay")
    _require_open(region, new, file)
    tables, _ = compute(region, progress=progress)
    _require_rank(region, new, tables, file)
    all_ = pl.concat([region.reviews.decisions, new])
    after, _ = compute(_with(region, all_), progress=progress)
    if not effect:
        cells = new.rename({"review": "outcome"}).select(DECISION_COLUMNS)
        _append(folder / DECISIONS, DECISION_COLUMNS, cells.rows())
        _append(folder / HISTORY, HISTORY_COLUMNS, _history_rows(region, tables, new, _today()))
    return Listed(after["applications"], after["review"], _effect(tables, after))


def record(folder: Path, file: Path) -> int:
    """Append appeals and settlements of a file (setl_id, state, at, who, why) to review_history.csv; return the rows.

    Raises :class:`RegionError` for a stay without decision, one that is settled, or another state.
    """
    region = _region(folder)
    rows = read_review_history(file).with_row_index("source_row", offset=1)
    decided, states = set(region.reviews.decisions["setl_id"]), _last_states(region.reviews.history)
    for row in rows.iter_rows(named=True):
        if row["state"] not in ("appealed", "settled"):
            message = f"the state {row['state']} is recorded by the engine itself"
            raise _refuse("REVIEW_STATE", message, file, row, "record appealed or settled")
        if row["setl_id"] not in decided:
            message = "nothing was decided about this stay"
            raise _refuse("REVIEW_UNKNOWN", message, file, row, "correct the id, or decide first")
        if states.get(row["setl_id"]) == "settled":
            message = "this stay is settled: nothing can be recorded any more"
            raise _refuse("REVIEW_SETTLED", message, file, row, "take it out of the file")
        states[row["setl_id"]] = row["state"]
    _append(folder / HISTORY, HISTORY_COLUMNS, rows.select(HISTORY_COLUMNS).rows())
    return rows.height
