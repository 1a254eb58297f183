"""How many random examples a property gets: few and always the same, or many.

``FENZHI_HYPOTHESIS_PROFILE=deep`` multiplies the examples and lets them differ from run to run.
``FENZHI_HYPOTHESIS_EXAMPLES=5000`` gives every property that many instead; ``pytest --hypothesis-seed=1`` says which.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

COUNT = int(os.environ.get("FENZHI_HYPOTHESIS_EXAMPLES") or 0)
DEEP = COUNT > 0 or os.environ.get("FENZHI_HYPOTHESIS_PROFILE") == "deep"
TIMES = 40
# Kernels without their compiler are run again with the same examples, but fewer of them.
PLAIN_SHARE = (
    5 if os.environ.get("NUMBA_DISABLE_JIT") == "1" or os.environ.get("NUMBA_BOUNDSCHECK") == "1" else 1
)


def examples(count: int, reduce: bool = True) -> settings:
    """Settings of one property: ``count`` fixed examples, or 40 times as many random ones, or as many as are asked for.

    ``reduce``: make a failing example small; a slow property does it only in the deep profile.
    """
    phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if reduce or DEEP else [])]
    return settings(
        max_examples=COUNT or (count * TIMES if DEEP else max(count // PLAIN_SHARE, 1)),
        derandomize=not DEEP,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=DEEP,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
