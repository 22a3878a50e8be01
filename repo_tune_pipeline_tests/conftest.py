import os
import signal

import pytest
from hypothesis import settings

# How long an example takes says what else the machine does.
settings.register_profile("without_deadlines", deadline=None)
settings.load_profile("without_deadlines")

# Set before torch is imported: OpenMP's threads spin while they wait by default, and small models
# then run many times slower on cores that something else shares.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Where the tests run in a shell's background, SIGINT is ignored, and every process that a test
# starts inherits that: Ctrl-C couldn't be tested.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay in one process, since they share what is dear to make; so do all files
    that look at the walk through the whole chain.
    """
    files = [item.nodeid.partition("::")[0] for item in items]
    walked = {
        file
        for file, item in zip(files, items, strict=True)
        if isinstance(item, pytest.Function) and "walk" in item.fixturenames
    }
    for file, item in zip(files, items, strict=True):
        item.add_marker(pytest.mark.xdist_group("walk" if file in walked else file))
