"""Ablations: a table changed in one respect, as a table. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.models.notation import Conv, Pool
from inception_bench.models.plan import has_norm
from inception_bench.models.table import Row, Table

ACTIVATION_NAMES = ("relu", "sigmoid")
NORM_EPS = 1e-3
# arXiv:1512.00567, Table 2, compares images of 299, 151 and 79 pixels whose map at the modules has the same size (one
# cell more for 79). For 151 the first stride of the stem is left out, and for 79 also the pool that follows. By the
# stem's name the native and the least input size in pixels.
STEMS = {"151": (151, 39), "79": (79, 21)}


@dataclass(frozen=True)
class Changes:
    """What an ablation changes; None leaves the table as it is.

    ``activation`` is ``relu`` or ``sigmoid``. ``batch_norm`` False takes batch normalisation away
    and gives every convolution a bias; True does the reverse (epsilon 1e-3). ``residual_scale``
    replaces the scale of every residual row. ``aux_at`` names the end points whose aux heads stay.
    ``stem`` is ``151`` or ``79``, the pixels of arXiv:1512.00567, Table 2. ``dropout`` replaces the
    share (0 to below 1) that the main classifier drops.
    """

    activation: str | None = None
    batch_norm: bool | None = None
    residual_scale: float | None = None
    aux_at: str | tuple[str, ...] | None = None
    stem: str | None = None
    dropout: float | None = None


def apply_changes(table: Table, changes: Changes) -> Table:
    """The table with the changes made. Raises UsageError for a change that the network cannot take."""
    if changes.activation is not None:
        table = _with_activation(table, changes.activation)
    if changes.batch_norm is not None:
        table = _with_batch_norm(table, changes.batch_norm)
    if changes.residual_scale is not None:
        table = _with_residual_scale(table, changes.residual_scale)
    if changes.aux_at is not None:
        table = _with_aux_at(table, changes.aux_at)
    if changes.stem is not None:
        table = _with_stem(table, changes.stem)
    if changes.dropout is not None:
        table = _with_dropout(table, changes.dropout)
    return table


def _with_activation(table: Table, activation: str) -> Table:
    if activation not in ACTIVATION_NAMES:
        raise UnknownNameError("activation", activation, ACTIVATION_NAMES)
    return replace(table, style=replace(table.style, activation=activation))


def _with_batch_norm(table: Table, batch_norm: bool) -> Table:
    full = Conv((1, 1), 1)
    if has_norm(full, table.style) == batch_norm:
        return table
    eps = NORM_EPS if batch_norm else None
    return replace(table, style=replace(table.style, norm_eps=eps, bias=not batch_norm))


def _with_residual_scale(table: Table, scale: float) -> Table:
    if all(row.scale is None for row in table.rows.values()):
        raise UsageError(f"{table.address} has no scaled residual rows; leave residual_scale out")

    def rescaled(row: Row) -> Row:
        return row if row.scale is None else row.with_branches(*row.branches, scale=float(scale))

    return replace(table, rows={name: rescaled(row) for name, row in table.rows.items()})


def _with_aux_at(table: Table, aux_at: str | tuple[str, ...]) -> Table:
    wanted = (aux_at,) if isinstance(aux_at, str) else aux_at
    known = [aux.at for aux in table.aux]
    for name in wanted:
        if name not in known:
            raise UnknownNameError(f"aux head of {table.address}", name, known or ["none"])
    return replace(table, aux=tuple(aux for aux in table.aux if aux.at in wanted))


def _with_stem(table: Table, stem: str) -> Table:
    if stem not in STEMS:
        raise UnknownNameError("stem", stem, STEMS)
    names = list(table.rows)
    first, pool = names[0], next((name for name in names if _lone_pool(table.rows[name])), None)
    step = table.rows[first].branches[0][0]
    if pool is None or step != Conv((3, 3), 32, 2, "valid"):
        raise UsageError(f"{table.address}: stem {stem!r} needs a stem that begins 3x3/2V:32 and has a pool of its own")
    rows = {**table.rows, first: table.rows[first].with_branches("3x3V:32", printed="")}
    if stem == "79":
        rows = {name: row for name, row in rows.items() if name != pool}
    size, least = STEMS[stem]
    return replace(table, rows=rows, input_size=size, least_input=least)


def _lone_pool(row: Row) -> bool:
    return len(row.branches) == 1 and isinstance(row.branches[0][0], Pool)


def _with_dropout(table: Table, dropout: float) -> Table:
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout {dropout} is not possible; give a share from 0 to below 1")
    hidden = dropout if table.head.hidden_dropout else 0.0
    return replace(table, head=replace(table.head, dropout=dropout, hidden_dropout=hidden))
