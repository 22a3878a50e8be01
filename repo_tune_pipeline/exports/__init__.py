"""An adapter version for other tools: a folder for PEFT, merged weights, a place on a hub."""

from repo_tune_pipeline.exports.adapter import export_adapter
from repo_tune_pipeline.exports.hub import push_folder
from repo_tune_pipeline.exports.merged import export_merged
from repo_tune_pipeline.exports.version import AdapterVersion, find_version

__all__ = ["AdapterVersion", "export_adapter", "export_merged", "find_version", "push_folder"]
