"""The libraries the house stands on, made once, without logic."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.fernet import Fernet
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_principal import Principal
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from redis import Redis
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Every constraint has a name, so that a migration can speak of it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Seal:
    """Encrypts fields that must not be read from the database alone."""

    _cipher: Fernet | None = None
    _mark_key = b""

    def use(self, key: bytes) -> None:
        self._cipher = Fernet(key)
        self._mark_key = hashlib.blake2b(b"mark", key=key[:64], digest_size=32).digest()

    def close(self, text: str) -> str:
        assert self._cipher is not None, "the seal has no key yet"
        return self._cipher.encrypt(text.encode()).decode()

    def open(self, token: str) -> str:
        assert self._cipher is not None, "the seal has no key yet"
        return self._cipher.decrypt(token.encode()).decode()

    def mark(self, text: str) -> str:
        """64 characters that are the same for the same text, and tell nothing of it without the key."""
        assert self._mark_key, "the seal has no key yet"
        return hmac.new(self._mark_key, text.encode(), hashlib.sha256).hexdigest()


class RedisHolder:
    """The one Redis of this process: a server's, or an in-process one in the embedded default."""

    _client: Redis | None = None

    def use(self, client: Redis) -> None:
        self._client = client

    @property
    def client(self) -> Redis:
        assert self._client is not None, "Redis is not set up yet"
        return self._client


db = SQLAlchemy(model_class=Base)
login_manager = LoginManager()
principal = Principal(use_sessions=False, skip_static=True)
csrf = CSRFProtect()
htmx = Htmx()
babel = Babel()
limiter = Limiter(get_remote_address, in_memory_fallback_enabled=True)
seal = Seal()
redis = RedisHolder()
