"""Column types that refuse what must not be stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, String, TypeDecorator
from sqlalchemy.orm import mapped_column

from portal.extensions import seal


class Whole(TypeDecorator[int]):
    """A 64-bit integer that refuses to be rounded into one.

    A driver would turn 1.5 into 2 without a word; money and volume must not pass that way.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is not None and type(value) is not int:
            raise TypeError(f"a whole number is needed, not {value!r}")
        return value


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC; SQLite keeps it as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"an aware instant is needed, not {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Sealed(TypeDecorator[str]):
    """Text that is encrypted before it reaches the database."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else seal.close(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else seal.open(value)


Id = Annotated[int, mapped_column(Whole, primary_key=True)]
Number = Annotated[int, mapped_column(Whole)]
OptionalNumber = Annotated[int | None, mapped_column(Whole)]
At = Annotated[datetime, mapped_column(Instant)]
OptionalAt = Annotated[datetime | None, mapped_column(Instant)]
PublicId = Annotated[str, mapped_column(String(20), unique=True)]
Code = Annotated[str, mapped_column(String(64))]
Text = Annotated[str, mapped_column(String)]
Blob = Annotated[bytes, mapped_column(LargeBinary)]
