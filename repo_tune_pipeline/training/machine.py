"""What this machine has, and which profile suits it; asked without importing torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from repo_tune_pipeline.settings import ProfileName

GIB = 1024**3
_NF4_CAPABILITY = 6.0
"""The least compute capability for 4-bit weights (bitsandbytes' installation guide)."""
_QUERY = ("name", "memory.total", "memory.free", "compute_cap")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A CUDA device; `capability` is its compute capability, None where the driver doesn't say."""

    name: str
    memory_bytes: int
    free_bytes: int
    capability: float | None


@dataclass(frozen=True, slots=True)
class _Need:
    """What a profile wants: the GPU's memory (cards have a little less than their name says), and
    disk for its base model's files with room for checkpoints.
    """

    profile: ProfileName
    gpu_bytes: int
    disk_bytes: int


_NEEDS = (
    _Need("gpu-80gb", 70 * GIB, 20 * GIB),
    _Need("gpu-24gb", 20 * GIB, 20 * GIB),
    _Need("gpu-8gb", 7 * GIB, 6 * GIB),
)
_CPU_CORES, _CPU_MEMORY, _CPU_DISK = 16, 24 * GIB, 4 * GIB


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """A profile, and why it."""

    profile: ProfileName
    why: str


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


def choose_profile(facts: MachineFacts) -> ProfileChoice:
    """The largest profile that fits: by the GPU and the disk; without a GPU by cores and memory."""
    able = [gpu for gpu in facts.gpus if (gpu.capability or _NF4_CAPABILITY) >= _NF4_CAPABILITY]
    largest = max(able, key=lambda gpu: gpu.memory_bytes, default=None)
    disk = f"{facts.free_disk_bytes / GIB:.1f} GiB of disk are free"
    if largest is not None:
        device = f"{largest.name} has {largest.memory_bytes / GIB:.1f} GiB"
        for need in _NEEDS:
            if largest.memory_bytes >= need.gpu_bytes and facts.free_disk_bytes >= need.disk_bytes:
                return ProfileChoice(need.profile, f"{device}, {disk}")
        return ProfileChoice("starter", f"{device} and {disk}: too little for a larger base model")
    there = f"{facts.cpu_count} cores, {facts.memory_bytes / GIB:.1f} GiB of memory, {disk}"
    old = ", ".join(gpu.name for gpu in facts.gpus)
    gpu = f"{old} is too old for 4-bit weights" if old else "no GPU"
    patient = facts.cpu_count >= _CPU_CORES and facts.memory_bytes >= _CPU_MEMORY
    fits = patient and facts.free_disk_bytes >= _CPU_DISK
    return ProfileChoice("cpu" if fits else "starter", f"{gpu}, {there}")


def find_gpus() -> tuple[Gpu, ...]:
    """CUDA devices as `nvidia-smi` lists them; none where it is missing or fails.

    CUDA_VISIBLE_DEVICES says which of them are to be used, as for every CUDA program.
    """
    tool, named = shutil.which("nvidia-smi"), os.environ.get("CUDA_VISIBLE_DEVICES")
    if tool is None or named == "":
        return ()
    # Drivers before 510 don't know `compute_cap`, and then say nothing at all.
    return _listed(tool, named, _QUERY) or _listed(tool, named, _QUERY[:-1])


def free_memory() -> int:
    """Bytes of main memory that a new process can have, the control group's limit minded."""
    available = _memory()
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            available = min(available, int(line.split()[1]) * 1024)
    return available


def _listed(tool: str, named: str | None, query: tuple[str, ...]) -> tuple[Gpu, ...]:
    command = [tool, f"--query-gpu={','.join(query)}", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(
            [*command, f"--id={named}"] if named else command,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
        return tuple(_gpu(line, len(query)) for line in listed.strip().splitlines())
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _gpu(line: str, columns: int) -> Gpu:
    name, total, free, *capability = line.rsplit(",", columns - 1)
    mebibyte = 1024**2
    known = float(capability[0]) if capability else None
    return Gpu(name.strip(), int(total) * mebibyte, int(free) * mebibyte, known)


def _memory() -> int:
    """Physical memory, or the control group's limit where that is lower."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return physical
    return min(physical, limit)
