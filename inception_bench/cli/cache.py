"""``inception-bench cache``, and what verbs that use the cache do when they end."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from inception_bench.cli.words import Json


def cache(context: typer.Context, json: Json = False) -> None:
    """What lies in the cache, by kind, with the limit and the folder; and `prune`, which makes it smaller."""
    context.obj = json
    if context.invoked_subcommand is not None:
        return
    from inception_bench.report.cache import cache_json, cache_text
    from inception_bench.store.cache import default_root
    from inception_bench.store.housekeeping import look, read_limit

    limit = read_limit()
    held, now = look(default_root()), time.time()
    typer.echo(json_module.dumps(cache_json(held, limit, now), indent=1) if json else cache_text(held, limit, now))


def prune(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option(metavar="SIZE", help="How much may stay: 2GB, 1.5GiB, 0; default: the limit.")
    ] = None,
    json: Json = False,
) -> None:
    """Remove what was not used for longest. What a live process uses stays; exit 1 where that is too much."""
    from inception_bench.report.cache import pruned_json, pruned_line
    from inception_bench.store.cache import default_root
    from inception_bench.store.housekeeping import prune as prune_folder
    from inception_bench.store.housekeeping import wanted_size

    pruned = prune_folder(default_root(), wanted_size(to))
    as_json = json or context.obj
    typer.echo(json_module.dumps(pruned_json(pruned, time.time()), indent=1) if as_json else pruned_line(pruned))
    raise typer.Exit(0 if pruned.reached else 1)


@contextmanager
def kept_small() -> Iterator[None]:
    """Bring the cache under its limit when the work is done; a line on stderr where something was removed."""
    from inception_bench.store.housekeeping import end_run, read_limit

    limit = read_limit()
    yield
    pruned = end_run(limit)
    if pruned is not None:
        from inception_bench.report.cache import pruned_line

        typer.echo(pruned_line(pruned), err=True)
