"""What pyproject.toml cannot say: the suites lie beside the package in the sources, and inside it once installed.

``pytest suites/`` runs them from a checkout, ``inception-bench run`` from an installed package; there is one copy.
"""

from setuptools import find_namespace_packages, setup

setup(
    # A folder without __init__.py counts too: the claims' ledger lies in one.
    packages=[*find_namespace_packages(include=["inception_bench", "inception_bench.*"]), "inception_bench.suites"],
    package_dir={"inception_bench.suites": "suites"},
)
