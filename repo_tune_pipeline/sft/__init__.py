"""Chunks and changes → training examples, each derivable from a slice of the source."""

from __future__ import annotations

from repo_tune_pipeline.sft.audit import Audit, audit
from repo_tune_pipeline.sft.dataset import SFT_VERSION, Dataset, build_dataset, describe_funnel
from repo_tune_pipeline.sft.export import FORMS, axolotl_entry, export_dataset
from repo_tune_pipeline.sft.files import SIDE_FILES, load_manifest
from repo_tune_pipeline.sft.lengths import TokenLimit
from repo_tune_pipeline.sft.lines import iterate_examples, read_examples
from repo_tune_pipeline.sft.packs import DomainPack, DomainTopic, load_packs
from repo_tune_pipeline.sft.split import SIDES, Side, split_side
from repo_tune_pipeline.sft.stock import Stock
from repo_tune_pipeline.sft.tasks import TASK_VERSIONS

__all__ = [
    "FORMS",
    "SFT_VERSION",
    "SIDES",
    "SIDE_FILES",
    "TASK_VERSIONS",
    "Audit",
    "Dataset",
    "DomainPack",
    "DomainTopic",
    "Side",
    "Stock",
    "TokenLimit",
    "audit",
    "axolotl_entry",
    "build_dataset",
    "describe_funnel",
    "export_dataset",
    "iterate_examples",
    "load_manifest",
    "load_packs",
    "read_examples",
    "split_side",
]
