"""What every table is made of: names of constraints, types of columns, keys and checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Interval,
    LargeBinary,
    MetaData,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from domain.lifecycle import STATES, StateTraits


class Base(DeclarativeBase):
    """Tables with constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        timedelta: Interval,
        str: Text,
        bytes: LargeBinary,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
        list[date]: ARRAY(Date),
    }


def one_of(column: str, words: type[StrEnum] | frozenset[Any]) -> CheckConstraint:
    """Only these words; kept as text, so that a new word is a new check and no new type."""
    listed = ", ".join(f"'{word}'" for word in sorted(str(word.value) for word in words))
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def states_where(predicate: Callable[[StateTraits], bool]) -> str:
    """The states whose traits are so, as a list in SQL."""
    return ", ".join(f"'{state.value}'" for state, traits in STATES.items() if predicate(traits))


def quoted(*words: StrEnum) -> str:
    """The words as a list in SQL."""
    return ", ".join(f"'{word.value}'" for word in words)


def key() -> Mapped[int]:
    """A primary key that the database counts."""
    return mapped_column(BigInteger, Identity(), primary_key=True)


def reference(table: str, *, column: str = "id", nullable: bool = False) -> Any:
    """A foreign key."""
    return mapped_column(BigInteger, ForeignKey(f"{table}.{column}"), nullable=nullable)
