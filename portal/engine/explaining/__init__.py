"""Why a result is what it is: every line opened to the end, for one member."""

from portal.engine.explaining.explain import Explanation, explain
from portal.engine.explaining.legs import Branch, branches, sales_in
from portal.engine.explaining.told import as_document, as_text
from portal.engine.explaining.written import text_of

__all__ = [
    "Branch",
    "Explanation",
    "as_document",
    "as_text",
    "branches",
    "explain",
    "sales_in",
    "text_of",
]
