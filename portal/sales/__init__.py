"""Customers, contracts and sales: what vendors tell us becomes volume and revenue."""
