"""Is our eager network as fast as the same network of torchvision or timm?

    python benchmarks/eager_against_references.py [--pairs 30] [--threads N] [--limit 1.02] [NAME ...]

Both run in this process, on the CPU, with the same weights and images, at native size. A pair is one
call of each, in drawn order, so that what else the machine does meets both alike; the figure is the
median over pairs of (our seconds / their seconds) with its bootstrap 95 % interval. Exit code 1 where
a median is above the limit. Needs the extra "parity" and a quiet machine.
"""

import argparse
import random
import statistics
import sys
import time
from types import ModuleType

import torch

from inception_bench.data.photographs import fill_batch, parity_images
from inception_bench.models.network import build
from inception_bench.models.public import find_table
from inception_bench.models.weights.checkpoint import load_tensors
from inception_bench.models.weights.signal import keep_signal

RESAMPLES = 2000
WARM_UP = 3  # pairs that are not counted
KEPT: list[torch.library.Library] = []  # an operator lives as long as its library


def import_torchvision() -> ModuleType:
    """torchvision from the package index is built for CUDA: beside a CPU torch it imports only with these defined."""
    if not hasattr(torch.ops.torchvision, "nms"):
        KEPT.append(torch.library.Library("torchvision", "DEF"))
        KEPT[0].define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        KEPT[0].define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    return torchvision


def torchvision_network(name: str) -> torch.nn.Module:
    return getattr(import_torchvision().models, name)(weights=None, init_weights=False)


def timm_network(name: str) -> torch.nn.Module:
    import_torchvision()
    import timm

    return timm.create_model(name)


REFERENCES = {
    "googlenet@torchvision": ("torchvision", lambda: torchvision_network("googlenet")),
    "inception_v3@torchvision": ("torchvision", lambda: torchvision_network("inception_v3")),
    "inception_v4@timm": ("timm", lambda: timm_network("inception_v4")),
    "inception_resnet_v2": ("timm", lambda: timm_network("inception_resnet_v2")),
}


def seconds(model: torch.nn.Module, batch: torch.Tensor) -> float:
    started = time.perf_counter()
    model(batch)
    return time.perf_counter() - started


def ratios(ours: torch.nn.Module, theirs: torch.nn.Module, batch: torch.Tensor, pairs: int) -> list[float]:
    """Our seconds over theirs, of one call each, a pair a value."""
    found = []
    with torch.inference_mode():
        for pair in range(WARM_UP + pairs):
            if random.random() < 0.5:
                own, other = seconds(ours, batch), seconds(theirs, batch)
            else:
                other, own = seconds(theirs, batch), seconds(ours, batch)
            if pair >= WARM_UP:
                found.append(own / other)
    return found


def interval(values: list[float]) -> tuple[float, float]:
    """The bootstrap's 95 % interval of the median."""
    medians = sorted(statistics.median(random.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES)]


def same_networks(address: str) -> tuple[torch.nn.Module, torch.nn.Module, torch.Tensor]:
    """Ours and theirs with the same weights, and the images."""
    table = find_table(address)
    images = torch.from_numpy(parity_images(table.input_size, table.preprocessing))
    theirs = REFERENCES[address][1]()
    keep_signal(theirs, images[:2])
    ours = build(table)
    load_tensors(ours, theirs.state_dict(), address)
    return ours.eval(), theirs.eval(), images


def main() -> int:
    parser = argparse.ArgumentParser(description="Paired ratio of our eager networks to public ones.")
    parser.add_argument("networks", nargs="*", metavar="NAME", help=f"of {', '.join(REFERENCES)} (default: all)")
    parser.add_argument("--pairs", type=int, default=30, help="counted pairs, at least 30")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--limit", type=float, default=1.02)
    given = parser.parse_args()
    unknown = sorted(set(given.networks) - set(REFERENCES))
    if unknown or given.pairs < 30:
        parser.error(f"unknown network {unknown[0]}" if unknown else "at least 30 pairs are needed")
    torch.set_num_threads(given.threads)
    slow = []
    for address in given.networks or REFERENCES:
        ours, theirs, images = same_networks(address)
        for size in (1, 8):
            batch = torch.from_numpy(fill_batch(images.numpy(), size))
            found = ratios(ours, theirs, batch, given.pairs)
            median, (low, high) = statistics.median(found), interval(found)
            print(
                f"{address} against {REFERENCES[address][0]}, batch {size}, {given.threads} threads: "
                f"median ratio {median:.3f} (95 % {low:.3f} to {high:.3f}, {len(found)} pairs)",
                flush=True,
            )
            slow += [address] if median > given.limit else []
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
