"""The model of a forecast: how the rest of the year may turn out. docs/rules.md, "Forecast".

Everything is statistics, so numbers are floats; what pays is computed from whole numbers afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from fenzhi.arrays import Floats, Int64s
from fenzhi.simulation.forecast_cells import MEANS, MONTHS, Cells

#: Months that are drawn together, so that what lasts for some months does so in the draws.
BLOCK = 3
#: Stays of the pool that count beside an account's own ones in the spread of its stays.
POOL_STAYS = 50.0
#: Accounts with fewer stays in the history have no months of their own to draw from.
OWN_STAYS = 36.0
#: Growth of a stay's means differs from year to year by at least so much (standard deviation), however alike it was.
GROWTH_SPREAD = 0.01
#: The part of the accounts whose truth an interval should hold, and the draws with which that is tried.
INSIDE, TRIED = 0.8, 200
_LEAST = 1e-9


@dataclass(frozen=True)
class Season:
    """Stays by month of pools and accounts; shocks of whole pools by month of the history.

    ``counts``: stays of the pools by month. ``own``: those of accounts. ``weight``: how many stays the pool's season is
    worth beside them. ``shocks``: pools x months of the history x
    quantities, relative. ``noise``: accounts x months of the history, standardised. ``extra``: the relative variance of
    an account's month beyond that of a count.
    """

    counts: Floats
    own: Floats
    weight: float
    shocks: Floats
    noise: Floats
    extra: float


def _ratio(over: Floats, under: Floats, otherwise: float = 0.0) -> Floats:
    found: Floats = np.divide(
        over, under, out=np.full(np.broadcast(over, under).shape, otherwise), where=under > 0
    )
    return found


def by_pool(values: Floats, at: Int64s, pools: int, axis: int) -> Floats:
    """Return sums over the accounts of each pool, in the place of the axis of accounts."""
    member = (at[None, :] == np.arange(pools)[:, None]).astype(np.float64)
    moved = np.moveaxis(values, axis, 0)
    flat = member @ moved.reshape(moved.shape[0], -1)
    return np.moveaxis(flat.reshape(pools, *moved.shape[1:]), 0, axis)


def _concentration(counts: Floats, expected: Floats) -> float:
    """Return how many stays the pool's season is worth beside an account's own.

    The variance of shares between accounts beyond chance, by moments (Dirichlet-multinomial).
    """
    totals = counts.sum(axis=1)
    rows = totals > 1
    chi = float(_ratio((counts - expected) ** 2, expected)[rows].sum())
    free = MONTHS - 1
    spread = (chi - free * rows.sum()) / max(free * float((totals[rows] - 1).sum()), _LEAST)
    return float(np.clip(1 / max(spread, 1e-6) - 1, 12.0, 1e6))


def _excess(observed: Floats, chance: Floats) -> float:
    """Return the part of a variance that chance does not explain, 0 to 1."""
    total = float(observed.sum())
    return max(0.0, 1 - float(chance.sum()) / total) if total > 0 else 0.0


def seasons(cells: Cells) -> Season:
    """Measure the seasons of pools and accounts on the history."""
    past, at, pools = cells.past, cells.at, len(cells.pools)
    years = past.shape[0]
    stays = past[..., 0]
    pooled = by_pool(stays, at, pools, 1)
    total = pooled.sum(axis=0)
    even = np.full(MONTHS, 1 / MONTHS)
    share = np.where(
        total.sum(axis=1, keepdims=True) > 0, _ratio(total, total.sum(axis=1, keepdims=True)), even
    )
    own = stays.sum(axis=0)
    weight = _concentration(own, own.sum(axis=1, keepdims=True) * share[at])
    counts = own + weight * share[at]
    shape = counts / counts.sum(axis=1, keepdims=True)
    # Shocks that a whole pool had in a month, without what chance does to a count.
    expected = pooled.sum(axis=2, keepdims=True) * share
    loose = np.sqrt(MONTHS / (MONTHS - 1) * years / max(years - 1, 1))
    off = _ratio(pooled, expected, 1.0) - 1
    off *= np.sqrt(_excess(off**2, _ratio(np.ones_like(expected), expected))) * loose * (years > 1)
    shocks = np.concatenate([off[..., None], _mean_shocks(cells) * loose * (years > 1)], axis=3)
    # What an account's month had beside that.
    mean = stays.sum(axis=2, keepdims=True) * shape * (1 + off[:, at, :] / loose)
    extra = max(0.0, float(((stays - mean) ** 2 - mean).sum()) / max(float((mean**2).sum()), _LEAST))
    noise = _ratio(stays - mean, np.sqrt(mean + extra * mean**2))
    lost = 1 - (own.sum(axis=1) / counts.sum(axis=1)) / max(years, 1)
    noise /= np.sqrt((MONTHS - 1) / MONTHS * np.maximum(lost, 0.5))[None, :, None]
    return Season(
        total + _LEAST,
        own,
        weight,
        np.moveaxis(shocks, 1, 0).reshape(pools, years * MONTHS, -1),
        np.moveaxis(noise, 1, 0).reshape(len(at), years * MONTHS),
        extra,
    )


@dataclass(frozen=True)
class Means:
    """Points, cost and booked amount of a stay.

    ``account``: accounts x 3, of the newest year; ``month``: pools x months x 3, relative to the year; ``year``: years
    x pools x 3, relative to the newest one.
    """

    account: Floats
    month: Floats
    year: Floats


def _means(cells: Cells) -> Means:
    """Return the means of the history: of accounts, with what years and months do to them taken out."""
    past, at, pools = cells.past, cells.at, len(cells.pools)
    stays, sums = past[..., 0].sum(axis=2), past[..., 1:].sum(axis=2)
    mean = _ratio(sums, stays[..., None])
    years = []
    for year in range(past.shape[0]):
        # The same hospitals with the same numbers of stays in both years.
        both = np.minimum(stays[year], stays[-1])[:, None]
        one, last = (by_pool(both * mean[t], at, pools, 0) for t in (year, -1))
        years.append(_ratio(one, last, 1.0))
    factor = np.stack(years)
    level = by_pool_back(factor, at)
    account = _ratio((sums / np.maximum(level, _LEAST)).sum(axis=0), stays.sum(axis=0)[:, None])
    real = by_pool((past[..., 1:] / np.maximum(level, _LEAST)[:, :, None, :]).sum(axis=0), at, pools, 0)
    wanted = by_pool(past[..., 0].sum(axis=0)[..., None] * account[:, None, :], at, pools, 0)
    month = _ratio(real, wanted, 1.0)
    spread = np.diagonal(spreads(cells), axis1=1, axis2=2)
    chance = by_pool(past[..., :1].sum(axis=0) * (account**2 * spread)[:, None, :], at, pools, 0)
    chance = _ratio(chance, wanted**2)
    # Only as much of a month's difference as chance does not explain.
    kept = [_excess((month[..., q] - 1) ** 2, chance[..., q]) for q in range(month.shape[-1])]
    return Means(account, 1 + (month - 1) * np.array(kept), factor)


def by_pool_back(values: Floats, at: Int64s) -> Floats:
    """Return what belongs to the pools (axis 1) for each account."""
    found: Floats = values[:, at]
    return found


def _mean_shocks(cells: Cells) -> Floats:
    """Return years x pools x months x 3: how far the means of a month were off, without what chance does."""
    means, at, pools = _means(cells), cells.at, len(cells.pools)
    past = cells.past
    account = means.year[:, at][:, :, None, :] * means.account[None, :, None, :] * means.month[at][None]
    wanted = by_pool(past[..., :1] * account, at, pools, 1)
    off = _ratio(by_pool(past[..., 1:], at, pools, 1), wanted, 1.0) - 1
    spread = np.diagonal(spreads(cells), axis1=1, axis2=2)
    chance = by_pool(past[..., :1] * account**2 * spread[None, :, None, :], at, pools, 1)
    kept = [_excess(off[..., q] ** 2, _ratio(chance, wanted**2)[..., q]) for q in range(off.shape[-1])]
    found: Floats = off * np.sqrt(np.array(kept))
    return found


def spreads(cells: Cells) -> Floats:
    """Return accounts x 3 x 3: relative covariance of points, cost and booked amount of one stay.

    An account's own stays count beside :data:`POOL_STAYS` of its pool.
    """
    at, pools = cells.at, len(cells.pools)

    mean = _ratio(cells.totals, cells.counted[:, None])
    both = mean[:, :, None] * mean[:, None, :]
    n = cells.counted[:, None, None]
    own = _ratio(_ratio(cells.squares, n), both, 1.0) - 1.0
    whole = _ratio(by_pool(own * n, at, pools, 0), by_pool(n, at, pools, 0))
    return (own * n + whole[at] * POOL_STAYS) / (n + POOL_STAYS)


def _volume_drift(cells: Cells) -> float:
    """Return the variance of the relative change of an account's share of its pool from year to year.

    Of two years of the history that follow each other, and of the days done and the same ones of the newest year.
    """
    stays = cells.past[..., 0].sum(axis=2)
    same = (cells.past[-1:, ..., 0] * cells.done).sum(axis=2)
    pairs = [*pairwise(stays), (same[0], cells.now[..., 0].sum(axis=1))]
    over = under = 0.0
    for before, after in pairs:
        level = by_pool(np.stack([before, after]), cells.at, len(cells.pools), 1)
        grown = _ratio(level[1], level[0], 1.0)[cells.at]
        over += float(((after - before * grown) ** 2 - after - before * grown**2).sum())
        under += float(((before * grown) ** 2).sum())
    return max(0.0, over / under) if under > 0 else 0.0


def _mean_drift(cells: Cells, means: Means, spread: Floats, now: tuple[Floats, Floats]) -> Floats:
    """Return the variance of the relative change of an account's mean from year to year, of each quantity.

    Of two years of the history that follow each other, and of the history and the days done; ``now``: stays and
    means of these, as multiples of what the pool's growth makes of the history's.
    """
    stays = cells.past[..., 0].sum(axis=2)
    mean = _ratio(cells.past[..., 1:].sum(axis=2), stays[..., None])
    mean = _ratio(mean, by_pool_back(means.year, cells.at))
    pairs = [
        (stays[year], stays[year - 1], _ratio(mean[year], mean[year - 1])) for year in range(1, len(stays))
    ]
    pairs.append((now[0], stays.sum(axis=0), now[1]))
    variance = np.diagonal(spread, axis1=1, axis2=2)
    over, under = np.zeros(variance.shape[1]), np.zeros(variance.shape[1])
    for one, two, change in pairs:
        pair = _ratio(one * two, one + two)[:, None]
        there = (pair > 0) & (change > 0)
        over += np.where(there, pair * (change - 1) ** 2 - variance, 0).sum(axis=0)
        under += np.where(there, pair, 0).sum(axis=0)
    return np.maximum(_ratio(over, under), 0)


def _counting(stays: Floats, drift: Floats) -> Floats:
    """Return how many stays of now the stays of each year before are worth: 1 / (1 / n + years back x drift)."""
    back = np.arange(len(stays), 0, -1)[:, None]
    return _ratio(stays, 1 + stays * back * drift)


def _dirichlet(counts: Floats, rng: np.random.Generator) -> Floats:
    """Return shares of the months (last axis) that stays such as these may come from."""
    found = rng.standard_gamma(counts)
    whole: Floats = found / found.sum(axis=-1, keepdims=True)
    return whole


def _blocks(rng: np.random.Generator, shape: tuple[int, ...], months: int, of: int) -> Int64s:
    """Return places of months of the history: blocks of consecutive ones, at random."""
    blocks = -(-months // BLOCK)
    starts = rng.integers(0, of - BLOCK + 1, (*shape, blocks))
    places: Int64s = (starts[..., None] + np.arange(BLOCK)).reshape(*shape, blocks * BLOCK)[..., :months]
    return places


def draw_rest(cells: Cells, draws: int, rng: np.random.Generator) -> Floats:
    """Return draws x accounts x months x quantities of the days that are still to come.

    The draws are spread around their mean as the newest year of the history asks for (:func:`spread_factor`).
    """
    apart, ahead = rng.spawn(2)
    found = _draw(cells, draws, ahead)
    factor = spread_factor(cells, min(draws, TRIED), apart)
    if factor == 1:
        return found
    mean = found.mean(axis=0)
    spread: Floats = np.maximum(np.rint(mean + factor * (found - mean)), 0)
    return spread


def spread_factor(cells: Cells, draws: int, rng: np.random.Generator) -> float:
    """Return by how much more than the model says a year differed from its forecast; 1 to 2.

    The newest year of the history is forecast from the years before it, as of the same day: the factor is the multiple
    of half an interval within which the truth lies for the part :data:`INSIDE` of the accounts, over all quantities.
    With fewer than three years there is nothing to try it on.
    """
    if len(cells.past) < 3:
        return 1.0
    last = cells.past[-1]
    earlier = replace(cells, past=cells.past[:-1], now=last * cells.done[None, :, None])
    drawn = _draw(earlier, draws, rng).sum(axis=2)
    truth = (last * (1 - cells.done)[None, :, None]).sum(axis=1)
    low, middle, high = np.quantile(drawn, ((1 - INSIDE) / 2, 0.5, (1 + INSIDE) / 2), axis=0)
    half = (high - low) / 2
    seen = (truth[:, :1] > 0) & (half > 0)
    if not seen.any():
        return 1.0
    # Half a standard error more: so few accounts say only roughly how wide is wide enough.
    part = min(INSIDE + np.sqrt(INSIDE * (1 - INSIDE) / len(truth)) / 2, 0.99)
    off = (np.abs(truth - middle) / np.maximum(half, _LEAST))[seen]
    return float(np.clip(np.quantile(off, part), 1, 2))


def _draw(cells: Cells, draws: int, rng: np.random.Generator) -> Floats:
    season, at, years = seasons(cells), cells.at, len(cells.past)
    accounts, rest = len(at), cells.rest
    stays = cells.past[..., 0].sum(axis=2)
    n0 = cells.now[..., 0].sum(axis=1)
    # The pools: their shocks, and so the level at which the year runs.
    places = _blocks(rng, (draws,), MONTHS, years * MONTHS)
    shocks = np.maximum(season.shocks[:, places], -0.9)
    pooled = _dirichlet(np.broadcast_to(season.counts[:, None, :], (len(cells.pools), draws, MONTHS)), rng)
    running = (cells.done * pooled * (1 + shocks[..., 0])).sum(axis=2)
    done = by_pool(n0, at, len(cells.pools), 0)
    level = _ratio(rng.standard_gamma(np.broadcast_to(done[:, None], running.shape)), running)
    # The accounts: seasons, shares of their pools.
    shape = _dirichlet(season.own + season.weight * np.moveaxis(pooled, 0, 1)[:, at], rng)
    worth = _counting(stays, np.array(_volume_drift(cells)))
    before = by_pool_back(by_pool(stays, at, len(cells.pools), 1), at)
    exposure = (_ratio(worth, stays) * before).sum(axis=0) + level.T[:, at] * (shape @ cells.done)
    share = rng.standard_gamma(np.broadcast_to(worth.sum(axis=0) + n0, exposure.shape))
    share = _ratio(share, exposure)
    # Their months: what is expected, and what months of their own history had besides.
    shocked = 1 + np.moveaxis(shocks, 0, 1)[:, at][:, :, rest]
    mean = (share * level.T[:, at])[..., None] * shape[..., rest] * (1 - cells.done[rest])
    mean = mean * shocked[..., 0]
    own = _blocks(rng, (draws, accounts), len(rest), years * MONTHS)
    noise = season.noise[np.arange(accounts)[None, :, None], own]
    few = (stays.sum(axis=0) < OWN_STAYS) | (years < 2)
    noise = np.where(few[None, :, None], rng.standard_normal(noise.shape), noise)
    volume = np.maximum(np.rint(mean + noise * np.sqrt(mean + season.extra * mean**2)), 0)
    per_stay = _draw_means(cells, volume, shocked[..., 1:], rng)
    found = np.zeros((draws, accounts, MONTHS, cells.now.shape[-1]))
    found[:, :, rest, 0] = volume
    found[:, :, rest, 1:] = np.rint(volume[..., None] * per_stay)
    return found


def _draw_means(cells: Cells, volume: Floats, shocked: Floats, rng: np.random.Generator) -> Floats:
    """Return draws x accounts x months to come x 3: points, cost and booked amount of a stay."""
    means, spread, at, rest = _means(cells), spreads(cells), cells.at, cells.rest
    n0, stays = cells.now[..., 0], cells.past[..., 0].sum(axis=2)
    # What the months done would have had at last year's means, and how much more this year has.
    usual = (n0[..., None] * means.month[at]).sum(axis=1)
    sums = cells.now[..., 1:].sum(axis=1)
    known = (stays.sum(axis=0) > 0)[:, None]
    grown = _ratio(
        by_pool(np.where(known, sums, 0), at, len(cells.pools), 0),
        by_pool(usual * means.account, at, len(cells.pools), 0),
        1.0,
    )
    mine = n0.sum(axis=1)[:, None]
    multiple = _ratio(sums, usual * means.account * grown[at])
    drift = _mean_drift(cells, means, spread, (mine[:, 0], multiple))
    relative = drift / np.maximum(np.diagonal(spread, axis1=1, axis2=2), _LEAST)
    worth = np.stack([_counting(stays, one).sum(axis=0) for one in relative.T], axis=1)
    whole = _ratio(by_pool(sums, at, len(cells.pools), 0), by_pool(usual, at, len(cells.pools), 0))[at]
    chance = _growth_chance(sums, mine, spread, at)
    trust, trend = _trend(cells, means, spread, np.diagonal(chance, axis1=1, axis2=2))
    grown = trust * grown + (1 - trust) * trend
    prior = np.where(known, means.account * grown[at], whole)
    mean = (mine * _ratio(sums, usual) + worth * prior + _LEAST * whole) / (mine + worth + _LEAST)
    root = np.linalg.cholesky(spread + _LEAST * np.eye(spread.shape[-1]))
    shape = (len(volume), len(at), spread.shape[-1])
    known_of = np.sqrt(1 / np.maximum(mine + worth, 1))
    off = np.einsum("aij,saj->sai", root, rng.standard_normal(shape)) * known_of
    drawn = _drawn_growth(chance, len(volume), rng) * np.sqrt(trust)
    off += drawn[:, at] * (worth / np.maximum(mine + worth, _LEAST))
    each = np.einsum("aij,samj->sami", root, rng.standard_normal((*volume.shape, shape[-1])))
    each /= np.sqrt(np.maximum(volume, 1))[..., None]
    factor = np.maximum(1 + off[:, :, None, :] + each, 0.05)
    out: Floats = mean[None, :, None, :] * means.month[at][None][:, :, rest] * shocked * factor
    return out


def _growth_chance(sums: Floats, stays: Floats, spread: Floats, at: Int64s) -> Floats:
    """Return pools x 3 x 3: the relative covariance that chance gives the means of pools; ``stays``: accounts x 1."""
    part = _ratio(sums, by_pool(sums, at, int(at.max()) + 1, 0)[at])
    weight = _ratio(part[:, :, None] * part[:, None, :], stays[:, :, None])
    return by_pool(weight * spread, at, int(at.max()) + 1, 0)


def _drawn_growth(chance: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Return draws x pools x 3: how far off the growth of the pools' means may be, measured on the months done."""
    root = np.linalg.cholesky(chance + _LEAST**2 * np.eye(chance.shape[-1]))
    drawn: Floats = np.einsum("pij,spj->spi", root, rng.standard_normal((draws, *chance.shape[:2])))
    return drawn


def _trend(cells: Cells, means: Means, spread: Floats, measured: Floats) -> tuple[Floats, Floats]:
    """Return pools x 3 twice: how far to trust the growth of the months done, 0 to 1, and the history's own growth.

    ``measured``: the relative variance of the former. By the variances of both (the mean of two normal figures): the
    history's is what years differ by beyond chance, from all pools, at least :data:`GROWTH_SPREAD`, and chance.
    """
    years = len(cells.past)
    if years < 2:
        return np.ones_like(measured), np.ones_like(measured)
    grown = _ratio(means.year[1:], means.year[:-1], 1.0)
    trend = grown.mean(axis=0)
    sums, stays = cells.past[..., 1:].sum(axis=2), cells.past[..., 0].sum(axis=2)
    chance = np.stack(
        [
            np.diagonal(_growth_chance(sums[t], stays[t][:, None], spread, cells.at), axis1=1, axis2=2)
            for t in range(years)
        ]
    )
    pairs = chance[1:] + chance[:-1]
    differ = ((grown - trend) ** 2).sum(axis=(0, 1)) / max((years - 2) * grown.shape[1], 1) - pairs.mean(
        axis=(0, 1)
    )
    between = np.maximum(differ, GROWTH_SPREAD**2)
    before = (between + chance[-1]) * (1 + 1 / (years - 1))
    trust = before / np.maximum(before + measured, _LEAST)
    # Points of the history are those before deviation, so this year's show no growth but also what deviation does.
    trust[:, MEANS.index("points_e4")] = 1.0
    return trust, trend
