"""What this machine has, and which profile suits it; asked without importing torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from repo_tune_pipeline.settings import ProfileName

_GIB = 1024**3
_PROFILES: tuple[tuple[int, ProfileName], ...] = (
    (70 * _GIB, "gpu-80gb"),
    (20 * _GIB, "gpu-24gb"),
    (7 * _GIB, "gpu-8gb"),
)
"""The least GPU memory for a profile; cards have a little less than their name says."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A CUDA device."""

    name: str
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Cores and memory that this process may use, free disk at `disk`, CUDA devices."""

    cpu_count: int
    memory_bytes: int
    disk: Path
    free_disk_bytes: int
    gpus: tuple[Gpu, ...]


def machine_facts(disk: Path | None = None) -> MachineFacts:
    """Look at this machine; `disk` is a folder on the disk in question (default: the working one).

    A folder that doesn't exist yet counts as the nearest one above it that does.
    """
    folder = (disk or Path.cwd()).absolute()
    while not folder.exists():
        folder = folder.parent
    return MachineFacts(
        cpu_count=len(os.sched_getaffinity(0)),
        memory_bytes=_memory(),
        disk=folder,
        free_disk_bytes=shutil.disk_usage(folder).free,
        gpus=find_gpus(),
    )


def recommended_profile(facts: MachineFacts) -> ProfileName:
    """The largest profile that fits: by the GPU's memory; without one by cores and memory."""
    largest = max((gpu.memory_bytes for gpu in facts.gpus), default=0)
    for least, profile in _PROFILES:
        if largest >= least:
            return profile
    patient = facts.cpu_count >= 16 and facts.memory_bytes >= 24 * _GIB
    return "cpu" if patient else "starter"


def find_gpus() -> tuple[Gpu, ...]:
    """CUDA devices as `nvidia-smi` lists them; none where it is missing or fails."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        listed = subprocess.run(
            [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
        rows = [line.rsplit(",", 1) for line in listed.strip().splitlines()]
        return tuple(Gpu(name.strip(), int(mebibytes) * 1024**2) for name, mebibytes in rows)
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _memory() -> int:
    """Physical memory, or the control group's limit where that is lower."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return physical
    return min(physical, limit)
