import os
import signal

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
