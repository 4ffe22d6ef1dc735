"""How long to wait at most, in seconds. Every wait ends as soon as what it waits for has happened; the bounds are only there so
that a broken daemon fails its test. RETINUE_SLOW is a factor on all of them; RETINUE_WRAP is a command put before the daemon,
such as valgrind, which slows it down too.

A machine may stand still for a moment at any place, the tests and the daemon with it. So what has to be in time here is given
seconds, and what the daemon has to do by itself may take it as long as these bounds. Where something must not happen too early,
the time is taken before the last thing from which the daemon may count.
"""
import os
import shlex

WRAP = shlex.split(os.environ.get("RETINUE_WRAP", ""))
SLOW = float(os.environ.get("RETINUE_SLOW", "5" if WRAP else "1"))

START_BOUND = 60 * SLOW
STOP_BOUND = 60 * SLOW
WAIT_BOUND = 30 * SLOW
