"""People: who they are, how they sign in, what they may do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.functions import FunctionElement

from portal.extensions import Base
from portal.models.types import At, Code, Id, OptionalAt, PublicId, Sealed, Text, Whole

# No password has this hash: nobody can sign in before being given one.
NO_PASSWORD = "!"


class Person(Base):
    """All personal data of one human being; the only row to blank when they ask to be forgotten.

    `phone_mark` finds the same number again without opening it, `phone_end_mark` its last four digits.
    """

    __tablename__ = "person"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    name: Mapped[Text]
    email: Mapped[str] = mapped_column(String(254), index=True)
    country: Mapped[str] = mapped_column(String(2), server_default="US")
    phone: Mapped[str | None] = mapped_column(Sealed)
    phone_mark: Mapped[str | None] = mapped_column(String(64), index=True)
    phone_end_mark: Mapped[str | None] = mapped_column(String(64), index=True)
    address: Mapped[str | None] = mapped_column(Sealed)
    region: Mapped[str | None] = mapped_column(String(2))
    created_at: Mapped[At]

    @property
    def first_name(self) -> str:
        return self.name.split(" ", 1)[0]

    @property
    def short_name(self) -> str:
        """First name and initial of the last: all that strangers in a downline see."""
        words = self.name.split()
        return self.name if len(words) < 2 else f"{words[0]} {words[-1][0]}."


class Folded(FunctionElement[str]):
    """Text in lower case, by which an index finds beginnings on either engine, whatever the language."""

    name, type, inherit_cache = "folded", String(), True


@compiles(Folded)
def _lower(element: Folded, compiler: Any, **more: Any) -> str:
    return f"lower({compiler.process(element.clauses, **more)})"


@compiles(Folded, "postgresql")
def _lower_by_bytes(element: Folded, compiler: Any, **more: Any) -> str:
    return f'{_lower(element, compiler, **more)} COLLATE "C"'


# Of literals, as the index has it: what is bound to a question no index would be found for.
_BEFORE = func.rtrim(Person.name, func.replace(Person.name, literal_column("' '"), literal_column("''")))
LAST_NAME = Folded(func.substr(Person.name, func.length(_BEFORE) + literal_column("1")))

Index("ix_person_name", Folded(Person.name), Person.id)
Index("ix_person_last_name", LAST_NAME, Person.id)


class AccountUser(Base):
    """A sign-in. The e-mail is kept in lower case, so that it is one person's however it is typed."""

    __tablename__ = "account_user"

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(Whole, ForeignKey("person.id"), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[Text]
    disabled_at: Mapped[OptionalAt]
    created_at: Mapped[At]

    person: Mapped[Person] = relationship(lazy="joined")
    grants: Mapped[list[RoleGrant]] = relationship(back_populates="user", lazy="selectin")

    # What Flask-Login asks of a user, without knowing Flask-Login.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(grant.role for grant in self.grants)

    def get_id(self) -> str:
        return str(self.id)


class RoleGrant(Base):
    """One role of one user; what a role may do stands in access/permissions.py."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("user_id", "role"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    role: Mapped[Code]

    user: Mapped[AccountUser] = relationship(back_populates="grants")


class LoginSession(Base):
    """A signed-in browser. Only the hash of its token is kept; ending the row ends the session."""

    __tablename__ = "login_session"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"), index=True)
    created_at: Mapped[At]
    used_at: Mapped[At]
    confirmed_at: Mapped[At]
    ended_at: Mapped[OptionalAt]

    user: Mapped[AccountUser] = relationship(lazy="joined")
