"""Money that comes in: payments, what is taken back of them, subscriptions and orders."""
