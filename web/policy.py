"""What a page may load: nothing from elsewhere, and scripts only where it needs one."""

from __future__ import annotations

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
WITH_SCRIPT = f"{POLICY}; script-src 'self'"
