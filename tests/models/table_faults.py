"""Tables made wrong in one respect, to see that a test of exactness fails on them."""

from dataclasses import replace

from inception_bench.models.notation import Branch, Conv, Fork, Pool, format_branch
from inception_bench.models.table import Row, Table


def wrong_kernel(table: Table) -> Table:
    """The first k x k kernel above 1x1 inside a module is two cells smaller."""
    return _first(table, _smaller)


def turned_kernel(table: Table) -> Table:
    """The first 1 x n of a module is n x 1."""
    return _first(table, _turned)


def wrong_pool(table: Table) -> Table:
    """The last pool averages for taking the maximum, or the reverse."""
    return _first(table, _other_pool, backwards=True)


def padding_counted(table: Table) -> Table:
    """Average pools count their padding, or do not, as the table does not say."""
    return replace(table, style=replace(table.style, counts_padding=not table.style.counts_padding))


def branch_order(table: Table) -> Table:
    """The first module with two branches of one width has them swapped."""

    def swapped(row: Row) -> Row | None:
        if len(row.branches) < 2 or row.shortcut is not None:
            return None
        first, second, *others = row.branches
        return row.with_branches(second, first, *others)

    return _first_row(table, swapped)


FAULTS = {fault.__name__: fault for fault in (wrong_kernel, turned_kernel, wrong_pool, padding_counted, branch_order)}


def _first(table: Table, change, backwards: bool = False) -> Table:
    def changed(row: Row) -> Row | None:
        for place, branch in enumerate(row.branches):
            new = change(branch) if len(row.branches) > 1 or backwards else None
            if new is not None:
                return row.with_branches(*row.branches[:place], new, *row.branches[place + 1 :])
        return None

    return _first_row(table, changed, backwards)


def _first_row(table: Table, change, backwards: bool = False) -> Table:
    for name in list(table.rows)[:: -1 if backwards else 1]:
        row = change(table.rows[name])
        if row is not None:
            return replace(table, rows={**table.rows, name: row})
    raise AssertionError(f"{table.address} has no such place")


def _smaller(branch: Branch) -> Branch | None:
    for place, step in enumerate(branch):
        if isinstance(step, Conv) and step.kernel in ((3, 3), (5, 5)) and step.padding == "same" and step.stride == 1:
            side = step.kernel[0] - 2
            return (*branch[:place], replace(step, kernel=(side, side)), *branch[place + 1 :])
    return None


def _turned(branch: Branch) -> Branch | None:
    if not any(isinstance(step, Conv) and step.kernel[0] != step.kernel[1] for step in branch):
        return None
    return tuple(replace(step, kernel=step.kernel[::-1]) if not isinstance(step, Fork) else step for step in branch)


def _other_pool(branch: Branch) -> Branch | None:
    for place, step in enumerate(branch):
        if isinstance(step, Pool):
            other = replace(step, kind="avg" if step.kind == "max" else "max")
            return (*branch[:place], other, *branch[place + 1 :])
    return None


def notation(table: Table) -> list[str]:
    """Every branch of a table, to see that a fault changed one."""
    return [format_branch(branch) for row in table.rows.values() for branch in row.branches]
