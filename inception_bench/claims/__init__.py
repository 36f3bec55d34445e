"""The papers' claims: a ledger as data, a measure for each, and what came out."""
