"""Codes: one spelling, 国临版 -> 医保版 mapping, operation types."""

from fenzhi.codes.comorbidity import Comorbidity, read_comorbidity
from fenzhi.codes.mapping import CodeMap
from fenzhi.codes.normalise import normalise_diagnosis, normalise_operation, split_extension
from fenzhi.codes.operations import OPERATION_TYPES, OPERATIONS_SCHEMA, empty_operations, read_operations
from fenzhi.codes.tables import read_table, require_columns

__all__ = [
    "OPERATIONS_SCHEMA",
    "OPERATION_TYPES",
    "CodeMap",
    "Comorbidity",
    "empty_operations",
    "normalise_diagnosis",
    "normalise_operation",
    "read_comorbidity",
    "read_operations",
    "read_table",
    "require_columns",
    "split_extension",
]
