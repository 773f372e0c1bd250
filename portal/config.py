"""Settings: read once from the environment, checked, frozen."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class BadSettings(Exception):
    """The environment does not allow a safe start; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """Everything the surroundings decide. See docs/settings.md for each name."""

    environment: str
    secret_key: str
    database_url: str
    database_owner_url: str
    redis_url: str
    base_url: str
    instance: Path
    stripe_key: str
    stripe_webhook_secret: str
    stripe_connect_secret: str
    brevo_key: str
    mail_from: str
    company: str
    time_zone: str
    now: datetime | None
    now_since: datetime | None
    rate_limits: bool
    proxies: int
    payout_pace: int
    payout_ratio_cap: int | None
    payout_ratio_rise: int
    own_use_share: int
    times_usual_pay: int
    undo_minutes: int
    webhooks_to_loopback: bool

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def embedded(self) -> bool:
        """Web, queue and relay in one process, on an in-process Redis."""
        return not self.redis_url

    @property
    def sandbox(self) -> bool:
        """Whether Stripe or Brevo has no key and is played by the sandbox."""
        return not self.production and not (self.stripe_key and self.brevo_key)

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def webhook_secret(self) -> str:
        """What Stripe signs with; in the sandbox a secret made from the portal's own."""
        return self.stripe_webhook_secret or "whsec_" + self.derived_key("sandbox webhooks").decode()

    @property
    def connect_secret(self) -> str:
        """What Stripe signs events of connected accounts with; outside production our own where none is set.

        Empty in production where none is set: then such events are not believed.
        """
        return self.stripe_connect_secret or ("" if self.production else self.webhook_secret)

    def derived_key(self, purpose: str) -> bytes:
        """A 256-bit key for one purpose, url-safe base64, from the one secret."""
        digest = hashlib.blake2b(purpose.encode(), key=self.secret_key.encode()[:64], digest_size=32).digest()
        return base64.urlsafe_b64encode(digest)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check the settings.

    Raises `BadSettings` with all faults, one a line.
    """
    environment = environ.get("CANOPY_ENV", "production")
    port = environ.get("PORT", "8000")
    instance = Path(environ.get("CANOPY_INSTANCE", str(ROOT / "instance")))
    database_url = _driver(environ.get("DATABASE_URL", f"sqlite:///{instance / 'canopy.sqlite'}"))
    settings = Settings(
        environment=environment,
        secret_key=environ.get("SECRET_KEY", "") or _development_secret(environment, instance),
        database_url=database_url,
        database_owner_url=_driver(environ.get("DATABASE_OWNER_URL", database_url)),
        redis_url=environ.get("REDIS_URL", ""),
        base_url=environ.get("CANOPY_BASE_URL", f"http://localhost:{port}").rstrip("/"),
        instance=instance,
        stripe_key=environ.get("STRIPE_SECRET_KEY", ""),
        stripe_webhook_secret=environ.get("STRIPE_WEBHOOK_SECRET", ""),
        stripe_connect_secret=environ.get("STRIPE_CONNECT_WEBHOOK_SECRET", ""),
        brevo_key=environ.get("BREVO_API_KEY", ""),
        mail_from=environ.get("CANOPY_MAIL_FROM", "Canopy <hello@example.com>"),
        company=environ.get("CANOPY_COMPANY", "Canopy"),
        time_zone=environ.get("CANOPY_TIME_ZONE", "America/Denver"),
        now=_instant(environ, "CANOPY_NOW"),
        now_since=_instant(environ, "CANOPY_NOW_SINCE"),
        rate_limits=environ.get("CANOPY_RATE_LIMITS", "on") != "off",
        proxies=_proxies(environ, environment),
        payout_pace=_pace(environ),
        payout_ratio_cap=_share(environ, "CANOPY_PAYOUT_RATIO_CAP", "") if _has_cap(environ) else None,
        payout_ratio_rise=_share(environ, "CANOPY_PAYOUT_RATIO_RISE", "0.05"),
        own_use_share=_share(environ, "CANOPY_OWN_USE_SHARE", "0.30"),
        times_usual_pay=_times(environ),
        undo_minutes=_undo_minutes(environ),
        webhooks_to_loopback=environ.get("CANOPY_WEBHOOKS_TO_LOOPBACK") == "on",
    )
    faults = _faults(settings)
    if faults:
        raise BadSettings("\n".join(faults))
    return settings


def _development_secret(environment: str, instance: Path) -> str:
    """In development a secret is made at the first start and kept, readable by its owner only."""
    if environment != "development":
        return ""
    file = instance / "development-secret"
    if not file.exists():
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(48))
    return file.read_text().strip()


def _instant(environ: Mapping[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(environ[name]) if environ.get(name) else None


def _proxies(environ: Mapping[str, str], environment: str) -> int:
    """How many proxies stand before us; in production one, which ends https. -1 for what is no number."""
    written = environ.get("CANOPY_PROXIES", "1" if environment == "production" else "0")
    return int(written) if written.isascii() and written.isdigit() else -1


def _pace(environ: Mapping[str, str]) -> int:
    """By how much the waits of automatic payouts are divided; 0 for what is no number."""
    written = environ.get("CANOPY_PAYOUT_PACE", "1")
    return int(written) if written.isascii() and written.isdigit() else 0


def _has_cap(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("CANOPY_PAYOUT_RATIO_CAP"))


def _share(environ: Mapping[str, str], name: str, default: str) -> int:
    """A share such as `0.45` in ten-thousandths; -1 for what is none."""
    found = re.fullmatch(r"([0-9])(?:\.([0-9]{1,4}))?", environ.get(name) or default)
    return int(found[1]) * 10_000 + int((found[2] or "").ljust(4, "0")) if found else -1


def _times(environ: Mapping[str, str]) -> int:
    """How many times the usual pay is unusual; 0 for what is no number."""
    written = environ.get("CANOPY_TIMES_USUAL_PAY", "5")
    return int(written) if written.isascii() and written.isdigit() else 0


def _undo_minutes(environ: Mapping[str, str]) -> int:
    """For how long a close can be undone; -1 for what is no number."""
    written = environ.get("CANOPY_UNDO_MINUTES", "30")
    return int(written) if written.isascii() and written.isdigit() else -1


def _driver(url: str) -> str:
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def _faults(settings: Settings) -> list[str]:
    faults = []
    if settings.environment not in ("production", "development"):
        faults.append("CANOPY_ENV must be production or development.")
    if len(settings.secret_key) < 32:
        faults.append("SECRET_KEY must be set, 32 characters or more.")
    if any(instant and instant.tzinfo is None for instant in (settings.now, settings.now_since)):
        faults.append("CANOPY_NOW and CANOPY_NOW_SINCE need a UTC offset, such as 2026-11-16T10:00:00Z.")
    if not 0 <= settings.proxies <= 9:
        faults.append("CANOPY_PROXIES must be a number from 0 to 9.")
    if not 1 <= settings.payout_pace <= 10_000:
        faults.append("CANOPY_PAYOUT_PACE must be a number from 1 to 10000.")
    faults.extend(_limit_faults(settings))
    if not 0 <= settings.undo_minutes <= 1_440:
        faults.append("CANOPY_UNDO_MINUTES must be a number from 0 to 1440.")
    if settings.production:
        faults.extend(_production_faults(settings))
    return faults


def _limit_faults(settings: Settings) -> list[str]:
    shares = {
        "CANOPY_PAYOUT_RATIO_CAP": settings.payout_ratio_cap or 0,
        "CANOPY_PAYOUT_RATIO_RISE": settings.payout_ratio_rise,
        "CANOPY_OWN_USE_SHARE": settings.own_use_share,
    }
    faults = [f"{name} must be a share such as 0.45." for name, share in shares.items() if share < 0]
    if not 2 <= settings.times_usual_pay <= 1_000:
        faults.append("CANOPY_TIMES_USUAL_PAY must be a number from 2 to 1000.")
    return faults


def _production_faults(settings: Settings) -> list[str]:
    needed = {
        "STRIPE_SECRET_KEY": settings.stripe_key,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
        "BREVO_API_KEY": settings.brevo_key,
    }
    faults = [f"{name} must be set in production." for name, value in needed.items() if not value]
    if settings.now is not None:
        faults.append("CANOPY_NOW moves the clock and is refused in production.")
    if settings.payout_pace != 1:
        faults.append("CANOPY_PAYOUT_PACE shortens the waits of payouts and is refused in production.")
    if settings.webhooks_to_loopback:
        faults.append("CANOPY_WEBHOOKS_TO_LOOPBACK opens this machine and is refused in production.")
    if not settings.https:
        faults.append("CANOPY_BASE_URL must be the https address of this portal in production.")
    if settings.stripe_key.startswith("sk_test"):
        faults.append("STRIPE_SECRET_KEY is a test key; production needs a live one.")
    return faults
