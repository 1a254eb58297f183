"""How many random examples a property gets: few and always the same, or many.

``FENZHI_HYPOTHESIS_PROFILE=deep`` multiplies the examples and lets them differ from run to run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

DEEP = os.environ.get("FENZHI_HYPOTHESIS_PROFILE") == "deep"
TIMES = 40


def examples(count: int) -> settings:
    """Settings of one property: ``count`` fixed examples, or 40 times as many random ones."""
    return settings(
        max_examples=count * TIMES if DEEP else count,
        derandomize=not DEEP,
        deadline=None,
        database=None,
        print_blob=DEEP,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
