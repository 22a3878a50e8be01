"""Pure functions on hostile input, run in worker processes that can be killed.

A function that goes through here takes one argument and a context in bytes, and returns one value.
Argument and value are of types that msgspec can carry (dataclasses, tuples, text, bytes, numbers).
Each call has a limit of processor time and of memory. A call that goes over one costs its worker,
and the caller learns which.
"""

from repo_tune_pipeline.pool.parent import Failure, FailureKind, Limits, run_pool

__all__ = ["Failure", "FailureKind", "Limits", "run_pool"]
