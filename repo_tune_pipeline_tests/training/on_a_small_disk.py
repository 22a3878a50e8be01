"""`python -m … HOME DATASET BASE_MODEL CONFIGS`: fill the disk while a training runs, then free it.

HOME must lie on a file system of its own. Prints one JSON object: how each of the two runs ended.
"""

import json
import shutil
import sys
from pathlib import Path

from repo_tune_pipeline.training import prepare_training
from repo_tune_pipeline_tests.training.support import plan, start_worker, wait_for


def main() -> None:
    home, dataset, base, configs = (Path(argument) for argument in sys.argv[1:])
    made = plan(home, dataset, configs=configs, base_model=str(base))
    plan_file = prepare_training(made)
    worker = start_worker(plan_file)
    out = made.work_dir / "out"
    wait_for(lambda: list(out.glob("checkpoint-*/trainer_state.json")), worker)
    filler = home / "filler"
    fill(filler)
    _, full = worker.communicate(timeout=120)
    left = sorted(str(path.relative_to(home)) for path in made.adapter.parent.glob(".*"))
    filler.unlink()
    again = start_worker(plan_file)
    _, said = again.communicate(timeout=240)
    metrics = (made.adapter / "metrics.jsonl").read_text() if again.returncode == 0 else ""
    result = {
        "full": [worker.returncode, full],
        "left": left,
        "again": [again.returncode, said],
        "losses": [json.loads(line)["loss"] for line in metrics.splitlines()],
        "resumed": json.loads((made.adapter / "run.json").read_text())["resumed_step"],
    }
    sys.stdout.write(json.dumps(result) + "\n")


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(min(1024**2, max(4096, shutil.disk_usage(file.parent).free))))
        except OSError:
            return


if __name__ == "__main__":
    main()
