"""``python -m inception_bench.gate.power.neighbour SEED``: another program, which burns one core in bursts."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from inception_bench.processes.installation import HERE

# The seconds that a burst lasts, and the pause after it, are each drawn evenly between these: so half of the time is
# burnt.
SHORTEST_S, LONGEST_S = 0.1, 1.5


@contextmanager
def neighbour(seed: str) -> Iterator[int]:
    """Run the neighbour while the block runs, and yield its process id. It also ends when this process does."""
    command = HERE.module_command("inception_bench.gate.power.neighbour", seed)
    process = subprocess.Popen(command, env=HERE.environment({}), start_new_session=True)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Burn and rest in turn until the parent has gone."""
    draw, parent = random.Random(sys.argv[1]), os.getppid()
    while os.getppid() == parent:
        until = time.monotonic() + draw.uniform(SHORTEST_S, LONGEST_S)
        while time.monotonic() < until:
            sum(range(1000))
        time.sleep(draw.uniform(SHORTEST_S, LONGEST_S))


if __name__ == "__main__":
    main()
