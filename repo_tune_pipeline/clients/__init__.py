"""Clients of other people's models: one question, one reply, whatever went wrong by name."""

from repo_tune_pipeline.clients.base import Client, Finish, Reply, TryLaterError
from repo_tune_pipeline.clients.connect import connect

__all__ = ["Client", "Finish", "Reply", "TryLaterError", "connect"]
