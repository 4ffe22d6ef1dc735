"""How long to wait at most, in seconds. Every wait ends as soon as what it waits for has happened; the bounds are only there so
that a broken daemon fails its test. RETINUE_SLOW is a factor on all of them; RETINUE_WRAP is a command put before the daemon,
such as valgrind, which slows it down too.
"""
import os
import shlex

WRAP = shlex.split(os.environ.get("RETINUE_WRAP", ""))
SLOW = float(os.environ.get("RETINUE_SLOW", "5" if WRAP else "1"))

START_BOUND = 20 * SLOW
STOP_BOUND = 30 * SLOW
WAIT_BOUND = 10 * SLOW
