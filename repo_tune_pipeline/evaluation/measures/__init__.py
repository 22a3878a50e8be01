"""How close a generated answer is to the reference, by the measures of its task's field."""

from repo_tune_pipeline.evaluation.measures.judging import Reference, judge, reference_of
from repo_tune_pipeline.evaluation.measures.names import Vocabulary

__all__ = ["Reference", "Vocabulary", "judge", "reference_of"]
