"""The gate against regressions: compares stored runs, times two installations side by side, tries its own power."""
