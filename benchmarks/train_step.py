"""Does a training step of ours cost more than a plain PyTorch loop over torchvision's inception_v3?

    python benchmarks/train_step.py [--pairs 30] [--threads N] [--batch-size 4] [--limit 1.03]

Both train in this process, on the CPU in fp32, on the same images at 299 pixels, with the aux head
(weight 0.4), SGD with momentum and L2. A pair is one step of each, in drawn order, so that what else
the machine does meets both alike. Exit code 1 where the median ratio is above the limit. Needs the
extra "parity" and a quiet machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from eager_against_references import torchvision_network
from pairs import print_ratio

from inception_bench.data.photographs import fill_batch, parity_images
from inception_bench.models.network import build
from inception_bench.models.public import find_table
from inception_bench.records.statistics import median
from inception_bench.train.job import Machine
from inception_bench.train.machine import make_fabric
from inception_bench.train.optimisers import make_optimiser
from inception_bench.train.recipes import SGD
from inception_bench.train.step import Step

ADDRESS = "inception_v3@torchvision"
RATE, MOMENTUM, L2, AUX_WEIGHT = 0.001, 0.9, 4e-5, 0.4
WARM_UP = 2  # pairs that are not counted

OneStep = Callable[[torch.Tensor, torch.Tensor], float]


def ours() -> OneStep:
    """A step as the training loop runs it, with the loss read as the loop reads it."""
    recipe = replace(SGD, rate=RATE, momentum=MOMENTUM, weight_decay=L2, aux=True)
    network = build(find_table(ADDRESS), aux=True)
    fabric = make_fabric(Machine())
    step = Step(fabric, *fabric.setup(network, make_optimiser(network, recipe)), recipe)
    return lambda images, labels: float(step(images, labels, RATE))


def theirs() -> OneStep:
    """The loop of PyTorch's tutorials."""
    network = torchvision_network("inception_v3").train()
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=L2)
    cross_entropy = torch.nn.CrossEntropyLoss()

    def step(images: torch.Tensor, labels: torch.Tensor) -> float:
        optimiser.zero_grad()
        logits, aux_logits = network(images)
        loss = cross_entropy(logits, labels) + AUX_WEIGHT * cross_entropy(aux_logits, labels)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def seconds(step: OneStep, images: torch.Tensor, labels: torch.Tensor) -> float:
    started = time.perf_counter()
    step(images, labels)
    return time.perf_counter() - started


def measure(batch_size: int, pairs: int) -> tuple[list[float], list[float]]:
    """Seconds of a step, ours and theirs, pair by pair."""
    table = find_table(ADDRESS)
    images = torch.from_numpy(fill_batch(parity_images(table.input_size, table.preprocessing), batch_size))
    labels = torch.arange(batch_size)
    steps = (ours(), theirs())
    found: tuple[list[float], list[float]] = ([], [])
    for pair in range(WARM_UP + pairs):
        for which in random.sample((0, 1), 2):
            taken = seconds(steps[which], images, labels)
            if pair >= WARM_UP:
                found[which].append(taken)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Paired ratio of our training step to a plain loop's.")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--limit", type=float, default=1.03)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    own, other = measure(given.batch_size, given.pairs)
    print_ratio("inception_v3, training step", own, other, "ours over torchvision's")
    return int(median([one / two for one, two in zip(own, other, strict=True)]) > given.limit)


if __name__ == "__main__":
    sys.exit(main())
