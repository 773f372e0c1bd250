"""The tables. Every model is known here, so that a migration sees all of them."""

from portal.models.consultant import Consultant, Pack, Placement
from portal.models.cycle import Approval, Carry, CommissionLine, Cycle, PlanVersion, Run
from portal.models.ledger import Account, Currency, Entry, LedgerPeriod, Posting
from portal.models.payout import PayoutBatch, Release, Withdrawal
from portal.models.person import AccountUser, LoginSession, Person, RoleGrant
from portal.models.registration import Agreement, Payment, Registration
from portal.models.sale import Contract, Customer, Sale
from portal.models.traffic import Audit, Inbox, Message, Outbox, Task
from portal.models.vendor import Service, TermsVersion, Vendor, VendorKey

__all__ = [
    "Account",
    "AccountUser",
    "Agreement",
    "Approval",
    "Audit",
    "Carry",
    "CommissionLine",
    "Consultant",
    "Contract",
    "Currency",
    "Customer",
    "Cycle",
    "Entry",
    "Inbox",
    "LedgerPeriod",
    "LoginSession",
    "Message",
    "Outbox",
    "Pack",
    "Payment",
    "PayoutBatch",
    "Person",
    "Placement",
    "PlanVersion",
    "Posting",
    "Registration",
    "Release",
    "RoleGrant",
    "Run",
    "Sale",
    "Service",
    "Task",
    "TermsVersion",
    "Vendor",
    "VendorKey",
    "Withdrawal",
]
