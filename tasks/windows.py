"""What a window knows of its own life: which errors only ask for patience."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# The database is restarted, moved, or busy beyond measure: what was begun is undone and is due again.
DATABASE_AWAY = (OperationalError, PoolTimeoutError)
