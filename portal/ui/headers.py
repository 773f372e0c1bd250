"""Security headers on every answer."""

from __future__ import annotations

from flask import Response, session
from flask import request as flask_request

POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self' https://checkout.stripe.com https://billing.stripe.com https://connect.stripe.com",
        "img-src 'self' data:",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"


def protect(response: Response) -> Response:
    """Say to the browser what it may load, and that pages made for one person are not kept."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if flask_request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if session or session.accessed:
        response.headers["Cache-Control"] = "no-store"
    return response
