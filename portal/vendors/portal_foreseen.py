"""What settling differences as the statement says would do to sales."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from portal.extensions import db
from portal.sales.foreseen import Foreseen, Told, foresee
from portal.statements.events import event_of
from portal.statements.known import Known
from portal.vendors.portal_room import Place


def foreseen(place: Place, differences: Iterable[Known]) -> Foreseen:
    """What the events that settle these would move; those that no event settles are left out."""
    told: dict[str, list[Told]] = defaultdict(list)
    for known in differences:
        event = event_of(known)
        if event is None:
            continue
        told[event.contract_ref].append(
            Told(
                type=event.type,
                occurred_at=event.occurred_at,
                size_thousandths=event.size_thousandths,
                signed_on=event.signed_on,
                period=event.period,
                share=event.share,
                service_code=event.service_code,
                fact=event.fact,
            )
        )
    return foresee(db.session(), vendor_id=place.vendor.id, told=told)


def tells_the_size(place: Place, known: Known) -> bool:
    """Whether taking ours back would leave a contract that is paid by size without any."""
    return known.difference.kind == "extra" and foreseen(place, [known]).sizeless > 0
