"""Vendors' daily statements: kept as sent, held against what their events said, settled one by one."""
