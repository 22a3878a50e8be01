"""Chunks → training examples, from facts in the source alone: no language model is asked."""

from __future__ import annotations

from repo_tune_pipeline.sft.dataset import SFT_VERSION, Dataset, build_dataset, describe_funnel
from repo_tune_pipeline.sft.files import load_manifest, read_examples, save_dataset
from repo_tune_pipeline.sft.packs import DomainPack, DomainTopic, load_packs
from repo_tune_pipeline.sft.split import split_side

__all__ = [
    "SFT_VERSION",
    "Dataset",
    "DomainPack",
    "DomainTopic",
    "build_dataset",
    "describe_funnel",
    "load_manifest",
    "load_packs",
    "read_examples",
    "save_dataset",
    "split_side",
]
