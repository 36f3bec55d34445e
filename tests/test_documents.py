"""The documents say what the code does: columns, options, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inception_bench.plugin.session import OPTIONS
from inception_bench.report.board import COLUMNS
from inception_bench.spec.profile import PROFILES
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PAGES = sorted((ROOT / "docs").glob("*.md"))
# Files that a contributor is about to write.
NEW = ("inception_bench/models/tables/", "inception_bench/backends/", "inception_bench/data/")


def test_readme_explains_every_column_and_no_other():
    section = README.split("### What each column")[1].split("\n## ")[0]
    named = re.findall(
        r"`([a-z0-9_]+)`", "\n".join(line.split("|")[1] for line in section.splitlines() if line[:3] == "| `")
    )
    assert tuple(named) == COLUMNS


def test_readme_explains_every_option_and_profile():
    section = README.split("## Options")[1]
    assert set(re.findall(r"`--inception-([a-z-]+)`", section)) == set(OPTIONS)
    assert all(f"`{name}`" in section for name in PROFILES)


def test_ci_runs_the_commands_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    commands = re.findall(r"```bash\n(.*?)\n```", README, re.DOTALL)
    assert len(commands) == 2
    main, tests = ([part.split("/bin/")[-1] for part in command.split(" && ")[1:]] for command in commands)
    assert all(step in script for step in tests)
    # The main command runs in the tests' environment, which holds all that it needs and more.
    assert tests[0] == main[0].replace(" .", " '.[dev,parity,openvino,tensorrt-rtx]'")
    assert main[-1] in script


def test_each_way_of_contributing_ends_in_one_command():
    for title in ("Add a model", "Add a backend", "Add a data set", "Add a recipe", "Add a measure", "Add a claim"):
        section = CONTRIBUTING.split(f"## {title}\n")[1].split("\n## ")[0].strip()
        steps = re.findall(r"^(\d)\. ", section, re.MULTILINE)
        assert steps == [str(number + 1) for number in range(len(steps))]
        assert re.search(r"\d\. Run `pytest [^`]+`$", section), title


def test_every_file_that_contributing_names_exists():
    for name in set(re.findall(r"`((?:\w+/)*\w+\.py)`", CONTRIBUTING)) - {f"{where}NAME.py" for where in NEW}:
        places = [ROOT / name, ROOT / "inception_bench" / name]
        assert any(place.exists() for place in places), name


def links(page: Path) -> list[str]:
    """What a page links to within this repository, as it is written there."""
    return re.findall(r"\]\(((?!https?:)[^)\s]+)\)", page.read_text())


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page are linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_to_a_heading(page: Path):
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_links_to_every_page():
    assert {f"docs/{page.name}" for page in PAGES} <= set(links(ROOT / "README.md"))


def test_contributing_links_to_the_pages_that_must_follow_the_code():
    wanted = {"docs/api.md", "docs/records.md", "docs/backends.md"}
    assert wanted <= {link.partition("#")[0] for link in links(ROOT / "CONTRIBUTING.md")}
