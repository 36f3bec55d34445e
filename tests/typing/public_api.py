"""A user's file: mypy reads it, nothing runs it. ``assert_type`` states what a checker must see of each public name."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from torch import Tensor, nn

import inception_bench
from inception_bench import Changes, complexity, create_model, list_models, load_checkpoint
from inception_bench.models.complexity import Complexity, RowCost
from inception_bench.models.network import Network
from inception_bench.models.weights.checkpoint import Loaded

assert_type(list_models(), list[str])

network = create_model("inception_v3", num_classes=10, width_mult=0.5, aux=True, changes=Changes(dropout=0.1))
assert_type(network, Network)
assert_type(network.forward(Tensor()), Tensor)
assert_type(network.forward_aux(Tensor()), tuple[Tensor, dict[str, Tensor]])
module: nn.Module = network

cost = complexity("googlenet@bn", input_size=224, width_mult=1.0, num_classes=1000, aux=False)
assert_type(cost, Complexity)
assert_type(cost.params, int)
assert_type(cost.params_without_aux, int)
assert_type(cost.macs, int)
assert_type(cost.rows, tuple[RowCost, ...])
assert_type(cost.rows[0].grid, tuple[int, int])

assert_type(load_checkpoint(network, Path("weights.safetensors")), Loaded)
assert_type(load_checkpoint(network, "weights.pth").untouched, tuple[str, ...])

assert_type(inception_bench.__version__, str)
assert_type(inception_bench.create_model("googlenet"), Network)

# Each of these is a mistake. An ignore that nothing needs is an error under --strict, so it shows that mypy objects.
create_model(5)  # type: ignore[arg-type]
create_model("googlenet", 10)  # type: ignore[call-arg]
complexity("googlenet", size=224)  # type: ignore[call-arg]
inception_bench.creat_model("googlenet")  # type: ignore[attr-defined]
