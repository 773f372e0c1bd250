"""Why a result is what it is: every line opened to the end, for one member."""

from portal.engine.explaining.distances import Expiry, Figures, Missing, expiries_by, figures, missing_by
from portal.engine.explaining.explain import Explanation, explain
from portal.engine.explaining.legs import Branch, LegStory, branches, leg_story, sales_in, sales_of
from portal.engine.explaining.lines import LineStory, line_stories, line_story, sums_by_kind
from portal.engine.explaining.next_pay import NextPay, next_pay_by
from portal.engine.explaining.told import as_document, as_text
from portal.engine.explaining.written import text_of

__all__ = [
    "Branch",
    "Expiry",
    "Explanation",
    "Figures",
    "LegStory",
    "LineStory",
    "Missing",
    "NextPay",
    "as_document",
    "as_text",
    "branches",
    "expiries_by",
    "explain",
    "figures",
    "leg_story",
    "line_stories",
    "line_story",
    "missing_by",
    "next_pay_by",
    "sales_in",
    "sales_of",
    "sums_by_kind",
    "text_of",
]
