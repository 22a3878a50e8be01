"""Loading torch and transformers without their noise, and without a word to a network."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager

_ENVIRONMENT = {
    # The models are on this machine: nothing is fetched or told while they are asked.
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "USE_HUB_KERNELS": "NO",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    # OpenMP's threads spin while they wait by default, which starves whatever shares the cores.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def stay_offline() -> None:
    """Set what the libraries read as they are imported, unless the user set it: call it before."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


@contextmanager
def quietly() -> Generator[None]:
    """Without the libraries' warnings: about optional parts that aren't there, and lengths."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
