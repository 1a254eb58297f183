"""fenzhi: the open engine for payment of hospitals by disease."""
