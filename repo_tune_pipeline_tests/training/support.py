"""Data sets, configurations and workers for the tests of training."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.settings import TrainingSettings, VariantSettings
from repo_tune_pipeline.training import TrainingPlan, plan_training

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
PYTHON = sys.executable


def write_dataset(folder: Path, count: int = 48) -> Path:
    """A data set as the previous stage leaves it, of `count` examples from two repositories."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(index) for index in range(count)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "sft.jsonl").write_text(text, encoding="utf-8")
    (folder / "manifest.json").write_text(
        json.dumps({"counts": {"train": count}}), encoding="utf-8"
    )
    return folder


def _row(index: int) -> dict:
    name = f"function_{index}"
    language = ("Python", "Rust")[index % 2]
    task = ("code_completion", "documentation", "code_explanation")[index % 3]
    return {
        "instruction": f"Complete the {language} function {name}.",
        "input": f"def {name}(value):\n    # <|im_end|> is text here\n",
        "output": f"    return value + {index}\n",
        "meta": {
            "id": str(index),
            "task": task,
            "repo": ("team/one", "team/two")[index % 2],
            "commit": ("1" * 40, "2" * 40)[index % 2],
            "path": f"src/{name}.py",
            "start_line": 1,
            "end_line": 3,
            "symbol": name,
            "language": language,
            "license": "MIT",
            "origin": "source",
            "chunk_id": str(index),
        },
    }


def copy_configs(folder: Path, profile: dict | None = None, recipe: dict | None = None) -> Path:
    """This checkout's configs/, with some keys of the recipe or the starter profile changed."""
    shutil.copytree(CONFIGS, folder)
    for file, changes in (("profiles/starter.yaml", profile), ("axolotl.yaml", recipe)):
        if changes:
            values = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
            text = yaml.safe_dump({**values, **changes})
            (folder / file).write_text(text, encoding="utf-8")
    return folder


def plan(
    home: Path,
    dataset: Path,
    *,
    configs: Path = CONFIGS,
    variant: str = "main",
    filter: VariantSettings | None = None,
    **settings,
) -> TrainingPlan:
    """A plan without replay, unless `settings` ask for it: its rows are the data set's."""
    return plan_training(
        dataset=dataset,
        variant=variant,
        filter=filter or VariantSettings(),
        settings=TrainingSettings(**{"replay": 0, **settings}),
        configs=configs,
        home=Home(home),
    )


def start_worker(plan_file: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [PYTHON, "-m", "repo_tune_pipeline.training.worker", str(plan_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def child_of(process: subprocess.Popen) -> int:
    """The process id of the trainer that a worker started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return wait_for(lambda: [int(pid) for pid in children.read_text().split()], process)[0]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and wasn't waited for yet doesn't."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for(condition, process: subprocess.Popen | None = None, seconds: float = 180):
    """What `condition` gives as soon as it is true, while `process` runs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        if process is not None and process.poll() is not None:
            raise AssertionError(f"The worker ended: {process.communicate()}")
        time.sleep(0.05)
    raise AssertionError("It took too long.")


def processes_in(folder: Path) -> list[int]:
    """Living processes that work in a folder or below."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                place = (entry / "cwd").readlink()
            except OSError:
                continue
            if place.is_relative_to(folder) and is_alive(int(entry.name)):
                found.append(int(entry.name))
    return found
