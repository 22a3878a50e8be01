"""A larger model that explains and documents what the code itself doesn't: off unless switched on.

Its answers are kept by content, so that none is paid for twice; each is judged by the gates that
every example passes, and by the same model in a second question.
"""

from repo_tune_pipeline.sft.teacher.enrich import Enriched, enrich, require_consent
from repo_tune_pipeline.sft.teacher.lessons import TeacherRun

__all__ = ["Enriched", "TeacherRun", "enrich", "require_consent"]
