"""The version of the calls that a worker knows. ``start`` sends it in call and reply, so that both processes know it.

1: all revisions of the package whose reply to ``start`` has no version. Some of them can time with a GPU's second-level
   cache in another state than warm (``l2`` of ``begin``), but there is no telling which.
2: ``begin`` takes any state of that cache.

A field or a verb that older workers do not know needs a new number here, and a line in ``measure/engine.py`` on what
an older worker is asked instead. Standard library only, as other interpreters import this.
"""

from __future__ import annotations

PROTOCOL = 2
OLDEST_PROTOCOL = 1
