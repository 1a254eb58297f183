"""Settlement: months, annual clearing, ledger."""

from fenzhi.settlement.calendar import clearing_facts
from fenzhi.settlement.ledger import balances, require_balance
from fenzhi.settlement.settle import Accounts, Settled, YearInputs, settle, settle_sums
from fenzhi.settlement.sums import StaySums, replace_stays, stay_sums

__all__ = [
    "Accounts",
    "Settled",
    "StaySums",
    "YearInputs",
    "balances",
    "clearing_facts",
    "replace_stays",
    "require_balance",
    "settle",
    "settle_sums",
    "stay_sums",
]
