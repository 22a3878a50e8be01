"""What an evaluation is going to be, as JSON that a worker process can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from repo_tune_pipeline.artifacts import Home, digest_file, digest_json, read_json, write_json
from repo_tune_pipeline.errors import BaseModelError, EvaluationError
from repo_tune_pipeline.prompting import PROMPT_VERSION
from repo_tune_pipeline.settings import EvaluationSettings, VariantSettings
from repo_tune_pipeline.training import resolve_base_model

EVALUATION_VERSION = "2"
WEIGHTS = "adapter_model.safetensors"
REPORT_FILES = ("report.html", "report.json", "report.md", "predictions.jsonl")


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """One adapter version against its base, on one held-out set, under one setting.

    All paths are absolute. `fingerprint` covers what the numbers depend on, and no path.
    """

    variant: str
    fingerprint: str
    adapter: Path
    adapter_digest: str
    base_model: str
    base_digest: str
    heldout: Path
    manifest: Path
    filter: VariantSettings
    settings: EvaluationSettings
    folder: Path
    work_dir: Path

    @property
    def version(self) -> str:
        return self.fingerprint[:12]

    def to_json(self) -> dict[str, Any]:
        values = {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(self).items()
        }
        return {
            **values,
            "filter": self.filter.model_dump(mode="json"),
            "settings": self.settings.model_dump(mode="json"),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EvaluationPlan:
        paths = ("adapter", "heldout", "manifest", "folder", "work_dir")
        fields: dict[str, Any] = {
            **value,
            **{key: Path(value[key]) for key in paths},
            "filter": VariantSettings.model_validate(value["filter"]),
            "settings": EvaluationSettings.model_validate(value["settings"]),
        }
        return cls(**fields)


def plan_evaluation(
    *,
    adapter: Path,
    heldout: Path,
    manifest: Path,
    variant: str,
    filter: VariantSettings,
    settings: EvaluationSettings,
    home: Home,
) -> EvaluationPlan:
    """Plan an adapter's evaluation; loads no model.

    Args:
        adapter: the folder of an adapter version.
        heldout, manifest: `heldout.jsonl` and `manifest.json` of a dataset.

    Raises:
        EvaluationError: the adapter isn't whole.
        BaseModelError: the adapter's base model isn't here, or is no longer the one it was
            trained on.
    """
    weights = adapter / WEIGHTS
    if not weights.is_file():
        raise EvaluationError(f"{adapter} holds no adapter: {WEIGHTS} is missing.", "Train one.")
    base_model, base_digest = _base_of(adapter)
    adapter_digest = digest_file(weights)
    fingerprint = digest_json(
        {
            "adapter": adapter_digest,
            "base": base_digest,
            "heldout": digest_file(heldout),
            "filter": filter.model_dump(mode="json"),
            "settings": settings.model_dump(mode="json"),
            "evaluation": EVALUATION_VERSION,
            "prompt": PROMPT_VERSION,
        }
    )
    evaluations = home.evaluations(variant)
    return EvaluationPlan(
        variant=variant,
        fingerprint=fingerprint,
        adapter=adapter.resolve(),
        adapter_digest=adapter_digest,
        base_model=base_model,
        base_digest=base_digest,
        heldout=heldout.resolve(),
        manifest=manifest.resolve(),
        filter=filter,
        settings=settings,
        folder=(evaluations / fingerprint[:12]).absolute(),
        work_dir=(evaluations / ".work" / fingerprint[:12]).absolute(),
    )


def finished_evaluation(plan: EvaluationPlan) -> Path | None:
    """The folder with this plan's report, if it is there and whole."""
    whole = all((plan.folder / name).is_file() for name in REPORT_FILES)
    return plan.folder if whole else None


def prepare_evaluation(plan: EvaluationPlan) -> Path:
    """Write the plan for the worker and return the file's path."""
    path = plan.work_dir / "plan.json"
    write_json(path, plan.to_json())
    return path


def load_plan(path: Path) -> EvaluationPlan:
    """A plan that `prepare_evaluation` wrote."""
    return EvaluationPlan.from_json(cast("Mapping[str, Any]", read_json(path)))


def read_run(adapter: Path) -> dict[str, Any]:
    """`run.json` of an adapter version."""
    return cast("dict[str, Any]", read_json(adapter / "run.json"))


def _base_of(adapter: Path) -> tuple[str, str]:
    run = read_run(adapter)
    base = resolve_base_model(str(run["base_model"]))
    trained_on = run.get("base_digest")
    if trained_on and trained_on != base.digest:
        raise BaseModelError(
            f"Base model {run['base_model']} has changed since {adapter} was trained on it "
            f"({base.digest[:12]} now, {str(trained_on)[:12]} then).",
            "Train a new adapter version.",
        )
    return base.reference, base.digest
