"""A region's year under another catalogue, and another pack if need be: what stays, what the new rules do not read."""

from __future__ import annotations

from dataclasses import replace

from fenzhi.policy import Policy
from fenzhi.region.bonuses import bonuses_of_packs, require_levels
from fenzhi.region.load import Region, Reviews
from fenzhi.region.packs import load_packs
from fenzhi.region.reviews import read_applications, read_decisions, read_review_history
from fenzhi.region.tables import read_bonuses
from fenzhi.region.tracks import read_track_tables, require_places


def switched(region: Region, catalog: str, policy: str | None) -> tuple[Region, tuple[str, ...]]:
    """Return the region with one catalogue on all days and, if named, one pack; and what was left out or kept.

    Records, history, hospitals and the budget stay. Tracks beside the points are no matter of groups: a pack without
    any keeps those of the region. What the new pack does not read is no error: the second value says whether
    ``tracks`` were kept, ``bonuses`` or ``opening_values`` (stated ones, at another scale) left out. Raises
    :class:`PolicyError` or :class:`RegionError` for a pack that does not fit the region.
    """
    if policy is None:
        return replace(region, meta=region.meta.model_copy(update={"catalog": catalog})), ()
    said: list[str] = []
    update = {"catalog": catalog, "policy": policy, "policies": ()}
    meta, (pack,) = load_packs(region.meta.model_copy(update=update), region.folder)
    if not pack.tracks:
        kept = _with_tracks(pack, region.policy)
        if kept != pack:
            said.append("tracks")
        pack = kept
    budget = region.folder / meta.budget
    require_places(pack, [pool.id for pool in region.pools], region.budget, budget)
    require_levels(region.hospitals, pack.coefficients, region.folder / meta.hospitals)
    pools = region.pools
    stated = any(pool.opening_value is not None for pool in pools)
    if stated and pack.weights.scale != region.policy.weights.scale:
        pools = tuple(pool.model_copy(update={"opening_value": None}) for pool in pools)
        said.append("opening_values")
    file = region.folder / (meta.bonuses or "bonuses.csv")
    rows = read_bonuses(file if file.is_file() else None, region.hospitals)
    if rows.height and not pack.coefficients.items:
        said.append("bonuses")
    bonuses = bonuses_of_packs(rows, region.hospitals, [pack.coefficients], file)
    found = replace(
        region,
        meta=meta,
        policy=pack,
        policies=(pack,),
        pools=pools,
        bonuses=bonuses[0],
        pack_bonuses=bonuses,
        tracks=read_track_tables(region.folder, pack, region.hospitals, [pool.id for pool in pools]),
    )
    return found, tuple(said)


def without_reviews(region: Region) -> Region:
    """Return the region without applications and decisions of special review: they were made for other groups."""
    none = Reviews(read_applications(None), read_decisions(None), read_review_history(None))
    return replace(region, reviews=none)


def _with_tracks(pack: Policy, old: Policy) -> Policy:
    """Return the pack with the tracks of the region, and what sends stays to them."""
    sent = {**pack.scope.other_tracks, **old.scope.other_tracks}
    scope = pack.scope.model_copy(update={"other_tracks": sent})
    return pack.model_copy(update={"tracks": old.tracks, "scope": scope})
