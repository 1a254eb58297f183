"""Settlement: months, annual clearing, ledger."""

from fenzhi.settlement.calendar import clearing_facts
from fenzhi.settlement.ledger import balances, require_balance
from fenzhi.settlement.settle import Settled, YearInputs, settle

__all__ = ["Settled", "YearInputs", "balances", "clearing_facts", "require_balance", "settle"]
