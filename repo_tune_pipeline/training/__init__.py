"""Training: a data set and a recipe become an adapter version, made by `axolotl train`.

plan = plan_training(dataset=…, variant=…, filter=…, settings=…, configs=…, home=…)
if finished_adapter(plan, home) is None:
    run `python -m repo_tune_pipeline.training.worker` on prepare_training(plan)
"""

from repo_tune_pipeline.training.base_model import BaseModel, resolve_base_model, starter_folder
from repo_tune_pipeline.training.forecast import DevicePlan, Forecast, forecast
from repo_tune_pipeline.training.learned import LEARNED_FILE, Learned, read_learned
from repo_tune_pipeline.training.machine import (
    Gpu,
    MachineFacts,
    choose_profile,
    machine_facts,
)
from repo_tune_pipeline.training.plan import (
    TRAINING_VERSION,
    TrainingPlan,
    finished_adapter,
    plan_training,
    prepare_training,
)
from repo_tune_pipeline.training.progress import (
    IN_MEMORY_FILE,
    Progress,
    read_metrics,
    read_progress,
)
from repo_tune_pipeline.training.recipe import configured_base_model
from repo_tune_pipeline.training.renewal import Renewal, judge_renewal

__all__ = [
    "IN_MEMORY_FILE",
    "LEARNED_FILE",
    "TRAINING_VERSION",
    "BaseModel",
    "DevicePlan",
    "Forecast",
    "Gpu",
    "Learned",
    "MachineFacts",
    "Progress",
    "Renewal",
    "TrainingPlan",
    "choose_profile",
    "configured_base_model",
    "finished_adapter",
    "forecast",
    "judge_renewal",
    "machine_facts",
    "plan_training",
    "prepare_training",
    "read_learned",
    "read_metrics",
    "read_progress",
    "resolve_base_model",
    "starter_folder",
]
