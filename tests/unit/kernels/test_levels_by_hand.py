"""The row that the level of a stay has: by hand."""

from __future__ import annotations

import numpy as np
import polars as pl

from fenzhi.arrays import freeze
from fenzhi.kernels.levels import level_rows
from fenzhi.weights.levels import rows_of_levels


# Group 0 is divided by family 1 (rows 0 to 2), group 2 by family 0 (rows 3 and 4), group 1 by none.
def test_first_row_of_the_group_and_so_many_further():
    groups = np.array([0, 0, 1, 2, -1, 2, 0], dtype=np.int32)
    levels = np.array([[1, 1, 1, 1, 1, 2, 1], [2, 0, 0, 0, 0, 0, 3]], dtype=np.int16)
    places, firsts, counts = (np.array(each, dtype=np.int32) for each in ([1, -1, 0], [0, -1, 3], [3, -1, 2]))
    rows = np.empty(7, dtype=np.int32)
    level_rows(*freeze(groups, levels, places, firsts, counts), rows)
    # 0 + 2, 0 + 0, no family, 3 + 1, no group; level 2 of two and level 3 of three do not exist.
    assert rows.tolist() == [2, 0, -1, 4, -1, -1, -1]


def test_frames_say_null_where_there_is_none():
    stays = pl.DataFrame(
        {"group_idx": [0, 2, -1], "_level_0": [1, 1, 1], "_level_1": [2, 0, 0]},
        schema={"group_idx": pl.Int32, "_level_0": pl.Int16, "_level_1": pl.Int16},
    )
    table = pl.DataFrame({"group_idx": [0, 2], "place": [1, 0], "_row": [0, 3], "_levels": [3, 2]})
    assert rows_of_levels(stays, table, 3).to_list() == [2, 4, None]
    assert rows_of_levels(stays, table.clear(), 3).to_list() == [None, None, None]
