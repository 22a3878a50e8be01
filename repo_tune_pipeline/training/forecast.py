"""What a training will need, said before it starts and without loading or fetching anything."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import BaseModelError
from repo_tune_pipeline.settings import TrainingSettings, VariantSettings
from repo_tune_pipeline.training.base_model import BaseModel, resolve_base_model
from repo_tune_pipeline.training.devices import training_processes
from repo_tune_pipeline.training.examples import (
    PACKED_SHARE,
    TrainingExample,
    about_tokens,
    select_examples,
)
from repo_tune_pipeline.training.ladder import Ladder, Rung, ladder_kind
from repo_tune_pipeline.training.machine import MachineFacts, free_memory, machine_facts
from repo_tune_pipeline.training.memory import GIB, MemoryEstimate, estimate_memory
from repo_tune_pipeline.training.plan import planned_steps
from repo_tune_pipeline.training.recipe import lay, read_layers
from repo_tune_pipeline.training.recipe_check import check_recipe
from repo_tune_pipeline.training.replay import replay_of, replay_share
from repo_tune_pipeline.training.shapes import KNOWN, ModelShape, known_shape
from repo_tune_pipeline.training.speed import Speed, assumed_speed, gpu_speed, measured_speed
from repo_tune_pipeline.training.within_steps import drawn, reached_by

FEW_EXAMPLES = 500
"""Below, an adapter learns how answers look and hardly what is in the code: a thousand chosen
examples taught a model of 65 billion parameters form alone (Zhou et al. 2023, arXiv:2305.11206)."""
_USABLE = 0.94
"""Of a card's nominal memory: the rest is the driver's."""
_CARDS = (
    (8, "gpu-8gb", "RTX 3070", 40.6e12),
    (16, "gpu-8gb", "T4", 65e12),
    (24, "gpu-24gb", "L4", 121e12),
    (80, "gpu-80gb", "A100", 312e12),
)
"""Sizes in GB, the profile for each, and a card of that size with its dense 16-bit peak in
operations a second (NVIDIA's data sheets)."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A training on one device. Bytes; `rung` is None where no settings fit."""

    device: str
    profile: str
    free: int
    rung: Rung | None
    memory: MemoryEstimate
    speed: Speed
    hours: float | None
    cost: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "device": self.device,
            "profile": self.profile,
            "fits": self.rung is not None,
            "free_bytes": self.free,
            "needed_bytes": self.memory.total,
            "parts_bytes": self.memory.parts(),
            "settings": asdict(self.rung) if self.rung else None,
            "tokens_per_second": round(self.speed.tokens_per_second, 1),
            "speed_source": self.speed.source,
            "hours": self.hours,
            "cost": self.cost,
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """A training here, and beside it on GPUs of four sizes; None where there is no data yet."""

    base_model: str
    parameters: int
    examples: int | None
    steps: int | None
    tokens: int | None
    here: DevicePlan
    planned: Rung
    cards: tuple[DevicePlan, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What `repo-tune train --dry-run --json` prints."""
        return {
            "dry_run": True,
            "base_model": self.base_model,
            "parameters": self.parameters,
            "examples": self.examples,
            "steps": self.steps,
            "tokens": self.tokens,
            "planned": asdict(self.planned),
            "here": self.here.to_json(),
            "gpus": [card.to_json() for card in self.cards],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


def forecast(
    *,
    settings: TrainingSettings,
    configs: Path,
    home: Home,
    variant: str,
    filter: VariantSettings,
    dataset: Path | None,
    price_per_hour: float | None = None,
) -> Forecast:
    """Plan a training without starting it.

    Args:
        settings: as for the training itself.
        configs: folder with axolotl.yaml and profiles/.
        home: where earlier trainings, whose speed is known, and checked recipes lie.
        variant: name of the adapter.
        filter: which examples it learns from.
        dataset: folder of a data set, or None where there is none yet.
        price_per_hour: of the machine, in any currency.

    Raises:
        ConfigError: the recipe or the profile has a key or value that Axolotl doesn't take, or this
            machine lacks the devices.
        BaseModelError: nothing is known of the base model's sizes.
        EmptyInputError: no example passes the filter.
        StorageError: the data set can't be read.
    """
    layers = read_layers(configs, settings.profile)
    check_recipe(layers, home)
    recipe = lay(layers, settings)
    name, profile = str(recipe["base_model"]), layers[-1].file.stem
    base, shape, notes = _look_up(name)
    notes = [*(note for layer in layers for note in layer.notes), *notes]
    chosen = select_examples(dataset, variant, filter) if dataset else None
    processes = training_processes(settings.num_gpus, recipe)
    share = replay_share(settings.replay, name)
    learned = None
    if chosen:
        reached = reached_by(len(chosen), share, recipe, processes)
        learned = [*drawn(chosen, reached), *replay_of(chosen, round(share * reached))]
    steps = planned_steps(recipe, learned, processes) if learned else None
    planned = _within(Rung.of(recipe), shape)
    packed = bool(recipe.get("sample_packing"))
    rows = steps * processes * planned.batch if steps else 0
    tokens = _tokens(learned, rows, planned, packed=packed) if learned else None

    def on(device: str, config: Mapping[str, Any], free: int, speed: Speed, gpu: bool, of: str):
        first = _within(Rung.of(config), shape)
        fitting = _first_fitting(shape, config, first, free, on_gpu=gpu)
        memory = estimate_memory(shape, config, fitting or _last(first), on_gpu=gpu)
        hours = tokens / speed.tokens_per_second / 3600 if tokens else None
        cost = hours * price_per_hour if hours is not None and price_per_hour else None
        return DevicePlan(device, of, free, fitting, memory, speed, hours, cost)

    facts = machine_facts(home.root)
    begins = planned
    if base:
        kind = ladder_kind(base.digest, recipe, processes, settings.memory_gib, facts)
        ladder = Ladder(home.ladders, planned, kind)
        begins = ladder.rung
        if begins != planned:
            notes.append(f"An earlier training ran out of memory: {begins} (see {ladder.file}).")
    known = measured_speed(home, base.digest, profile, processes) if base else None
    speed = known or assumed_speed(
        shape, facts, processes, checkpointing=planned.gradient_checkpointing
    )
    free = _free(facts, settings, processes)
    here_recipe = begins.applied(recipe)
    here = on(_device(facts, processes), here_recipe, free, speed, bool(facts.gpus), profile)
    cards: list[DevicePlan] = []
    for size, for_card, card, peak in _CARDS:
        config = lay(read_layers(configs, for_card), settings)
        checkpointing = bool(config.get("gradient_checkpointing"))
        by_card = gpu_speed(shape, card, peak, checkpointing=checkpointing)
        on_card = round(size * _USABLE * GIB)
        cards.append(on(f"{size} GB ({card})", config, on_card, by_card, True, for_card))
    return Forecast(
        base_model=name,
        parameters=shape.parameters,
        examples=len(chosen) if chosen else None,
        steps=steps,
        tokens=tokens,
        here=here,
        planned=planned,
        cards=tuple(cards),
        notes=tuple(notes),
        warnings=tuple(_warnings(shape, base, here, begins, chosen, home)),
    )


def _look_up(name: str) -> tuple[BaseModel | None, ModelShape, list[str]]:
    notes: list[str] = []
    try:
        base = resolve_base_model(name)
    except BaseModelError as error:
        if name not in KNOWN:
            raise
        base = None
        notes.append(str(error))
    shape = known_shape(base or name)
    if shape is None:
        raise BaseModelError(
            f"Base model {name}: its sizes aren't known, so that nothing can be planned.",
            f"Fetch it first (`hf download {name}`); a plan is made for these kinds: Qwen2, Qwen3, "
            "Llama, Mistral, Gemma, GPT-2, GPT-BigCode.",
        )
    return base, shape, notes


def _within(rung: Rung, shape: ModelShape) -> Rung:
    length = min(rung.sequence_len, shape.context)
    return Rung(
        rung.micro_batch_size,
        rung.gradient_accumulation_steps,
        rung.gradient_checkpointing,
        length,
    )


def _first_fitting(
    shape: ModelShape, config: Mapping[str, Any], rung: Rung, free: int, *, on_gpu: bool
) -> Rung | None:
    """The settings that a training would end with after running out of memory with all before."""
    trying: Rung | None = rung
    while trying and estimate_memory(shape, config, trying, on_gpu=on_gpu).total > free:
        trying = trying.down()
    return trying


def _last(rung: Rung) -> Rung:
    while (lower := rung.down()) is not None:
        rung = lower
    return rung


def _tokens(chosen: list[TrainingExample], rows: int, rung: Rung, *, packed: bool) -> int:
    """About how many tokens so many rows hold."""
    mean = about_tokens(chosen, rung.sequence_len) / len(chosen)
    return round(rows * (rung.sequence_len * PACKED_SHARE if packed else mean))


def _device(facts: MachineFacts, processes: int) -> str:
    if facts.gpus:
        name = max(facts.gpus, key=lambda gpu: gpu.memory_bytes).name
        return f"{processes} x {name}" if processes > 1 else name
    shared = f", {processes} processes" if processes > 1 else ""
    return f"CPU, {facts.cpu_count} cores{shared}"


def _free(facts: MachineFacts, settings: TrainingSettings, processes: int) -> int:
    """For one process: a GPU of its own, or its share of the main memory."""
    if facts.gpus:
        return max(facts.gpus, key=lambda gpu: gpu.memory_bytes).free_bytes
    limit = round(settings.memory_gib * GIB)
    return (min(free_memory(), limit) if limit else free_memory()) // processes


def _warnings(
    shape: ModelShape,
    base: BaseModel | None,
    here: DevicePlan,
    begins: Rung,
    chosen: list[TrainingExample] | None,
    home: Home,
) -> list[str]:
    said: list[str] = []
    if here.rung is None:
        said.append(
            f"It doesn't fit here: {here.memory.total / GIB:.1f} GiB with the smallest settings, "
            f"{here.free / GIB:.1f} GiB are free. A smaller base model would, or another machine."
        )
    elif here.rung != begins:
        said.append(
            f"The profile's settings ({begins}) are expected to run out of memory; the training "
            f"would go on by itself with {here.rung}."
        )
    if chosen is None:
        said.append("There is no data set yet (`repo-tune generate-data`): no steps, no hours.")
    elif len(chosen) < FEW_EXAMPLES:
        said.append(
            f"Only {len(chosen)} examples: from fewer than {FEW_EXAMPLES} an adapter learns how "
            "answers look rather than the code. Ingest more, or switch the teacher on."
        )
    files = 2 * shape.parameters
    free = shutil.disk_usage(home.root if home.root.exists() else Path.cwd()).free
    if (base is None or base.folder is None) and files > free:
        said.append(
            f"The base model's files take about {files / GIB:.1f} GiB; {free / GIB:.1f} are free."
        )
    return said
