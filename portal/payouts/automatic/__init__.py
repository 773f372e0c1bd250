"""Payouts that a provider carries out: each attempt written down before the call, nothing paid twice.

A withdrawal goes queued → sending → sent → paid. An answer that is lost makes it `resolving`: the money stays
reserved and the provider is asked what became of it. Who calls the provider (a job) does so between two units
of work: `claiming` before the call, `answers` and `findings` after it. Nothing here knows a provider.
"""
