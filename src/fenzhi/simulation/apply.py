"""A scenario applied to a year: which records differ, which of the region's files, and whether quick sums can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
from pydantic import ValidationError

from fenzhi.budget import Budget, PoolBudget
from fenzhi.budget.pool import BY_DISEASE
from fenzhi.errors import RegionError
from fenzhi.money import fen_to_yuan, round_half_up, to_e4, yuan_to_fen
from fenzhi.policy import Policy
from fenzhi.policy.fields import dotted, keys_at, nearest
from fenzhi.policy.layers import overlay
from fenzhi.region import Region
from fenzhi.region.load import Reviews
from fenzhi.region.reviews import VALUES
from fenzhi.simulation.base import Base
from fenzhi.simulation.choose import WHOLE, chosen, count_of
from fenzhi.simulation.draft import Draft, refused, scaled, with_days
from fenzhi.simulation.engine import Change
from fenzhi.simulation.pathway import on_pathway
from fenzhi.simulation.scenario import Coding, Cost, Mix, Move, Pick, Scenario, Volume
from fenzhi.simulation.write import statable

#: Sections of a pack that nothing before pricing looks at; other keys need a full run.
AT_THE_END = ("settlement", "sharing")


@dataclass(frozen=True)
class Applied:
    """A scenario in a year. ``change``: for the engine. ``full``: what only a full run can tell, empty if nothing.

    ``pack``, ``keys``, ``catalog``: for that run.
    """

    change: Change
    full: tuple[str, ...] = ()
    pack: str | None = None
    keys: Mapping[str, Any] | None = None
    catalog: str | None = None


def apply_scenario(base: Base, scenario: Scenario) -> Applied:
    """Return what a scenario changes. Raises :class:`RegionError` in words where it makes no sense in this year."""
    own = scenario.hospital
    codes = base.region.hospitals["fixmedins_code"].to_list()
    if own is None and len(codes) == 1:
        own = codes[0]
    draft = Draft(base, own)
    if own is not None:
        draft.require_hospital(own, "hospital")
    for at, volume in enumerate(scenario.volume, start=1):
        _volume(draft, volume, f"volume.{at}", scenario.seed)
    for at, mix in enumerate(scenario.mix, start=1):
        _mix(draft, mix, f"mix.{at}", scenario.seed)
    for at, cost in enumerate(scenario.cost, start=1):
        _cost(draft, cost, f"cost.{at}", scenario.seed)
    for at, move in enumerate(scenario.move, start=1):
        _move(draft, move, f"move.{at}", scenario.seed)
    for at, coding in enumerate(scenario.coding, start=1):
        _coding(draft, coding, f"coding.{at}", scenario.seed)
    if scenario.others is not None:
        if own is None:
            raise refused("others than whom?", "others", remedy="name the scenario's hospital")
        others = draft.where(pl.col("fixmedins_code") != own)
        if others.is_empty():
            raise refused(
                "there are no other hospitals here",
                "others",
                remedy="say under [point_value] what the point value will be",
            )
        growth = Fraction(scenario.others.growth)
        draft.grow(others, _signed(growth, others.height), scenario.seed, WHOLE)
    region = _region(base, scenario, own, draft)
    change = draft.change(None if region is base.region else region)
    return _with_run(base, scenario, change)


def _signed(share: Fraction, stays: int) -> int:
    return count_of(share, stays) if share >= 0 else -count_of(-share, stays)


def _volume(draft: Draft, part: Volume, field: str, seed: int) -> None:
    stays = draft.pick(part, field)
    more = part.stays if part.stays is not None else _signed(Fraction(part.growth or 0), stays.height)
    if -more > stays.height:
        raise refused(
            f"there are only {stays.height} stays of this kind, so {-more} cannot leave",
            f"{field}.stays",
            part.stays,
            "give a smaller number",
        )
    draft.grow(stays, more, seed)


def _mix(draft: Draft, part: Mix, field: str, seed: int) -> None:
    if part.group == part.to:
        raise refused("stays of a group cannot give way to the same group", f"{field}.to", part.to)
    stays = draft.pick(part, field)
    count = count_of(Fraction(part.share), stays.height)
    draft.remove(chosen(stays, count, seed))
    into = draft.pick(part.model_copy(update={"group": part.to}), f"{field}.to")
    draft.grow(into, count, seed)


def _cost(draft: Draft, part: Cost, field: str, seed: int) -> None:
    stays = _share_of(draft, part, part.share, field, seed)
    rows = draft.taken(stays)
    if part.cost is not None:
        rows = scaled(rows, 1 + Fraction(part.cost))
    if part.los_days is not None:
        rows = with_days(rows, part.los_days)
    draft.put(rows)


def _share_of(draft: Draft, part: Pick, share: Decimal, field: str, seed: int) -> pl.DataFrame:
    stays = draft.pick(part, field)
    return chosen(stays, count_of(Fraction(share), stays.height), seed)


def _move(draft: Draft, part: Move, field: str, seed: int) -> None:
    if part.to_hospital is not None:
        draft.require_hospital(part.to_hospital, f"{field}.to_hospital")
    kind = None if part.track is None else _kind_of(draft.base, part.track, f"{field}.track")
    rows = draft.taken(_share_of(draft, part, part.share, field, seed))
    if part.cost is not None:
        rows = scaled(rows, 1 + Fraction(part.cost))
    if part.to_hospital is not None:
        rows = rows.with_columns(
            pl.lit(part.to_hospital).cast(rows.schema["fixmedins_code"]).alias("fixmedins_code")
        )
    elif kind is not None:
        rows = rows.with_columns(pl.lit(kind).cast(rows.schema["med_type"]).alias("med_type"))
    else:
        rows = on_pathway(rows, draft.base, part, field)
    draft.put(rows)


def _kind_of(base: Base, track: str, field: str) -> str:
    """Return the kind of stay that the policy sends to a track."""
    kinds = {name: kind for kind, name in base.region.policy.scope.other_tracks.items()}
    if track not in kinds:
        known = ", ".join(sorted(kinds)) or "none"
        near = nearest(track, sorted(kinds))
        raise refused(
            "the policy sends no kind of stay to this track" + (f"; nearest is {near!r}" if near else ""),
            field,
            track,
            f"tracks of [scope.other_tracks]: {known}",
        )
    return kinds[track]


def _coding(draft: Draft, part: Coding, field: str, seed: int) -> None:
    if part.setl_ids:
        stays = draft.where(pl.col("setl_id").is_in(list(part.setl_ids)))
        strange = sorted(set(part.setl_ids) - set(stays["setl_id"]))
        if strange:
            raise refused("points pay no stay of this id", f"{field}.setl_ids", strange[0])
    else:
        stays = _share_of(draft, part, part.share, field, seed)
    draft.put(_recoded(draft.taken(stays), part))


def _recoded(rows: pl.DataFrame, part: Coding) -> pl.DataFrame:
    found = {}
    for column, added in (("diag_codes", part.add_diagnoses), ("oprn_codes", part.add_operations)):
        codes = rows[column].list.eval(pl.element().replace(dict(part.replace)))
        for code in added:
            have = codes.list.contains(code)
            frame = pl.DataFrame({"codes": codes, "have": have})
            codes = frame.select(
                pl.when("have").then("codes").otherwise(pl.concat_list("codes", pl.lit(code)))
            ).to_series()
        if part.drop:
            kept = codes.list.eval(pl.element().filter(~pl.element().is_in(list(part.drop))))
            frame = pl.DataFrame({"codes": codes, "kept": kept})
            some = (pl.col("kept").list.len() > 0) | pl.lit(column == "oprn_codes")
            # A stay without any diagnosis is no record: the first one stays.
            codes = frame.select(
                pl.when(some).then("kept").otherwise(pl.col("codes").list.head(1))
            ).to_series()
        found[column] = codes.alias(column)
    fees = [
        pl.lit(None, rows.schema[name]).alias(name) for name in ("oprn_fees_fen",) if name in rows.columns
    ]
    return rows.with_columns(*found.values(), *fees)


def _region(base: Base, scenario: Scenario, own: str | None, draft: Draft) -> Region:
    """Return the region with other coefficients, decisions, budget, and the keys that only the end looks at."""
    region = base.region
    for at, part in enumerate(scenario.coefficient, start=1):
        code = part.hospital or own
        if code is None:
            raise refused("no hospital is named", f"coefficient.{at}.hospital")
        draft.require_hospital(code, f"coefficient.{at}.hospital")
        given = pl.when(pl.col("fixmedins_code") == code).then(pl.lit(f"{part.value:f}"))
        hospitals = region.hospitals.with_columns(given.otherwise("coefficient").alias("coefficient"))
        region = replace(region, hospitals=hospitals)
    if scenario.review:
        region = replace(region, reviews=_reviews(base, scenario))
    if scenario.budget:
        region = replace(region, budget=_budget(region.budget, scenario))
    policy = scenario.policy
    if policy is not None and len(region.policies) > 1:
        raise refused("the year has several packs", "policy", remedy="change them in a copy of the region")
    if policy is not None and policy.pack is None and policy.set:
        changed = _overlaid(region.policy, policy.set)
        region = replace(region, policy=changed, policies=(changed,))
    return region


def _overlaid(policy: Policy, keys: Mapping[str, Any]) -> Policy:
    """Return a pack with keys laid over it."""
    data = policy.model_dump(by_alias=True, exclude_unset=True)
    try:
        return Policy.model_validate(overlay(data, dict(keys)))
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        place = first["loc"]
        names = keys_at(Policy, place[:-1])
        near = nearest(str(place[-1]), names) if first["type"] == "extra_forbidden" else None
        raise RegionError(
            first["msg"].removeprefix("Value error, ") + (f"; nearest is {near!r}" if near else ""),
            code="SCENARIO_VALUE",
            field=dotted(("policy", "set", *place)),
            remedy="see docs/reference/policy.md for the keys and their meaning",
        ) from error


def _reviews(base: Base, scenario: Scenario) -> Reviews:
    region = base.region
    if region.review_rules is None:
        raise refused("the policy has no special review", "review", remedy="leave [[review]] out")
    reviews = region.reviews
    applied = set(reviews.applications["setl_id"])
    rows: list[dict[str, Any]] = []
    applications: list[dict[str, Any]] = []
    for at, part in enumerate(scenario.review, start=1):
        column = VALUES[part.outcome]
        if (part.value is None) != (column is None):
            raise refused(
                f"the outcome {part.outcome} {'has no' if column is None else 'needs a'} value",
                f"review.{at}.value",
                part.value,
                "see docs/reference/scenario.md",
            )
        row: dict[str, Any] = dict.fromkeys(reviews.decisions.columns)
        said = {"decided_by": "scenario", "decided_at": f"{region.meta.year}-12-31", "why": "scenario"}
        row |= {"setl_id": part.setl_id, "review": part.outcome, **said}
        row["source_row"] = reviews.decisions.height + at
        if column is not None and part.value is not None:
            convert = yuan_to_fen if column == "standard_fen" else to_e4
            row |= {column: convert(part.value), "value": f"{part.value:f}"}
        rows.append(row)
        if part.setl_id not in applied:
            applied.add(part.setl_id)
            applications.append(
                {
                    "setl_id": part.setl_id,
                    "applied_at": said["decided_at"],
                    "reason": "scenario",
                    "icu_hours_e4": None,
                    "items": [],
                    "departments": [],
                }
            )
    decisions = pl.DataFrame(rows, schema=reviews.decisions.schema)
    more = pl.DataFrame(applications, schema=reviews.applications.schema)
    return Reviews(
        pl.concat([reviews.applications, more]),
        pl.concat([reviews.decisions, decisions]),
        reviews.history,
    )


def _budget(budget: Budget, scenario: Scenario) -> Budget:
    pools = {pool.id: pool for pool in budget.pool}
    for at, part in enumerate(scenario.budget, start=1):
        if part.pool not in pools:
            known = ", ".join(pools)
            raise refused(
                "the region has no such pool", f"budget.{at}.pool", part.pool, f"use one of: {known}"
            )
        pools[part.pool] = _changed_pool(pools[part.pool], part, f"budget.{at}")
    return budget.model_copy(update={"pool": tuple(pools.values())})


def _changed_pool(pool: PoolBudget, part: Any, field: str) -> PoolBudget:
    def other(amount: Decimal) -> Decimal:
        if part.amount is not None:
            return Decimal(part.amount)
        return fen_to_yuan(round_half_up(Fraction(amount) * (1 + Fraction(part.growth)) * 100))

    if part.line == BY_DISEASE and pool.last_by_disease is not None:
        return pool.model_copy(update={"last_by_disease": other(pool.last_by_disease)})
    lines = {line.name: line for line in pool.lines}
    line = lines.get(part.line)
    if line is None:
        near = nearest(part.line, list(lines))
        raise refused(
            "the pool has no such line" + (f"; nearest is {near!r}" if near else ""),
            f"{field}.line",
            part.line,
            f"use one of: {', '.join(lines)}",
        )
    if line.amount is None:
        raise refused(
            "this line is a share of the income", f"{field}.line", part.line, "change a line of kind income"
        )
    lines[part.line] = line.model_copy(update={"amount": other(line.amount)})
    return pool.model_copy(update={"lines": tuple(lines.values())})


def _with_run(base: Base, scenario: Scenario, change: Change) -> Applied:
    """Return the change, and what of the scenario a full run is needed for."""
    full = []
    policy = scenario.policy
    if policy is not None and (policy.pack is not None or set(policy.set) - set(AT_THE_END)):
        full.append("policy")
    if scenario.catalog is not None:
        full.append("catalog")
    if scenario.coefficient:
        rules = base.region.policy.point_value.elastic
        by_last = rules is not None and rules.form == "base_volume" and rules.base == "last_year"
        strange = [one for one in base.frozen.opening["opening_value_e4"] if one and not statable(one)]
        if by_last or strange or any(part.policy.coefficients.form == "group" for part in base.frozen.parts):
            full.append("coefficient")
    pack = None if policy is None else policy.pack
    value = scenario.point_value
    if value is not None:
        published = base.region.published
        if published is None:
            raise refused(
                "all hospitals are here, so the point value follows from them",
                "point_value",
                remedy="leave it out; it is for the folder of a hospital alone",
            )
        known = published.given()
        for pool in value.values:
            if pool not in known:
                raise refused("no such pool", "point_value.values", pool, f"use one of: {', '.join(known)}")
        values = {pool: to_e4(one) for pool, one in value.values.items()}
        change = replace(change, elasticity=value.elasticity, values=values)
        if full:
            raise refused(
                f"{full[0]} needs a run of its own, in which the point value stays as published",
                "point_value",
                remedy="leave one of them out",
            )
    return Applied(change, tuple(full), pack, None if policy is None else policy.set, scenario.catalog)
