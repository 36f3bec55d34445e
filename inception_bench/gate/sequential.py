"""How often one may look: error levels of repeated looks at growing data.

Looking after every pair of processes and stopping when it suits would multiply false alarms. The looks here are those
of a group-sequential plan: of a total level (one-sided) a share is spent at each of K planned looks, by the spending
function ``level * (look / K) ** RHO`` (Lan and DeMets, Biometrika 70, 1983; this family: Kim and DeMets, Biometrika
74, 1987). The nominal level of a look is the one at which, under no effect, the chance to cross there for the first
time is the share spent there; it follows from the joint distribution of the cumulative means, by the recursion of
Armitage, McPherson and Rowe (J. R. Stat. Soc. A 132, 1969). Nominal levels made for normal statistics are used on
Student's (significance level approach; Jennison and Turnbull, Group Sequential Methods, 2000, section 3.8), and
intervals at these levels hold at all looks together (their chapter 9, repeated confidence intervals).
"""

from __future__ import annotations

from functools import cache

import numpy as np

RHO = 0.6
_GRID = 201
_EDGE = 8.0
_LEAST_LEVEL = 1e-9


@cache
def nominal_levels(level: float, looks: int) -> tuple[float, ...]:
    """For each of ``looks`` equally spaced looks its own one-sided level, which together spend ``level``."""
    from scipy.special import ndtr, ndtri

    spent = level * (np.arange(1, looks + 1) / looks) ** RHO
    shares = np.diff(spent, prepend=0.0)
    bounds = [float(-ndtri(shares[0]))]
    # The density of the sum after each look, in units of one look's deviation, of paths that never crossed.
    grid = np.linspace(-_EDGE, bounds[0], _GRID)
    density = _normal(grid) * _weights(grid)
    for look in range(2, looks + 1):
        bound = _bound(grid, density, float(shares[look - 1]))
        bounds.append(bound / look**0.5)
        step = np.linspace(-_EDGE * look**0.5, bound, _GRID)
        density = (_normal(step[:, None] - grid[None]) @ density) * _weights(step)
        grid = step
    return tuple(float(ndtr(-bound)) for bound in bounds)


def sequential_p(nominal: float, look: int, looks: int) -> float:
    """The least total level at which a nominal one-sided p at ``look`` (from 1) of ``looks`` would have crossed."""
    levels, own = _levels_at(looks)
    return float(np.exp(np.interp(np.log(max(nominal, _LEAST_LEVEL)), np.log(own[:, look - 1]), np.log(levels))))


@cache
def _levels_at(looks: int) -> tuple[np.ndarray, np.ndarray]:
    """Total levels, and for each the nominal levels of all looks (rows)."""
    levels = np.geomspace(_LEAST_LEVEL, 0.49, 40)
    return levels, np.array([nominal_levels(float(level), looks) for level in levels])


def _weights(grid: np.ndarray) -> np.ndarray:
    """The trapezoid rule's."""
    weights = np.full(len(grid), grid[1] - grid[0])
    weights[[0, -1]] /= 2
    return weights


def _bound(grid: np.ndarray, density: np.ndarray, share: float) -> float:
    """The sum at the next look that is exceeded with probability ``share``."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    # Far bounds underflow to nothing; nobody crosses there.
    return float(brentq(lambda bound: ndtr(grid - bound) @ density - share, -_EDGE, 60.0))


def _normal(x: np.ndarray) -> np.ndarray:
    """The density of the standard normal distribution."""
    density: np.ndarray = np.exp(-(x**2) / 2) / (2 * np.pi) ** 0.5
    return density
