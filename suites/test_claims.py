"""What the papers and tutorials claim, each checked on this machine."""


def test_claim(benchmark, claim):
    """The verdict is the one that the ledger expects, with its reason."""
    claim.check(benchmark)
