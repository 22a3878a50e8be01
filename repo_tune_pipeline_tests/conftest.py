import os

# Set before torch is imported: OpenMP's threads spin while they wait by default, and small models
# then run many times slower on cores that something else shares.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
