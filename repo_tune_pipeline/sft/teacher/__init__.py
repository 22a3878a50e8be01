"""A larger model that explains and documents what the code itself doesn't: off unless switched on.

Its answers are kept by content, so that none is paid for twice; each is judged by the gates that
every example passes, and by the same model in a second question.
"""

from repo_tune_pipeline.sft.teacher.enrich import Enriched, enrich, require_consent

__all__ = ["Enriched", "enrich", "require_consent"]
