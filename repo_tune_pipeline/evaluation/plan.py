"""What an evaluation is going to be, as JSON that a worker process can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from repo_tune_pipeline.artifacts import Home, digest_file, digest_json, read_json, write_json
from repo_tune_pipeline.clients.connect import gemini_model
from repo_tune_pipeline.errors import BaseModelError, EmptyInputError, EvaluationError
from repo_tune_pipeline.evaluation.remote import gemini_wanted
from repo_tune_pipeline.prompting import PROMPT_VERSION
from repo_tune_pipeline.retrieval import index_summary
from repo_tune_pipeline.settings import Settings, VariantSettings
from repo_tune_pipeline.training import IN_MEMORY_FILE, LEARNED_FILE, resolve_base_model

EVALUATION_VERSION = "4"
WEIGHTS = "adapter_model.safetensors"
REPORT_FILES = ("report.html", "report.json", "report.md", "predictions.jsonl", "timings.json")
DATASET_FILES = ("sft.jsonl", "heldout.jsonl", "heldout_recent.jsonl")
_PATHS = ("adapter", "dataset", "index", "home", "folder", "work_dir")


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """One adapter version against its base and a placebo, on one data set, under one setting.

    All paths are absolute; `placebo` is None where none was trained. `fingerprint` covers what the
    numbers depend on, and no path. `gemini` is the model to ask, empty for none.
    """

    variant: str
    fingerprint: str
    adapter: Path
    adapter_digest: str
    base_model: str
    base_digest: str
    placebo: Path | None
    dataset: Path
    index: Path
    home: Path
    gemini: str
    filter: VariantSettings
    settings: Settings
    folder: Path
    work_dir: Path

    @property
    def version(self) -> str:
        return self.fingerprint[:12]

    @property
    def manifest(self) -> Path:
        return self.dataset / "manifest.json"

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
        placebo = value["placebo"]
        fields: dict[str, Any] = {
            **value,
            **{key: Path(value[key]) for key in _PATHS},
            "placebo": None if placebo is None else Path(placebo),
            "filter": VariantSettings.model_validate(value["filter"]),
            "settings": Settings.model_validate(value["settings"]),
        }
        return cls(**fields)


def plan_evaluation(
    *,
    adapter: Path,
    dataset: Path,
    variant: str,
    filter: VariantSettings,
    settings: Settings,
    home: Home,
    placebo: Path | None = None,
) -> EvaluationPlan:
    """Plan an adapter's evaluation; loads no model.

    Args:
        adapter: the folder of an adapter version.
        dataset: the folder of a data set.
        variant: the adapter's.
        filter: which examples are the variant's.
        settings: the configuration; what is measured, how a question is given passages, and what
            promotes.
        home: where the search index and the snapshots are, and the report is put.
        placebo: the folder of a placebo's version.

    Raises:
        EvaluationError: the adapter isn't whole.
        EmptyInputError: there is no search index of the data set's commits.
        BaseModelError: the adapter's base model isn't here, or is no longer the one it was
            trained on.
    """
    weights = adapter / WEIGHTS
    if not weights.is_file():
        raise EvaluationError(f"{adapter} holds no adapter: {WEIGHTS} is missing.", "Train one.")
    base_model, base_digest = _base_of(adapter)
    adapter_digest = digest_file(weights)
    gemini = gemini_model() if gemini_wanted(settings.answering) else ""
    fingerprint = digest_json(
        {
            "adapter": {path.name: digest_file(path) for path in _evidence(adapter)},
            "base": base_digest,
            "placebo": digest_file(placebo / WEIGHTS) if placebo else "",
            "dataset": [
                digest_file(dataset / name) if (dataset / name).is_file() else ""
                for name in DATASET_FILES
            ],
            "index": _index_digest(home, dataset),
            "gemini": gemini,
            "filter": filter.model_dump(mode="json"),
            "settings": _relevant(settings),
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
        placebo=placebo.resolve() if placebo else None,
        dataset=dataset.resolve(),
        index=home.index.absolute(),
        home=home.root.absolute(),
        gemini=gemini,
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


def _evidence(adapter: Path) -> list[Path]:
    names = (WEIGHTS, LEARNED_FILE, IN_MEMORY_FILE)
    return [adapter / name for name in names if (adapter / name).is_file()]


def _relevant(settings: Settings) -> dict[str, Any]:
    """What of the configuration changes a number or the verdict."""
    return {
        "evaluation": settings.evaluation.model_dump(mode="json", exclude={"placebo"}),
        "promotion": settings.promotion.model_dump(mode="json"),
        "passages": settings.answering.passages,
    }


def _index_digest(home: Home, dataset: Path) -> str:
    """The index's content; evaluation asks it about the very commits that examples are from."""
    summary = index_summary(home.index)
    wanted = cast("dict[str, str]", read_json(dataset / "manifest.json")["repositories"])
    other = sorted(repo for repo in wanted if summary.commits.get(repo) != wanted[repo])
    if other:
        raise EmptyInputError(
            f"The search index holds another commit of {other[0]} than the data set, or none.",
            "Bring both up to date: `repo-tune generate-data`.",
        )
    return summary.digest


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
