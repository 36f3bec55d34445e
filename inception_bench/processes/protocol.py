"""Which calls a worker answers, as a number: ``start`` carries it both ways, so that two revisions know of each other.

1: all revisions whose ``start`` answers no version. Not all of them know of another state of a GPU's second-level
   cache than warm (``l2`` of ``begin``), and which do cannot be told.
2: ``begin`` takes any state of that cache.

A field or a verb that older workers do not know needs a new number here, and a line in ``measure/engine.py`` on what
an older worker is asked instead. Standard library only, as other interpreters import this.
"""

from __future__ import annotations

PROTOCOL = 2
OLDEST_PROTOCOL = 1
