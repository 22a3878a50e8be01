"""Whatever starts them, two trainings of one home follow each other."""

import time
from pathlib import Path

from repo_tune_pipeline.training import prepare_training
from repo_tune_pipeline_tests.training.support import copy_configs, plan, start_worker


def _trainers(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def test_a_second_training_waits_for_the_first(tmp_path, home, dataset, small_model):
    configs = copy_configs(tmp_path / "configs", {"max_steps": 2, "save_steps": 100})
    plans = [
        plan(home, dataset, configs=configs, base_model=str(small_model), variant=variant)
        for variant in ("first", "second")
    ]
    workers = [start_worker(prepare_training(one)) for one in plans]
    trained: set[int] = set()
    deadline = time.monotonic() + 300
    while any(worker.poll() is None for worker in workers):
        assert time.monotonic() < deadline
        training = {worker.pid for worker in workers if _trainers(worker.pid)}
        assert len(training) <= 1
        trained |= training
        time.sleep(0.02)
    for worker, one in zip(workers, plans, strict=True):
        _, stderr = worker.communicate()
        assert worker.returncode == 0, stderr
        assert one.adapter.is_dir()
    assert len(trained) == 2
