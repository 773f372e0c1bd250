"""The tables. Every model is known here, so that a migration sees all of them."""

from portal.models.adjustment import Adjustment
from portal.models.consultant import Consultant, Pack, Placement
from portal.models.cooling_off import CoolingOffRule
from portal.models.cycle import Approval, Carry, CommissionLine, Cycle, PlanVersion, Run
from portal.models.ledger import Account, Currency, Entry, LedgerPeriod, Posting
from portal.models.payee import Destination, PayoutMethod, TaxForm, TaxYear
from portal.models.payment import (
    EventSweep,
    Order,
    Payment,
    PaymentReversal,
    RefundRequest,
    Subscription,
)
from portal.models.payout import (
    PayoutBatch,
    PayoutFile,
    PayoutSelection,
    PayoutSelectionLine,
    Release,
    ResultLine,
    Withdrawal,
)
from portal.models.person import AccountUser, LoginSession, Person, RoleGrant
from portal.models.registration import Agreement, Registration
from portal.models.sale import Contract, Customer, Sale
from portal.models.sending import PayoutAttempt, PayoutMatch, PayoutStop
from portal.models.traffic import Audit, Inbox, Message, Outbox, Task
from portal.models.vendor import Service, TermsVersion, Vendor, VendorKey

__all__ = [
    "Account",
    "AccountUser",
    "Adjustment",
    "Agreement",
    "Approval",
    "Audit",
    "Carry",
    "CommissionLine",
    "Consultant",
    "Contract",
    "CoolingOffRule",
    "Currency",
    "Customer",
    "Cycle",
    "Destination",
    "Entry",
    "EventSweep",
    "Inbox",
    "LedgerPeriod",
    "LoginSession",
    "Message",
    "Order",
    "Outbox",
    "Pack",
    "Payment",
    "PaymentReversal",
    "PayoutAttempt",
    "PayoutBatch",
    "PayoutFile",
    "PayoutMatch",
    "PayoutMethod",
    "PayoutSelection",
    "PayoutSelectionLine",
    "PayoutStop",
    "Person",
    "Placement",
    "PlanVersion",
    "Posting",
    "RefundRequest",
    "Registration",
    "Release",
    "ResultLine",
    "RoleGrant",
    "Run",
    "Sale",
    "Service",
    "Subscription",
    "Task",
    "TaxForm",
    "TaxYear",
    "TermsVersion",
    "Vendor",
    "VendorKey",
    "Withdrawal",
]
