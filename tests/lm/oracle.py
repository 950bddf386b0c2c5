"""The figures of a corpus, at 60 digits, by their definitions and nothing of the package."""

from collections import defaultdict

import mpmath

UNITS = {"token": None, "byte": "bytes", "word": "words", "character": "characters"}


def figures(rows, unit="bit"):
    """Give cost and perplexity by unit of text, and the documents' costs, of dicts of rows."""
    with mpmath.workdps(60):
        base = {"nat": mpmath.mpf(1), "bit": mpmath.log(2), "hartley": mpmath.log(10)}[unit]
        scored = [row for row in rows if row["logprob"] is not None]
        nats = mpmath.fsum(-mpmath.mpf(row["logprob"]) for row in scored)
        found = {"surprisal": nats / base}
        for of, column in UNITS.items():
            count = len(scored) if column is None else sum(row[column] for row in scored)
            found[f"cross_entropy_per_{of}"] = nats / base / count
            found[f"perplexity_per_{of}"] = mpmath.exp(nats / count)
        documents = defaultdict(lambda: [mpmath.mpf(0), 0])
        for row in scored:
            documents[row["doc"]][0] -= mpmath.mpf(row["logprob"]) / base
            documents[row["doc"]][1] += row["bytes"]
        found["documents"] = {
            name: (float(cost), float(cost / size)) for name, (cost, size) in documents.items()
        }
        return {k: v if isinstance(v, dict) else float(v) for k, v in found.items()}
