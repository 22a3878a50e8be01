"""Small worlds to evaluate in: a base model, a data set with its index, adapters."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from repo_tune_pipeline.artifacts import Home, write_file, write_json
from repo_tune_pipeline.evaluation import EvaluationPlan, plan_evaluation
from repo_tune_pipeline.ingestion import save_snapshot
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.records import ExampleMeta, SftExample, Snapshot, SourceFile, TaskName
from repo_tune_pipeline.retrieval import build_index
from repo_tune_pipeline.settings import EvaluationSettings, Settings, VariantSettings
from repo_tune_pipeline.training import IN_MEMORY_FILE
from repo_tune_pipeline.training.examples import TrainingExample
from repo_tune_pipeline.training.learned import LEARNED_FILE, write_learned
from repo_tune_pipeline_tests.retrieval.chunks import chunk

COMMIT = "c0ffee" * 6 + "c0ff"
QUICK = EvaluationSettings(
    max_generations=6, max_new_tokens=24, bootstrap_resamples=400, general_texts=2
)
BODIES = (
    "    total = first + second\n    return total",
    "    if first is None:\n        return second\n    return first",
    "    for item in first:\n        second.append(item)\n    return second",
    "    with open(first) as stream:\n        return stream.read() + second",
)


@dataclass(frozen=True)
class World:
    root: Path
    base: Path

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    @property
    def dataset(self) -> Path:
        return self.root / "dataset"

    def plan(
        self,
        adapter: Path,
        *,
        settings: EvaluationSettings = QUICK,
        filter: VariantSettings = VariantSettings(),  # noqa: B008
        dataset: Path | None = None,
        placebo: Path | None = None,
        whole: Settings = Settings(),  # noqa: B008
    ) -> EvaluationPlan:
        return plan_evaluation(
            adapter=adapter,
            dataset=dataset or self.dataset,
            variant="main",
            filter=filter,
            settings=whole.model_copy(update={"evaluation": settings}),
            home=self.home,
            placebo=placebo,
        )


def make_world(root: Path, base: Path) -> World:
    """Twelve files, of which everything is held out, and one more to learn from."""
    world = World(root, base)
    write_dataset(world.dataset, some_examples())
    paths = [f"src/module_{number}.py" for number in range(13)]
    texts = [
        f"def helper_{number}(value):\n    return combine_{number}(value, first)\n"
        for number in range(13)
    ]
    files = tuple(
        SourceFile(path, f"{at:040x}", len(text), "Python", "MIT", text)
        for at, (path, text) in enumerate(sorted(zip(paths, texts, strict=True)))
    )
    snapshot = Snapshot("acme/ledger", COMMIT, ".", "", files, ())
    save_snapshot(world.home.snapshot("acme/ledger"), snapshot)
    build_index(
        world.home.index,
        [
            chunk(f"helper_{at}", file.text, repo="acme/ledger", commit=COMMIT, path=file.path)
            for at, file in enumerate(files)
        ],
    )
    return world


def write_dataset(
    folder: Path,
    heldout: Sequence[SftExample],
    *,
    train: Sequence[SftExample] = (),
    recent: Sequence[SftExample] = (),
) -> Path:
    """A data set's folder, as far as an evaluation reads it."""
    write_examples(folder / "heldout.jsonl", heldout)
    write_examples(folder / "heldout_recent.jsonl", recent)
    write_examples(folder / "sft.jsonl", train or [an_example(900, path="src/module_12.py")])
    write_manifest(folder / "manifest.json")
    return folder


def an_example(
    number: int,
    *,
    task: TaskName = "code_completion",
    path: str = "",
    instruction: str = "Complete the following Python code.",
    input: str = "",
    output: str = "",
    language: str = "Python",
) -> SftExample:
    meta = ExampleMeta(
        id=f"{number:016x}",
        task=task,
        repo="acme/ledger",
        commit=COMMIT,
        path=path or f"src/module_{number % 12}.py",
        start_line=10 * number + 1,
        end_line=10 * number + 4,
        symbol=f"combine_{number}",
        language=language,
        license="MIT",
        origin="source",
        chunk_id=f"{number:x}",
    )
    return SftExample(
        instruction,
        input or f"def combine_{number}(first, second):\n",
        output or BODIES[number % len(BODIES)],
        meta,
    )


def some_examples(count: int = 36) -> list[SftExample]:
    """Completions and explanations from twelve files."""
    completions = [an_example(number) for number in range(count * 2 // 3)]
    explanations = [
        an_example(
            number,
            task="code_explanation",
            instruction="Explain the following Python code.",
            output=f"`combine_{number}` combines its two arguments and returns the result.",
        )
        for number in range(count * 2 // 3, count)
    ]
    return completions + explanations


def write_examples(path: Path, examples: Sequence[SftExample]) -> Path:
    rows = [
        {
            "instruction": one.instruction,
            "input": one.input,
            "output": one.output,
            "meta": asdict(one.meta),
        }
        for one in examples
    ]
    write_file(path, (orjson.dumps(row) + b"\n" for row in rows))
    return path


def write_manifest(path: Path) -> Path:
    write_json(
        path,
        {
            "digests": {"sft.jsonl": "a" * 64, "heldout.jsonl": "b" * 64},
            "repositories": {"acme/ledger": COMMIT},
            "counts": {"train": {"examples": 400}, "heldout": {"examples": 36}},
            "funnel": {"seen": 500, "kept": 436, "dropped": {"duplicate": 64}},
        },
    )
    return path


def make_adapter(
    folder: Path,
    base: Path,
    *,
    teach: Sequence[SftExample] = (),
    steps: int = 0,
    asked: Sequence[SftExample] = (),
) -> Path:
    """A LoRA adapter that knows `teach` by heart; without steps it changes nothing.

    With `asked` it keeps, as after a real training, what the model in memory makes of some of them.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(base)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=16, lora_alpha=32, target_modules=targets, task_type="CAUSAL_LM")
    tuned = get_peft_model(model, config)
    losses = _teach(tuned, load_local_model(base), teach, steps)
    if asked:
        keep_answers(folder, tuned, base, asked)
    tuned.save_pretrained(folder)
    lines = [
        orjson.dumps({"step": step, "loss": loss}) + b"\n" for step, loss in enumerate(losses, 1)
    ]
    write_file(folder / "metrics.jsonl", b"".join(lines))
    write_json(
        folder / "run.json",
        {
            "base_model": str(base),
            "base_path": str(base),
            "variant": "main",
            "steps": steps,
            "profile": "starter",
        },
    )
    return folder


def keep_answers(folder: Path, model, base: Path, asked: Sequence[SftExample]) -> None:
    """What the trainer leaves for the comparison with what is served."""
    from transformers import AutoTokenizer

    from repo_tune_pipeline.training.in_memory import write_answers

    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.save_pretrained(folder)
    lines = write_examples(folder / "asked.jsonl", asked)
    write_answers(model, tokenizer, lines, folder / IN_MEMORY_FILE)
    lines.unlink()
    write_file(folder / "axolotl.yaml", f"base_model: {base}\nload_in_4bit: false\n".encode())


def remember(adapter: Path, learned: Sequence[SftExample]) -> Path:
    """Leave in the adapter's folder what the trainer would: what it learned from."""
    examples = [
        TrainingExample(
            one.instruction,
            one.input,
            one.output,
            one.meta.repo,
            one.meta.commit,
            f"{one.meta.path}:{one.meta.start_line}-{one.meta.end_line}",
        )
        for one in learned
    ]
    write_learned(adapter / LEARNED_FILE, examples)
    return adapter


def _teach(tuned, reader, teach: Sequence[SftExample], steps: int) -> list[float]:
    import torch

    optimizer = torch.optim.AdamW([p for p in tuned.parameters() if p.requires_grad], lr=1e-2)
    encoded = [reader.encode(example) for example in teach]
    losses: list[float] = []
    for step in range(steps):
        batch = [encoded[(step * 12 + at) % len(encoded)] for at in range(12)]
        width = max(len(one.prompt) + len(one.answer) for one in batch)
        rows = [one.prompt + one.answer for one in batch]
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        labels = torch.tensor(
            [
                [-100] * len(one.prompt) + one.answer + [-100] * (width - len(row))
                for one, row in zip(batch, rows, strict=True)
            ]
        )
        loss = tuned(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses
