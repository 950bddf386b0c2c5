"""Codes once more, by trying everything, in exact arithmetic. Nothing here imports plogq."""

from fractions import Fraction
from itertools import product


def kraft(lengths, base=2):
    return sum((Fraction(1, base**length) for length in lengths), Fraction(0))


def best_cost(weights, base=2, longest=None):
    """Σ w ℓ of the best prefix code: over all lengths that satisfy Kraft's inequality."""
    n = len(weights)
    limit = longest or max(1, n - 1)
    weights = sorted((Fraction(w) for w in weights), reverse=True)  # the heaviest are the shortest
    whole = base**limit
    best: dict[tuple[int, int], Fraction | None] = {}

    def search(i, length, room):
        """The least cost of symbols i on, of at least this length, within the room left."""
        if i == n:
            return Fraction(0)
        key = (i, length, room)
        if key not in best:
            found = None
            for own in range(length, limit + 1):
                size = base ** (limit - own)
                if size * 1 <= room and (n - i) <= room:
                    rest = search(i + 1, own, room - size)
                    if rest is not None:
                        cost = weights[i] * own + rest
                        found = cost if found is None else min(found, cost)
            best[key] = found
        return best[key]

    return search(0, 1, whole)


def readings(digits, words):
    """All sequences of words that make the digits."""
    if digits == "":
        yield ()
    for i, word in enumerate(words):
        if word and digits.startswith(word):
            for rest in readings(digits[len(word) :], words):
                yield (i, *rest)


def shortest_ambiguous(words, most, base=2):
    """The length of the shortest stream with two readings, up to `most` digits; None without."""
    for length in range(1, most + 1):
        for digits in product("0123456789"[:base], repeat=length):
            ways = readings("".join(digits), words)
            if next(ways, None) is not None and next(ways, None) is not None:
                return length
    return None
