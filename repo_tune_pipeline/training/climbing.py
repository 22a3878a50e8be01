"""A trainer that is started again with less memory until it ends well, or no less can be tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import OutOfMemoryError, TrainingError
from repo_tune_pipeline.training.checkpoints import newest_whole_checkpoint
from repo_tune_pipeline.training.ladder import Ladder, Rung, ladder_kind
from repo_tune_pipeline.training.machine import machine_facts
from repo_tune_pipeline.training.plan import TrainingPlan, write_recipe
from repo_tune_pipeline.training.recipe import output_dir
from repo_tune_pipeline.training.trainer import TrainerRun, note, run_trainer


@dataclass(frozen=True, slots=True)
class Climbed:
    """A run that ended well, and the settings that it took to get there."""

    run: TrainerRun
    planned: Rung
    used: Rung
    given_up: tuple[Rung, ...]

    def summary(self) -> dict[str, Any]:
        """What run.json says of it."""
        return {
            "planned": asdict(self.planned),
            "used": asdict(self.used),
            "out_of_memory_with": [asdict(rung) for rung in self.given_up],
        }


def climb(
    plan: TrainingPlan, every_poll: Callable[[], None], say: Callable[[str], None]
) -> Climbed:
    """Run the trainer, and again on the next rung where memory ran out; from checkpoints.

    Args:
        plan: the training; its folder gets the axolotl.yaml that is used.
        every_poll: called twice a second while a trainer runs.
        say: told of each start and each step down the ladder.

    Raises:
        TrainingError: the trainer failed, or memory doesn't suffice on the last rung.
        StorageError: something can't be written.
    """
    kind = ladder_kind(
        plan.base_digest, plan.config, plan.processes, plan.memory_gib, machine_facts(plan.work_dir)
    )
    ladder = Ladder(Home(plan.home).ladders, Rung.of(plan.config), kind)
    given_up: list[Rung] = []
    for text in plan.notes:
        _tell(plan, say, text)
    if ladder.rung != ladder.planned:
        _tell(
            plan, say, f"An earlier training ran out of memory: {ladder.rung} (see {ladder.file})."
        )
    while True:
        write_recipe(plan, ladder.rung.applied(plan.config))
        checkpoint = newest_whole_checkpoint(output_dir(plan.work_dir))
        say(f"Going on from {checkpoint.name}." if checkpoint else "Axolotl starts.")
        try:
            run = run_trainer(plan, checkpoint, every_poll)
            return Climbed(run, ladder.planned, ladder.rung, tuple(given_up))
        except OutOfMemoryError as error:
            given_up.append(ladder.rung)
            if ladder.down() is None:
                raise _exhausted(plan, given_up[-1], error) from None
            _tell(plan, say, f"Out of memory with {given_up[-1]}. Going on with {ladder.rung}.")


def _exhausted(plan: TrainingPlan, last: Rung, error: OutOfMemoryError) -> TrainingError:
    return TrainingError(
        f"Training of variant {plan.variant}: memory doesn't suffice for {plan.base_name}, not "
        f"even with {last}. {error.problem}",
        "Take a smaller base model (--base-model), free memory, or raise `training.memory_gib` "
        "if it is set.",
    )


def _tell(plan: TrainingPlan, say: Callable[[str], None], text: str) -> None:
    note(plan, text)
    say(text)
