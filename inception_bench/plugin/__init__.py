"""The pytest plug-in. pytest finds its hooks and fixtures among the names of this module."""

from inception_bench.plugin.fixtures import (
    cell,
    claim,
    network,
    pair,
    regression,
    trained_cell,
    training,
    training_step,
)
from inception_bench.plugin.hooks import (
    pytest_addoption,
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_generate_tests,
    pytest_report_collectionfinish,
    pytest_report_teststatus,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_unconfigure,
)

__all__ = [
    "cell",
    "claim",
    "network",
    "pair",
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_report_collectionfinish",
    "pytest_report_teststatus",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_unconfigure",
    "regression",
    "trained_cell",
    "training",
    "training_step",
]
