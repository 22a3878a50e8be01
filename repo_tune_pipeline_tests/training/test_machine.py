import os

import pytest

from repo_tune_pipeline.training import Gpu, MachineFacts, choose_profile, machine_facts

GIB = 1024**3


def test_facts_are_this_machines(tmp_path):
    facts = machine_facts(tmp_path / "not" / "there" / "yet")
    assert facts.cpu_count == len(os.sched_getaffinity(0))
    assert facts.memory_bytes > GIB / 2
    assert facts.disk == tmp_path
    assert facts.free_disk_bytes > 0


def test_gpus_are_read_from_nvidia_smi(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    cards = "echo 'NVIDIA GeForce RTX 4090, 24564, 20000, 8.9'; echo 'Tesla T4, 15360, 15000, 7.5'"
    tool.write_text(f"#!/bin/sh\n{cards}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert machine_facts(tmp_path).gpus == (
        Gpu("NVIDIA GeForce RTX 4090", 24564 * 1024**2, 20000 * 1024**2, 8.9),
        Gpu("Tesla T4", 15360 * 1024**2, 15000 * 1024**2, 7.5),
    )
    old_driver = "case $1 in *compute_cap*) echo 'not a valid field'; exit 2;; esac"
    tool.write_text(f"#!/bin/sh\n{old_driver}\necho 'Tesla T4, 15360, 15000'\n")
    assert machine_facts(tmp_path).gpus == (
        Gpu("Tesla T4", 15360 * 1024**2, 15000 * 1024**2, None),
    )
    tool.write_text("#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    assert machine_facts(tmp_path).gpus == ()


@pytest.mark.parametrize(
    ("gpu_gib", "capability", "cores", "disk_gib", "profile"),
    [
        (79.6, 9.0, 2, 100, "gpu-80gb"),
        (23.9, 8.9, 2, 100, "gpu-24gb"),
        (23.9, None, 2, 100, "gpu-24gb"),
        (23.9, 8.9, 2, 10, "gpu-8gb"),
        (23.9, 8.9, 2, 3, "starter"),
        (15.0, 7.5, 2, 100, "gpu-8gb"),
        (7.6, 8.6, 2, 100, "gpu-8gb"),
        (3.9, 8.6, 2, 100, "starter"),
        (11.9, 5.2, 2, 100, "starter"),
        (11.9, 5.2, 32, 100, "cpu"),
        (0, None, 2, 100, "starter"),
        (0, None, 32, 100, "cpu"),
        (0, None, 32, 1, "starter"),
    ],
)
def test_auto_takes_the_largest_profile_that_gpu_cores_memory_and_disk_allow(
    tmp_path, gpu_gib, capability, cores, disk_gib, profile
):
    memory = int(gpu_gib * GIB)
    gpus = (Gpu("card", memory, memory, capability),) if gpu_gib else ()
    facts = MachineFacts(cores, 64 * GIB, tmp_path, disk_gib * GIB, gpus)
    choice = choose_profile(facts)
    assert choice.profile == profile
    assert ("card" in choice.why) == bool(gpus)
