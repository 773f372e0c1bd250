"""What a customer writes to order."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField
from wtforms.validators import InputRequired, NumberRange

from portal.ui.fields import RefusingForm
from portal.ui.people import PersonPart
from portal.ui.sizes import SizeField

MOST_THOUSANDTHS = 100_000_000


class OrderForm(PersonPart, RefusingForm):
    """Who orders, and how much."""

    size = SizeField(
        _l("Size"),
        validators=[
            InputRequired(_l("Please write a size.")),
            NumberRange(min=1, max=MOST_THOUSANDTHS, message=_l("Please write a size above 0.")),
        ],
    )
    consent = BooleanField(
        _l("The company may keep my name and e-mail and give them to the vendor for this order."),
        validators=[InputRequired(_l("To order, please agree to this."))],
    )


class ExampleForm(RefusingForm):
    """For which size the marketplace says what a service pays; asked for by a link, so without a token."""

    class Meta:
        csrf = False

    size = SizeField(
        _l("For a size of"),
        validators=[
            NumberRange(
                min=1, max=MOST_THOUSANDTHS, message=_l("Please write a size above 0, and not so large.")
            )
        ],
    )
