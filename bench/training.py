"""Tokens a second of a training: ours, a plain loop's and Axolotl's defaults', in one run.

Usage: python bench/training.py [--profile P] [--base-model M] [--random-weights NAME]
                                [--steps N] [--rounds N] [--sequence N] [--peers-batch N]
                                [--out FILE]

All three train the same base model in 4 bits, with the same rank at the same matrices, on the same
examples, one after the other in processes of their own. Where the profile packs several examples
into a row, a step of ours reads more of them; --peers-batch gives the other two a micro-batch of N
examples instead of the profile's:

ours     `repo-tune train`'s worker with the profile (default: starter);
plain    transformers, PEFT and bitsandbytes in a loop: pad to the longest of the micro-batch,
         forward, backward, step;
axolotl  `axolotl train` with its own defaults, but for what it needs to run on this device.

Counted are the tokens read, prompts too and padding not, over the time from the first step's end
to the last one's. With --random-weights, a model with the packaged figures of NAME (such
as Qwen/Qwen2-7B-Instruct) is made on the spot: speed and memory don't depend on weights' values. It
has its own vocabulary and the starter's tokenizer.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.settings import TrainingSettings, VariantSettings, configs_dir
from repo_tune_pipeline.training import (
    TrainingPlan,
    machine_facts,
    plan_training,
    prepare_training,
    starter_folder,
)
from repo_tune_pipeline.training.environment import trainer_environment
from repo_tune_pipeline.training.recipe import PLUGIN
from repo_tune_pipeline.training.shapes import KNOWN

SHORTEST, LONGEST = 120, 2400
"""Characters of an example's code."""
CPU_NEEDS = {
    "lora_mlp_kernel": False,
    "lora_qkv_kernel": False,
    "lora_o_kernel": False,
    "bf16": False,
    "fp16": False,
    "tf32": False,
    "optimizer": "adamw_torch",
}
PACKAGES = (
    "torch",
    "triton",
    "transformers",
    "accelerate",
    "peft",
    "axolotl",
    "bitsandbytes",
    "liger_kernel",
)
SHARED = (
    "base_model",
    "adapter",
    "load_in_4bit",
    "bnb_config_kwargs",
    "lora_r",
    "lora_alpha",
    "lora_dropout",
    "lora_target_linear",
    "datasets",
    "sequence_len",
    "micro_batch_size",
    "gradient_accumulation_steps",
    "learning_rate",
    "num_epochs",
    "max_steps",
)


def main() -> int:
    """Print each measurement, then the summary as JSON."""
    asked = _arguments()
    if asked.random_weights and not machine_facts().gpus:
        sys.stderr.write("--random-weights makes a large model: it needs a GPU.\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        base = asked.base_model
        if asked.random_weights:
            base = str(random_model(root / "base", asked.random_weights))
        dataset = write_examples(root / "datasets" / "0123456789ab")
        rows: dict[str, list[dict[str, float]]] = {"ours": [], "plain": [], "axolotl": []}
        plan = _plan(root / "home-0", dataset, base, asked)
        micro = asked.peers_batch or int(plan.config["micro_batch_size"])
        for number in range(asked.rounds):
            plan = _plan(root / f"home-{number}", dataset, base, asked)
            for name, train in (("ours", ours), ("plain", plain), ("axolotl", axolotl)):
                row = train(plan, root / f"{name}-{number}", micro)
                row["tokens_per_second"] = row["tokens"] / row["seconds"]
                rows[name].append(row)
                print(f"{name:<8}", json.dumps(row), flush=True)
    report = summary(rows, asked, plan)
    print(json.dumps(report, indent=2))
    if asked.out:
        Path(asked.out).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--profile", default="starter")
    parser.add_argument("--base-model", default="")
    parser.add_argument("--random-weights", choices=sorted(KNOWN))
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--sequence", type=int, default=0)
    parser.add_argument("--out", default="")
    parser.add_argument("--peers-batch", type=int, default=0)
    return parser.parse_args()


def _plan(home: Path, dataset: Path, base: str, asked: argparse.Namespace) -> TrainingPlan:
    configs = configs_dir()
    if asked.sequence:
        configs = _with_sequence(home.parent / "configs", asked.profile, asked.sequence)
    return plan_training(
        dataset=dataset,
        variant="main",
        filter=VariantSettings(),
        settings=TrainingSettings(
            profile=asked.profile, base_model=base, max_steps=asked.steps, replay=0
        ),
        configs=configs,
        home=Home(home),
    )


def _with_sequence(folder: Path, profile: str, sequence: int) -> Path:
    import shutil

    if not folder.exists():
        shutil.copytree(configs_dir(), folder)
    file = folder / "profiles" / f"{profile}.yaml"
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**values, "sequence_len": sequence}), encoding="utf-8")
    return folder


def write_examples(folder: Path) -> Path:
    """Examples from this package's functions: the head as the question, the body as the answer."""
    folder.mkdir(parents=True)
    lines: list[str] = []
    for file in sorted((Path(__file__).parents[1] / "repo_tune_pipeline").rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                code = ast.get_source_segment(source, node) or ""
                if SHORTEST <= len(code) <= LONGEST:
                    lines.append(json.dumps(_example(len(lines), node.name, code)))
    (folder / "sft.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "manifest.json").write_text('{"counts": {}}', encoding="utf-8")
    return folder


def _example(number: int, name: str, code: str) -> dict[str, Any]:
    head, body = code.split("\n", 1)
    meta = {
        "id": str(number),
        "task": "code_completion",
        "repo": "bench/bench",
        "commit": "0" * 40,
        "path": f"{name}.py",
        "start_line": 1,
        "end_line": 1 + code.count("\n"),
        "symbol": name,
        "language": "Python",
        "license": "Apache-2.0",
        "origin": "source",
        "chunk_id": str(number),
    }
    return {"instruction": f"Complete {name}.", "input": head, "output": body, "meta": meta}


def random_model(folder: Path, name: str) -> Path:
    """A model of these figures in bfloat16, with the starter's tokenizer; made on the GPU."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    figures = dict(KNOWN[name])
    tokenizer = AutoTokenizer.from_pretrained(starter_folder())
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = AutoConfig.for_model(figures.pop("model_type"), **figures, **ends, bos_token_id=None)
    with torch.device("cuda"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    del model
    torch.cuda.empty_cache()
    return folder


def ours(plan: TrainingPlan, folder: Path, micro: int) -> dict[str, float]:
    """What `repo-tune train` runs, with the batch that its profile names."""
    del folder, micro
    command = [sys.executable, "-m", "repo_tune_pipeline.training.worker"]
    _run([*command, str(prepare_training(plan))], dict(os.environ), plan.work_dir.parent)
    return _rate(plan.adapter / "metrics.jsonl")


def axolotl(plan: TrainingPlan, folder: Path, micro: int) -> dict[str, float]:
    """Its defaults: what `SHARED` doesn't name is left to Axolotl."""
    folder.mkdir()
    config = {key: plan.config[key] for key in SHARED if key in plan.config}
    on_gpu = bool(machine_facts().gpus)
    config |= {} if on_gpu else CPU_NEEDS
    prepare_training(plan)
    config |= {
        "micro_batch_size": micro,
        "output_dir": str(folder / "out"),
        "dataset_prepared_path": str(folder / "prepared"),
        "logging_steps": 1,
        # It writes the metrics; the order and the kernels stay Axolotl's.
        "plugins": [PLUGIN],
    }
    (folder / "axolotl.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "axolotl.cli.main", "train", "axolotl.yaml"]
    _run([*command, "--launcher", "python"], trainer_environment(), folder)
    return _rate(folder / "out" / "metrics.jsonl")


def plain(plan: TrainingPlan, folder: Path, micro: int) -> dict[str, float]:
    """`peers/plain_training.py` in a process of its own."""
    folder.mkdir()
    plan_file = prepare_training(plan)
    script = Path(__file__).resolve().parent / "peers" / "plain_training.py"
    command = [sys.executable, str(script), str(plan_file), str(micro)]
    return json.loads(_run(command, trainer_environment(), folder).splitlines()[-1])


def _rate(metrics: Path) -> dict[str, float]:
    """Tokens and seconds between the first step's end and the last one's."""
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()][1:]
    return {
        "tokens": sum(row["tokens"] for row in rows),
        "seconds": sum(row["tokens"] / row["tokens_per_second"] for row in rows),
        "peak_memory_bytes": max(row["memory_bytes"] for row in rows),
    }


def _run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        )
    return done.stdout


def summary(
    rows: dict[str, list[dict[str, float]]], asked: argparse.Namespace, plan: TrainingPlan
) -> dict[str, Any]:
    """Medians over the rounds, and how many times as fast ours is."""
    speed = {
        name: statistics.median(row["tokens_per_second"] for row in found)
        for name, found in rows.items()
    }
    facts = machine_facts()
    return {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": facts.cpu_count,
            "memory_bytes": facts.memory_bytes,
            "gpus": [gpu.name for gpu in facts.gpus],
        },
        "software": {"python": platform.python_version()} | _versions(),
        "base_model": asked.random_weights or plan.base_name,
        "random_weights": bool(asked.random_weights),
        "profile": plan.profile,
        "sequence_len": plan.config["sequence_len"],
        "steps": asked.steps,
        "micro_batch": {
            "ours": plan.config["micro_batch_size"],
            "peers": asked.peers_batch or plan.config["micro_batch_size"],
        },
        "packed": bool(plan.config.get("sample_packing")),
        "rounds": asked.rounds,
        "tokens_per_second": {name: round(value, 1) for name, value in speed.items()},
        "peak_memory_bytes": {
            name: max(row["peak_memory_bytes"] for row in found) for name, found in rows.items()
        },
        "ours_to_plain": round(speed["ours"] / speed["plain"], 3),
        "ours_to_axolotl_defaults": round(speed["ours"] / speed["axolotl"], 3),
    }


def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES if find_spec(package)}


if __name__ == "__main__":
    sys.exit(main())
