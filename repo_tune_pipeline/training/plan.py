"""What one training will do, decided before it starts and written down as JSON."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import orjson
import yaml

from repo_tune_pipeline.artifacts import Home, digest_json, read_json, write_file
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.prompting import PROMPT_VERSION
from repo_tune_pipeline.settings import TrainingSettings, VariantSettings
from repo_tune_pipeline.training.base_model import context_tokens, resolve_base_model
from repo_tune_pipeline.training.checkpoints import whole_safetensors
from repo_tune_pipeline.training.devices import training_processes
from repo_tune_pipeline.training.examples import (
    PACKED_SHARE,
    TrainingExample,
    about_tokens,
    select_examples,
)
from repo_tune_pipeline.training.recipe import data_file, lay, place, read_layers
from repo_tune_pipeline.training.recipe_check import check_recipe
from repo_tune_pipeline.training.replay import replay_of, replay_share
from repo_tune_pipeline.training.within_steps import drawn, reached_by, step_rows

TRAINING_VERSION = "5"

_PLACES = ("base_model", "datasets", "dataset_prepared_path", "output_dir")
"""Keys that say where things lie on this machine, and not what is learned."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training: what it learns from, on which base model, how, and where it is put.

    `fingerprint` is 64 hexadecimal digits over all that the adapter depends on and over no path;
    `version` is its first 12. `config` is the whole Axolotl configuration. `data_digest` is over
    the examples that pass the variant's filter, `examples` in number, of which `max_steps` leave
    time for `reached`, and the `replayed` ones of general code and prose beside those. `steps` is
    an estimate of the optimizer's steps. `processes` train together, one a device. `memory_gib` is
    the most main memory that they may take (0: no limit), and the home remembers what fitted.
    `notes` are for the person who wrote the recipe.
    """

    variant: str
    version: str
    fingerprint: str
    profile: str
    config: dict[str, Any]
    work_dir: Path
    adapter: Path
    dataset: Path
    filter: VariantSettings
    shuffle_labels: bool
    dataset_digest: str
    data_digest: str
    examples: int
    reached: int
    replayed: int
    repositories: dict[str, str]
    base_name: str
    base_model: str
    base_revision: str
    base_digest: str
    steps: int
    processes: int
    memory_gib: float
    home: Path
    device: Path
    notes: tuple[str, ...]

    @property
    def data_file(self) -> Path:
        return data_file(self.work_dir)

    def to_json(self) -> bytes:
        """The plan as a JSON object; `from_json` is its inverse."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return orjson.dumps(values, default=_plain, option=orjson.OPT_INDENT_2)

    def training_examples(self) -> list[TrainingExample]:
        """What is learned from, in the order of the lines of `data_file`.

        Raises:
            StorageError: the data set can't be read, or isn't the one that was planned with.
        """
        known = self.known_examples()
        chosen, replayed = known[: self.examples], known[self.examples :]
        return [*drawn(chosen, self.reached), *replayed]

    def known_examples(self) -> list[TrainingExample]:
        """All that pass the filter, whether or not the last step reaches them, and the replayed.

        Raises:
            StorageError: the data set can't be read, or isn't the one that was planned with.
        """
        chosen = select_examples(
            self.dataset, self.variant, self.filter, shuffle_labels=self.shuffle_labels
        )
        known = [*chosen, *replay_of(chosen, self.replayed)]
        if _digest(known) != self.data_digest:
            raise StorageError(
                f"The data set {self.dataset} changed since this training was planned.",
                "Run again.",
            )
        return known

    @classmethod
    def from_json(cls, data: bytes | str) -> TrainingPlan:
        """Read back what `to_json` gave.

        Raises:
            StorageError: it isn't such an object.
        """
        try:
            values = cast(dict[str, Any], orjson.loads(data))
            places = {
                name: Path(values[name])
                for name in ("work_dir", "adapter", "dataset", "home", "device")
            }
            filter = VariantSettings.model_validate(values["filter"])
            notes = tuple(values["notes"])
            merged: dict[str, Any] = {**values, **places, "filter": filter, "notes": notes}
            return cls(**merged)
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"The training plan can't be read: {error}.") from None


def plan_training(
    *,
    dataset: Path,
    variant: str,
    filter: VariantSettings,
    settings: TrainingSettings,
    configs: Path,
    home: Home,
    device: Home | None = None,
) -> TrainingPlan:
    """Decide everything about a training and check all that can be checked without starting it.

    Args:
        dataset: folder of a data set.
        variant: name of the adapter.
        filter: which examples it learns from.
        settings: the profile, what replaces its base model and step limit, and how many devices.
        configs: folder with axolotl.yaml and profiles/.
        home: where the training and its adapter are put.
        device: the home whose device it takes, if that is another one.

    Raises:
        ConfigError: the recipe or the profile has a key or value that Axolotl doesn't take, or this
            machine lacks the devices.
        BaseModelError: the base model can't be had.
        EmptyInputError: no example passes the filter.
        StorageError: the data set can't be read.
    """
    layers = read_layers(configs, settings.profile)
    check_recipe(layers, home)
    recipe = lay(layers, settings)
    base = resolve_base_model(str(recipe["base_model"]), revision=_revision(recipe))
    notes = [note for layer in layers for note in layer.notes]
    context = context_tokens(base)
    if context is not None and int(recipe.get("sequence_len") or 0) > context:
        notes.append(
            f"`sequence_len` is {recipe['sequence_len']}, and {base.name} reads {context} tokens "
            f"at most: {context} is used."
        )
        recipe["sequence_len"] = context
    dataset = dataset.resolve()
    chosen = select_examples(dataset, variant, filter, shuffle_labels=settings.shuffle_labels)
    # The control teaches nothing that is true.
    share = 0.0 if settings.shuffle_labels else replay_share(settings.replay, base.name)
    processes = training_processes(settings.num_gpus, recipe)
    reached = reached_by(len(chosen), share, recipe, processes)
    replayed = replay_of(chosen, round(share * reached))
    data_digest = _digest([*chosen, *replayed])
    steps = planned_steps(recipe, [*drawn(chosen, reached), *replayed], processes)
    if recipe.get("max_steps"):
        # Axolotl would go round the data until it reached the number; here it is a ceiling.
        recipe["max_steps"] = steps
    fingerprint = _fingerprint(recipe, data_digest, base.digest, processes)
    work_dir = home.training(variant, fingerprint).absolute()
    return TrainingPlan(
        variant=variant,
        version=fingerprint[:12],
        fingerprint=fingerprint,
        profile=layers[-1].file.stem,
        config=place(recipe, base_model=base.reference, work_dir=work_dir),
        work_dir=work_dir,
        adapter=(home.adapters(variant) / fingerprint[:12]).absolute(),
        dataset=dataset,
        filter=filter,
        shuffle_labels=settings.shuffle_labels,
        dataset_digest=_dataset_digest(dataset),
        data_digest=data_digest,
        examples=len(chosen),
        reached=reached,
        replayed=len(replayed),
        repositories=_repositories(chosen),
        base_name=base.name,
        base_model=base.reference,
        base_revision=_revision(recipe),
        base_digest=base.digest,
        steps=steps,
        processes=processes,
        memory_gib=settings.memory_gib,
        home=home.root.absolute(),
        device=(device or home).root.absolute(),
        notes=tuple(notes),
    )


def planned_steps(
    recipe: dict[str, Any], examples: Sequence[TrainingExample], processes: int = 1
) -> int:
    """Optimizer steps: of all epochs, or fewer where `max_steps` says so.

    Where rows hold several examples each (`sample_packing`), about: only the trainer counts tokens.
    """
    rows = len(examples)
    if recipe.get("sample_packing"):
        length = int(recipe.get("sequence_len") or 512)
        rows = max(1, round(about_tokens(examples, length) / (length * PACKED_SHARE)))
    epochs = float(recipe.get("num_epochs") or 1)
    steps = math.ceil(math.ceil(rows / step_rows(recipe, processes)) * epochs)
    ceiling = recipe.get("max_steps")
    return min(steps, int(ceiling)) if ceiling else steps


def prepare_training(plan: TrainingPlan) -> Path:
    """Write plan.json, axolotl.yaml and the data into the working folder.

    Checkpoints of an interrupted training of the same plan stay, to be resumed from.

    Returns:
        The path of plan.json, for the worker.

    Raises:
        StorageError: something can't be written, or the data set changed since it was planned.
    """
    write_file(plan.data_file, [example.line for example in plan.training_examples()])
    write_recipe(plan, plan.config)
    write_file(plan.work_dir / "plan.json", plan.to_json())
    return plan.work_dir / "plan.json"


def write_recipe(plan: TrainingPlan, config: Mapping[str, Any]) -> None:
    """Write the configuration that `axolotl train` is given.

    Raises:
        StorageError: it can't be written.
    """
    recipe = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
    write_file(plan.work_dir / "axolotl.yaml", recipe.encode())


def finished_adapter(plan: TrainingPlan, home: Home) -> Path | None:
    """The version's folder under `home`, if it stands there whole; else None."""
    folder = home.adapters(plan.variant) / plan.version
    return folder if is_whole_adapter(folder, plan.fingerprint) else None


def is_whole_adapter(folder: Path, fingerprint: str) -> bool:
    """Whether `folder` is an adapter version with this fingerprint and readable weights."""
    try:
        run = orjson.loads((folder / "run.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    return (
        run.get("fingerprint") == fingerprint
        and (folder / "adapter_config.json").is_file()
        and whole_safetensors(folder / "adapter_model.safetensors")
    )


def _fingerprint(recipe: dict[str, Any], data_digest: str, base_digest: str, processes: int) -> str:
    learned = {key: value for key, value in recipe.items() if key not in _PLACES}
    others = cast(list[Any], recipe.get("datasets") or [])[1:]
    versions = [TRAINING_VERSION, PROMPT_VERSION]
    return digest_json([learned, others, data_digest, base_digest, versions, processes])


def _digest(examples: Sequence[TrainingExample]) -> str:
    return hashlib.sha256(b"".join(example.line for example in examples)).hexdigest()


def _revision(recipe: dict[str, Any]) -> str:
    return str(recipe.get("revision_of_model") or recipe.get("model_revision") or "")


def _dataset_digest(dataset: Path) -> str:
    """The digest of the manifest, whose first 12 digits name the data set's folder."""
    return digest_json(read_json(dataset / "manifest.json"))


def _repositories(examples: list[TrainingExample]) -> dict[str, str]:
    return dict(sorted({example.repo: example.commit for example in examples}.items()))


def _plain(value: object) -> object:
    return value.model_dump() if isinstance(value, VariantSettings) else str(value)
