"""Which way the kernels run here. ``scripts/test`` runs this file again in the two other ways."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
CHECKED = os.environ.get("NUMBA_BOUNDSCHECK") == "1"


def kernels():
    from fenzhi.kernels import comorbidity, dip, drg, sums

    public = [
        item
        for module in (comorbidity, dip, drg, sums)
        for name, item in vars(module).items()
        if not name.startswith("__")
    ]
    return [item for item in public if hasattr(item, "py_func") or (PLAIN and inspect.isfunction(item))]


def test_the_kernels_are_compiled_unless_told_otherwise():
    from fenzhi.kernels.dip import match_stays

    assert kernels()
    assert hasattr(match_stays, "py_func") == (not PLAIN)


@pytest.mark.skipif(not CHECKED, reason="a run with NUMBA_BOUNDSCHECK=1")
def test_with_bounds_checks_a_step_too_far_is_an_error():
    from numba import njit

    @njit
    def beyond(values, at):
        return values[at]

    assert beyond(np.arange(3), 2) == 2
    with pytest.raises(IndexError):
        beyond(np.arange(3), 3)


@pytest.mark.skipif(PLAIN, reason="needs the compiler")
def test_the_kernels_get_no_python_objects():
    """Arrays in, arrays out: no kernel falls back to objects, and none sees text."""
    from fenzhi.catalogs import load_catalog
    from fenzhi.grouping import compile_catalog, group_frame
    from fenzhi.grouping.dip import pl
    from fenzhi.policy import load_policy

    rules = load_policy("national-dip-3.0").grouping
    stays = pl.DataFrame(
        {
            "setl_id": ["S1"],
            "diag_codes": [["A00.000"]],
            "oprn_codes": [[]],
            "gend": pl.Series([1], dtype=pl.Int8),
            "age": pl.Series([40], dtype=pl.Int16),
            "nwb_age": pl.Series([None], dtype=pl.Int32),
            "nwb_bir_wt": pl.Series([None], dtype=pl.Int32),
        },
        schema_overrides={"oprn_codes": pl.List(pl.String)},
    )
    for name in ("demonstration-3.0", "demonstration-drg"):
        group_frame(stays, compile_catalog(load_catalog(name), rules))
    signatures = [str(signature) for kernel in kernels() for signature in kernel.signatures]
    assert signatures
    assert not [text for text in signatures if "unicode" in text or "pyobject" in text]


@pytest.mark.parametrize("module", ["fenzhi", "fenzhi.cli"])
def test_the_command_line_starts_without_the_heavy_libraries(module):
    heavy = ("polars", "numba", "numpy", "pydantic", "altair", "dataframely", "rich", "xlsxwriter")
    script = f"import sys, {module}; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_public_names_load_on_first_use():
    script = (
        "import sys, fenzhi\n"
        "assert 'fenzhi.policy' not in sys.modules\n"
        "for name in fenzhi.__all__: assert getattr(fenzhi, name) is not None, name\n"
        "assert 'fenzhi.policy' in sys.modules\n"
        "try: fenzhi.cheese\nexcept AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "fenzhi has no 'cheese'"
