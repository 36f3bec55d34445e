"""Every network that can be asked for by name: built-in tables, and those of installed packages. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from inception_bench.errors import EntryPointError, UnknownNameError, UsageError
from inception_bench.models.changes import Changes, apply_changes
from inception_bench.models.table import Table
from inception_bench.models.tables import (
    baselines,
    bn_inception,
    googlenet,
    googlenet_naive,
    googlenet_uniform,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_v2,
    inception_v3,
    inception_v4,
)
from inception_bench.models.tables.arm_tables import ARM, arm_tables
from inception_bench.models.tables.factorisations import MODULE, module_tables

if TYPE_CHECKING:
    from inception_bench.models.network import Network

GROUP = "inception_bench.models"

# In the order of the papers.
INCEPTIONS: tuple[Table, ...] = (
    googlenet.GOOGLENET,
    googlenet.GOOGLENET_BN,
    googlenet.GOOGLENET_TORCHVISION,
    googlenet_naive.GOOGLENET_NAIVE,
    googlenet_naive.GOOGLENET_NAIVE_PROJECTION,
    googlenet_uniform.GOOGLENET_UNIFORM,
    googlenet_uniform.GOOGLENET_UNIFORM_PRINTED,
    bn_inception.BN_INCEPTION,
    bn_inception.BN_INCEPTION_CADENE,
    inception_v2.INCEPTION_V2,
    inception_v2.INCEPTION_V2_STEM7X7,
    inception_v3.INCEPTION_V3,
    inception_v3.INCEPTION_V3_TORCHVISION,
    inception_v3.INCEPTION_V3_FID,
    inception_v4.INCEPTION_V4,
    inception_v4.INCEPTION_V4_TIMM,
    inception_resnet_v1.INCEPTION_RESNET_V1,
    inception_resnet_v1.INCEPTION_RESNET_V1_FACENET,
    inception_resnet_v2.INCEPTION_RESNET_V2,
    inception_resnet_v2.INCEPTION_RESNET_V2_PAPER,
)
REFERENCES: tuple[Table, ...] = (baselines.ALEXNET, baselines.VGG16, baselines.RESNET50, baselines.RESNET152)
# A package's entry point names one Table or a tuple of them, as this package's own entry point does.
BUILT_IN: tuple[Table, ...] = INCEPTIONS + REFERENCES
# The entry point of pyproject.toml once more, so that its tables are known where the package is not installed.
OWN = EntryPoint("built_in", f"{__name__}:BUILT_IN", GROUP)

# By the beginning of their addresses, the tables that stand in no list.
UNLISTED: dict[str, Callable[[], dict[str, Table]]] = {MODULE: module_tables, ARM: arm_tables}

# "all" means the nine; the baselines are asked for by name.
NINE: tuple[str, ...] = tuple(table.name for table in INCEPTIONS if not table.definition)
BASELINES: tuple[str, ...] = tuple(table.name for table in REFERENCES)


@cache
def tables() -> dict[str, Table]:
    """Every known table by its address (``name`` or ``name@definition``).

    Raises EntryPointError for an entry point of a package that leads nowhere, and UsageError for one that names
    something else than tables, or a table whose address is taken.
    """
    by_address: dict[str, Table] = {}
    for point in dict.fromkeys((OWN, *entry_points(group=GROUP))):
        try:
            named = point.load()
        except (ImportError, AttributeError) as error:
            raise EntryPointError(point, error) from None
        for table in named if isinstance(named, (tuple, list)) else (named,):
            if not isinstance(table, Table):
                raise UsageError(
                    f"entry point {point.name!r} of group {GROUP} is no Table; point it at a Table or at several"
                )
            # The same table may come twice: the installed package can be older than the one entry point for all.
            if by_address.setdefault(table.address, table) is not table:
                raise UsageError(f"model {table.address!r} of entry point {point.value!r} exists already; rename it")
    return by_address


def list_models() -> list[str]:
    """The names of all networks, without their other definitions."""
    return [address for address, table in tables().items() if not table.definition]


def list_definitions() -> list[str]:
    """Every address: each name and each ``name@definition``."""
    return list(tables())


def find_table(address: str) -> Table:
    """The table of ``name`` or ``name@definition``.

    Tables that stand in no list are found too: a single module (``module.NAME@MAP``), a proxy's arm
    (``arm.NAME@DEFINITION``).

    Raises UnknownNameError with the nearest name, or with that network's definitions where only
    the definition is unknown.
    """
    unlisted = next((known for start, known in UNLISTED.items() if address.startswith(start)), None)
    known = tables() if unlisted is None else unlisted()
    if address in known:
        return known[address]
    name, _, definition = address.partition("@")
    if name in known:
        definitions = [table.definition for table in known.values() if table.name == name and table.definition]
        if not definitions:
            raise UsageError(f"{name} has one definition only; write {name!r} without {'@' + definition!r}")
        raise UnknownNameError(f"definition of {name}", definition, definitions)
    raise UnknownNameError("model", address, known if definition else list_models())


def create_model(
    name: str,
    *,
    num_classes: int = 1000,
    width_mult: float = 1.0,
    aux: bool = False,
    changes: Changes | None = None,
) -> Network:
    """Build ``name`` or ``name@definition``, randomly initialised, in training mode like any module.

    ``width_mult`` scales every filter count (``max(int(n * width_mult), 16)``); ``changes`` alters
    the table for an ablation. Works under ``torch.device("meta")``. Raises UsageError for an unknown
    name, and ValueError where aux heads are asked of a network that has none.
    """
    from inception_bench.models.network import build

    table = find_table(name)
    if changes is not None:
        table = apply_changes(table, changes)
    return build(table, num_classes=num_classes, width_mult=width_mult, aux=aux)
