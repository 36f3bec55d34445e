"""``training.md``: mean and spread over seeds, worked out by hand."""

from inception_bench.records.record import Run
from inception_bench.report.training import training_page

RUN = Run("r1", "2016-01-01T00:00:00+00:00", "train", {
    "cpu": "a CPU", "usable_cores": 2, "memory_bytes": 2**33, "python": "3.11", "packages": {}, "git_revision": None,
})  # fmt: skip


def row(model: str, seed: int, top1: float) -> dict[str, str]:
    return {
        "model": model, "recipe": "quick", "scale": "w0.25-80px", "dataset": "digits", "seed": str(seed), "epochs": "8",
        "train_s": "60", "images_s": "150", "top1": f"{top1}", "top1_ci95_low": f"{top1 - 0.01}",
        "top1_ci95_high": f"{top1 + 0.01}", "top5": "1.0", "checkpoint": "x",
    }  # fmt: skip


def test_seeds_have_a_mean_and_a_spread():
    """0.90, 0.96, 0.93: mean 0.93; deviations of 0.03 squared, over two: 0.03."""
    page = training_page([row("a", seed, top1) for seed, top1 in enumerate((0.90, 0.96, 0.93))], RUN)
    assert "| a | quick | w0.25-80px | digits | 3 | 0.9300 | 0.0300 | 0.9000 | 0.9600 |" in page


def test_one_seed_has_none_and_a_training_that_diverged_no_row():
    page = training_page([row("a", 0, 0.9), {**row("b", 0, 0.9), "top1": ""}], RUN)
    assert "| a |" in page
    assert "| b |" not in page
    assert "standard deviation" not in page
