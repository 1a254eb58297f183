"""Settlement: months, annual clearing, ledger."""

from fenzhi.settlement.ledger import balances, require_balance
from fenzhi.settlement.settle import Settled, YearInputs, settle

__all__ = ["Settled", "YearInputs", "balances", "require_balance", "settle"]
