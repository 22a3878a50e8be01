"""Secrets and personal data in text: found, and replaced in place.

Nothing here returns, logs or raises with the text that matched.
"""

from __future__ import annotations

from repo_tune_pipeline.secrets.redaction import Redacted, holding_secrets, holds_secret, redact

__all__ = ["Redacted", "holding_secrets", "holds_secret", "redact"]
