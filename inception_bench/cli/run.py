"""``inception-bench run``: the main job without a checkout, the session of ``pytest suites/ --benchmark-only``.

pytest takes its settings from where it is started and from where the tests lie. Neither is the user's choice here (the
suites lie among the installed packages, perhaps inside a project), so it is told all of them: no configuration file and
no conftest.py is read, and tests have the same names as in a checkout. Whoever wants more says it on the command line
(``-c FILE``, ``-p MODULE``, ``-o NAME=VALUE``), as what comes later wins.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inception_bench.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pytest

PACKAGE = Path(__file__).resolve().parents[1]
HELP = """Usage: inception-bench run [SUITE]... [OPTION]...

Run the suites, or the named ones: {names}.
It is the session of "pytest suites/ --benchmark-only": the results go to results/local in the present folder, and the
exit code is pytest's (0 all fine, 1 a test failed, 2 interrupted, 4 wrong usage, 5 nothing to run).

A suite is a name from the list, a path as in a checkout (suites/test_latency.py), or either with a test behind it
(latency::test_latency[...]). All options go to pytest as they are: those below, and pytest's and pytest-benchmark's
own ("pytest --help"). pytest reads no pytest.ini, pyproject.toml or conftest.py: name a configuration file with -c, a
plug-in with -p, a setting with -o.

  inception-bench run --inception-profile=smoke
  inception-bench run latency --inception-models=googlenet --inception-backends=onnxruntime
"""


def run(arguments: Annotated[list[str] | None, typer.Argument(metavar="[SUITE]... [OPTION]...")] = None) -> None:
    """Run the benchmark, or the suites that are named: "pytest suites/ --benchmark-only" without a checkout."""
    import pytest

    given, suites = arguments or [], suites_folder()
    if not {"-h", "--help"}.isdisjoint(given):
        typer.echo(help_text(suites))
        return
    raise typer.Exit(int(pytest.main([*settings(suites), "--benchmark-only", *given], plugins=[Chosen(suites)])))


def suites_folder() -> Path:
    """Where the suites lie: inside the package once it is installed, beside it in the sources.

    Raises UsageError where they are in neither place.
    """
    for folder in (PACKAGE / "suites", PACKAGE.parent / "suites"):
        if (folder / "test_latency.py").is_file():
            return folder
    raise UsageError(f"{PACKAGE} holds no suites; install inception-bench again")


def settings(suites: Path) -> list[str]:
    """What pytest would else take from files of the present folder, or from those around the installed packages."""
    return [
        # An entry point by its name, or the module where nothing is installed; pytest loads neither a second time.
        "-p", "inception_bench.plugin",
        # By its entry point's name too, as a user may have switched off that pytest loads what is installed.
        "-p", "benchmark",
        "-c", os.devnull,
        "--noconftest",
        # Names of tests start here: suites/test_latency.py::..., by which pytest-benchmark finds earlier ones.
        f"--rootdir={suites.parent}",
        # Folders above that are packages would be imported, the project's too where its environment lies inside it.
        f"--confcutdir={suites}",
        # By default it is in the root folder, where the installed packages are.
        "-o", f"cache_dir={Path.cwd() / '.pytest_cache'}",
        # As in pyproject.toml: cells write a line each with their own count.
        "-o", "console_output_style=classic",
        # This program is part of what pytest would rewrite; it has no assertion to explain.
        "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
    ]  # fmt: skip


def help_text(suites: Path) -> str:
    """How ``run`` is used, and of pytest's own help the options that inception_bench adds."""
    import pytest

    with redirect_stdout(io.StringIO()) as written:
        pytest.main([*settings(suites), "--help"])
    # A group of options is a title at the left edge with indented lines below it.
    groups = re.split(r"\n+(?=\S)", written.getvalue())
    ours = [group for group in groups if group.startswith("inception_bench (")]
    return "\n\n".join([HELP.format(names=", ".join(files_of(suites))).rstrip(), *ours])


def files_of(suites: Path) -> dict[str, Path]:
    """The file of each suite by its name: ``latency`` is ``test_latency.py``."""
    return {path.stem.removeprefix("test_"): path for path in sorted(suites.glob("test_*.py"))}


def collected(words: Sequence[str], suites: Path) -> list[str]:
    """What pytest collects for the words that are no options: all suites where there is no word.

    A suite comes before a file of the present folder with the same name. Raises UnknownNameError for what is neither.
    """
    files = files_of(suites)
    known = {**files, **{f"suites/{path.name}": path for path in files.values()}, "suites": suites, "suites/": suites}
    paths = []
    for word in words or ["suites"]:
        name, *test = word.partition("::")
        if name not in known and not Path(name).exists():
            raise UnknownNameError("suite", name, files)
        paths.append(str(known.get(name, name)) + "".join(test))
    return paths


class Chosen:
    """A plug-in of this session. Only pytest can tell which words are its paths and which are values of options."""

    def __init__(self, suites: Path):
        self.suites = suites

    def pytest_configure(self, config: pytest.Config) -> None:
        """Replace names of suites by their files."""
        import pytest

        try:
            config.args = collected(config.getoption("file_or_dir"), self.suites)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
