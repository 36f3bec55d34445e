"""How all workshops of a run reach the cache: what one of them built or failed to build, the others know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inception_bench.processes.installation import HERE, Installation
from inception_bench.processes.process import CallFailed, Killed
from inception_bench.store.cache import Artifact, ArtifactCache, key_of
from inception_bench.store.versions import NewerVersionError


class NotBuilt(Exception):
    """What was looked up is not in the cache."""


@dataclass
class Builds:
    """Artifacts for those who need them now: from the cache, or built.

    ``failed`` holds by key what is not tried again in this run, and ``fresh`` the keys of what this run built ahead and
    nobody has asked for yet: who first asks is told that it was not there before (``Artifact.cached``), as if it had
    been built then.
    """

    cache: ArtifactCache
    installation: Installation = HERE
    failed: dict[str, CallFailed] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)

    def key(self, kind: str, parts: Mapping[str, Any]) -> str:
        """The key in the cache; what another installation builds has keys of its own."""
        return key_of({"kind": kind, **self._all(parts)})

    def get(
        self, kind: str, parts: Mapping[str, Any], build: Callable[[Path], None], *, once: bool = False
    ) -> Artifact:
        """The artifact of ``parts``. With ``once`` what fails is not tried again in this run.

        Raises CallFailed as ``build`` does, and also where a later revision wrote the entry.
        """
        key = self.key(kind, parts)
        if key in self.failed:
            raise self.failed[key]
        try:
            artifact = self._ask(kind, self._all(parts), build)
        except NewerVersionError as error:
            raise CallFailed("failed", str(error)) from None
        except CallFailed as error:
            if self._is_final(error, once):
                self.failed[key] = error
            raise
        return self._handed_out(artifact)

    def ahead(self) -> Builds:
        """The same for those who build what others will ask for."""
        return BuildsAhead(self.cache, self.installation, self.failed, self.fresh)

    def lookup(self) -> Builds:
        """The same without building: ``get`` raises NotBuilt where the artifact is absent, and reads no large file."""
        return Lookup(self.cache, self.installation, self.failed, self.fresh)

    def _all(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        return {**parts, **self.installation.identity}

    def _ask(self, kind: str, parts: Mapping[str, Any], build: Callable[[Path], None]) -> Artifact:
        return self.cache.get(kind, parts, build)

    def _is_final(self, error: CallFailed, once: bool) -> bool:
        return once

    def _handed_out(self, artifact: Artifact) -> Artifact:
        if artifact.key not in self.fresh:
            return artifact
        self.fresh.discard(artifact.key)
        return replace(artifact, cached=False)


class BuildsAhead(Builds):
    """What fails here fails all who need it, without being tried again: they would wait for the same failure.

    A process that was killed is no such failure. Most often the kernel did that because several builders together
    needed more memory than there is; who needs the artifact builds it again, with nothing beside it.
    """

    def _is_final(self, error: CallFailed, once: bool) -> bool:
        return not isinstance(error, Killed)

    def _handed_out(self, artifact: Artifact) -> Artifact:
        if not artifact.cached:
            self.fresh.add(artifact.key)
        return artifact


class Lookup(Builds):
    """Looks only."""

    def _ask(self, kind: str, parts: Mapping[str, Any], build: Callable[[Path], None]) -> Artifact:
        found = self.cache.find(kind, parts)
        if found is None:
            raise NotBuilt
        return found

    def _handed_out(self, artifact: Artifact) -> Artifact:
        return artifact
