"""The tables. Every model is known here, so that a migration sees all of them."""

from portal.models.adjustment import Adjustment
from portal.models.approval import Approval, CheckReason
from portal.models.arrival import ComparedLine, Comparison, ImportedFiles, PastVolume
from portal.models.consent import Consent, ConsentText, ContactStop
from portal.models.consultant import Consultant, Pack, Placement
from portal.models.cooling_off import CoolingOffRule
from portal.models.cycle import (
    CommissionLine,
    Cycle,
    CycleRhythm,
    PlanVersion,
    Run,
)
from portal.models.integration import ApiRequest, ApiToken, LeadForm, WebhookDelivery, WebhookEndpoint
from portal.models.lead import Lead, LeadOffer, LeadStep, LeadTask, RoutingRule
from portal.models.ledger import Account, Currency, Entry, LedgerPeriod, Posting
from portal.models.licence import Licence, LicenceDocument, OwnUseRule
from portal.models.loss import Loss
from portal.models.move import PlacementMove
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
from portal.models.plan_work import PlanDraft, Trial, TrialCycle, TrialPerson
from portal.models.registration import Agreement, Registration
from portal.models.sale import Contract, ContractFact, Customer, HeldSale, Sale
from portal.models.sending import PayoutAttempt, PayoutMatch, PayoutStop
from portal.models.standing import Carry, PaidRank
from portal.models.statement import (
    Statement,
    StatementDifference,
    StatementLine,
    StatementMapping,
    StatementQuestion,
)
from portal.models.traffic import Audit, Inbox, Message, Outbox, Task
from portal.models.vendor import Service, TermsVersion, Vendor, VendorKey, VendorMember

__all__ = [
    "Account",
    "AccountUser",
    "Adjustment",
    "Agreement",
    "ApiRequest",
    "ApiToken",
    "Approval",
    "Audit",
    "Carry",
    "CheckReason",
    "CommissionLine",
    "ComparedLine",
    "Comparison",
    "Consent",
    "ConsentText",
    "Consultant",
    "ContactStop",
    "Contract",
    "ContractFact",
    "CoolingOffRule",
    "Currency",
    "Customer",
    "Cycle",
    "CycleRhythm",
    "Destination",
    "Entry",
    "EventSweep",
    "HeldSale",
    "ImportedFiles",
    "Inbox",
    "Lead",
    "LeadForm",
    "LeadOffer",
    "LeadStep",
    "LeadTask",
    "LedgerPeriod",
    "Licence",
    "LicenceDocument",
    "LoginSession",
    "Loss",
    "Message",
    "Order",
    "Outbox",
    "OwnUseRule",
    "Pack",
    "PaidRank",
    "PastVolume",
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
    "PlacementMove",
    "PlanDraft",
    "PlanVersion",
    "Posting",
    "RefundRequest",
    "Registration",
    "Release",
    "ResultLine",
    "RoleGrant",
    "RoutingRule",
    "Run",
    "Sale",
    "Service",
    "Statement",
    "StatementDifference",
    "StatementLine",
    "StatementMapping",
    "StatementQuestion",
    "Subscription",
    "Task",
    "TaxForm",
    "TaxYear",
    "TermsVersion",
    "Trial",
    "TrialCycle",
    "TrialPerson",
    "Vendor",
    "VendorKey",
    "VendorMember",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Withdrawal",
]
