"""The standard as operations changed it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class StandardVersion(Base):
    """Figures that operations laid over the files' for tickets to come; append-only by trigger, counted from 1."""

    __tablename__ = "standard_versions"
    __table_args__ = (CheckConstraint("id >= 1", name="counted_from_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    changes: Mapped[dict[str, Any]]
    reason: Mapped[str]
    adopted_by: Mapped[str]
    adopted_at: Mapped[datetime]
