import os

import pytest

from repo_tune_pipeline.training import Gpu, MachineFacts, machine_facts, recommended_profile

GIB = 1024**3


def test_facts_are_this_machines(tmp_path):
    facts = machine_facts(tmp_path / "not" / "there" / "yet")
    assert facts.cpu_count == len(os.sched_getaffinity(0))
    assert facts.memory_bytes > GIB / 2
    assert facts.disk == tmp_path
    assert facts.free_disk_bytes > 0


def test_gpus_are_read_from_nvidia_smi(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA GeForce RTX 4090, 24564'\necho 'NVIDIA T4, 15360'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert machine_facts(tmp_path).gpus == (
        Gpu("NVIDIA GeForce RTX 4090", 24564 * 1024**2),
        Gpu("NVIDIA T4", 15360 * 1024**2),
    )
    tool.write_text("#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    assert machine_facts(tmp_path).gpus == ()


@pytest.mark.parametrize(
    ("gpu_gib", "cores", "profile"),
    [
        (79.6, 2, "gpu-80gb"),
        (23.9, 2, "gpu-24gb"),
        (15.0, 2, "gpu-8gb"),
        (7.6, 2, "gpu-8gb"),
        (3.9, 2, "starter"),
        (0, 2, "starter"),
        (0, 32, "cpu"),
    ],
)
def test_the_profile_follows_the_gpu_memory_and_without_one_the_cores(
    tmp_path, gpu_gib, cores, profile
):
    gpus = (Gpu("card", int(gpu_gib * GIB)),) if gpu_gib else ()
    assert recommended_profile(MachineFacts(cores, 64 * GIB, tmp_path, GIB, gpus)) == profile
