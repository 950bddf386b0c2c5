"""Damaged, cut, spliced, forged and foreign files, thrown at every decoder.

`python -m tests.codes.fuzz` throws 100,000. Each must be refused with a CodeError, or give what was
coded; anything else is printed, and the exit status is 1. Half of the cases get a fresh checksum,
so that what lies behind it is met as well; there, an adaptive model's own damage shows at its end.
"""

import functools
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from plogq.codes import CodeError
from plogq.codes.container import CRC_BYTES, MAGIC
from tests.codes.golden_cases import CASES, FOLDER

SLOWEST = 20.0  # seconds: a hang, on any machine

BYTES = [content for _, _, content in CASES.values() if isinstance(content, bytes)]
FOREIGN = [
    b"",
    b"\x1f\x8b\x08\x00",
    b"PK\x03\x04",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",
    b"PAR1",
    b"\x89PNG\r\n\x1a\n",
    b"plogq",
    MAGIC,
]


def reseal(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(CRC_BYTES, "little")


def damage(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Give a file that is not `data`, mostly."""
    out = bytearray(data)
    kind = rng.randrange(9)
    if kind == 0:  # bits
        for _ in range(rng.choice((1, 1, 2, 8, 64))):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del out[rng.randrange(len(out)) :]
    elif kind == 2:
        at = rng.randrange(len(out))
        del out[at : at + rng.choice((1, 4, 50))]
    elif kind == 3:
        at = rng.randrange(len(out) + 1)
        out[at:at] = rng.randbytes(rng.choice((1, 4, 50)))
    elif kind == 4:
        at = rng.randrange(len(out))
        size = rng.choice((1, 4, 50))
        out[at : at + size] = rng.randbytes(size)
    elif kind == 5:  # the head of one, the tail of another
        other = rng.choice(others)
        out[rng.randrange(len(out)) :] = other[rng.randrange(len(other)) :]
    elif kind == 6:
        return rng.choice(FOREIGN) + rng.randbytes(rng.randrange(300))
    elif kind == 7:  # the fields: counts above all
        at = rng.randrange(min(6, len(out) - 1), min(len(out), 20))
        value = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        out[at : at + 1] = rng.choice((b"", bytes([255]) * rng.randrange(9))) + bytes([value])
    else:
        return rng.choice(others)
    return bytes(out)


@functools.cache
def golden_files() -> dict[str, bytes]:
    return {name: (FOLDER / f"{name}.plq").read_bytes() for name in CASES}


def run(cases: int, seed: int = 0, say: Callable[[str], object] | None = None) -> dict[str, Any]:
    """Throw so many, and count what came of them."""
    rng = random.Random(seed)
    golden = golden_files()
    others = list(golden.values())
    names = list(CASES)
    counts: Counter[str] = Counter()
    wrong = []
    for number in range(cases):
        name = rng.choice(names)
        _, read, content = CASES[name]
        data = damage(rng, golden[name], others)
        if len(data) > CRC_BYTES and rng.random() < 0.5:
            data = reseal(data[:-CRC_BYTES])
        begin = time.monotonic()
        try:
            got = read(data)
        except CodeError:
            counts["refused"] += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            wrong.append((number, name, data.hex(), repr(error)))
        else:
            # Another whole file may be read in the same way (bytes; no labels): right as well.
            whole = [CASES[other][2] for other, file in golden.items() if file == data]
            good = [content, *whole, *(BYTES if isinstance(content, bytes) else [])]
            if any(np.array_equal(got, one) for one in good):
                counts["right"] += 1
            else:
                wrong.append((number, name, data.hex(), "decoded to something else"))
        if time.monotonic() - begin > SLOWEST:
            wrong.append((number, name, data.hex(), "took too long"))
        if say is not None and (number + 1) % 10_000 == 0:
            say(f"{number + 1:,} cases: {dict(counts)}, {len(wrong)} wrong")
    return {"cases": cases, "refused": counts["refused"], "right": counts["right"], "wrong": wrong}


def main() -> None:
    outcome = run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, say=print)
    for case in outcome["wrong"][:20]:
        print(*case)
    print({key: value for key, value in outcome.items() if key != "wrong"})
    sys.exit(bool(outcome["wrong"]))


if __name__ == "__main__":
    main()
