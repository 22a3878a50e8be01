"""Base and adapter on held-out files: numbers with intervals, a verdict, a report for people.

`plan_evaluation` says what would be done, `finished_evaluation` whether it was, and the worker
(`python -m repo_tune_pipeline.evaluation.worker PLAN_JSON`) does it in a process of its own.
"""

from repo_tune_pipeline.evaluation.placebo import placebo_home, plan_placebo
from repo_tune_pipeline.evaluation.plan import (
    EVALUATION_VERSION,
    EvaluationPlan,
    finished_evaluation,
    plan_evaluation,
    prepare_evaluation,
)

__all__ = [
    "EVALUATION_VERSION",
    "EvaluationPlan",
    "finished_evaluation",
    "placebo_home",
    "plan_evaluation",
    "plan_placebo",
    "prepare_evaluation",
]
