"""Error levels for testing growing data several times (at each look) without more false alarms.

A duet tests after every few pairs of processes and stops as soon as the verdict is clear. With one fixed level, each
look would be another chance of a false alarm. A group-sequential plan divides a total one-sided level among K planned
looks instead: up to a look it spends ``level * (look / K) ** RHO`` (spending functions: Lan and DeMets, Biometrika 70,
1983; this family: Kim and DeMets, Biometrika 74, 1987).

The nominal level of a look is the level of the ordinary test made there. It is chosen so that, where there is no
effect, the probability of crossing the bound at that look for the first time is the share spent at that look. That
probability follows from the joint distribution of the cumulative means, which is integrated look by look (the recursion
of Armitage, McPherson and Rowe, J. R. Stat. Soc. A 132, 1969).

The nominal levels are computed for normal statistics and used for Student's t (the significance level approach:
Jennison and Turnbull, Group Sequential Methods, 2000, section 3.8). Confidence intervals at these levels hold at all
looks together (repeated confidence intervals, chapter 9 of that book).
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
    """The one-sided nominal level of each of ``looks`` equally spaced looks; together they spend ``level``."""
    from scipy.special import ndtr, ndtri

    spent = level * (np.arange(1, looks + 1) / looks) ** RHO
    shares = np.diff(spent, prepend=0.0)
    bounds = [float(-ndtri(shares[0]))]
    # The density of the cumulative sum after each look, over the paths that have not crossed a bound. The unit is the
    # standard deviation of what one look adds.
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
    """The smallest total level at which the nominal one-sided p-value at ``look`` (from 1) of ``looks`` is an alarm."""
    levels, own = _levels_at(looks)
    return float(np.exp(np.interp(np.log(max(nominal, _LEAST_LEVEL)), np.log(own[:, look - 1]), np.log(levels))))


@cache
def _levels_at(looks: int) -> tuple[np.ndarray, np.ndarray]:
    """Total levels, and for each of them a row with the nominal levels of all looks."""
    levels = np.geomspace(_LEAST_LEVEL, 0.49, 40)
    return levels, np.array([nominal_levels(float(level), looks) for level in levels])


def _weights(grid: np.ndarray) -> np.ndarray:
    """The weight of each point of ``grid`` in an integral by the trapezoid rule."""
    weights = np.full(len(grid), grid[1] - grid[0])
    weights[[0, -1]] /= 2
    return weights


def _bound(grid: np.ndarray, density: np.ndarray, share: float) -> float:
    """The sum at the next look that is exceeded with probability ``share``."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    # The probability of crossing a bound as far as 60 underflows to 0, so the bound lies below 60.
    return float(brentq(lambda bound: ndtr(grid - bound) @ density - share, -_EDGE, 60.0))


def _normal(x: np.ndarray) -> np.ndarray:
    """The density of the standard normal distribution."""
    density: np.ndarray = np.exp(-(x**2) / 2) / (2 * np.pi) ** 0.5
    return density
