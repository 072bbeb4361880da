"""Recomputes core-SVP, noise and sizes from the choices in the parameter table of a Markdown file."""

import math
import sys

# Of 65,536 draws, how many are 0, and how many are k, and as many -k: FrodoKEM's specification.
FRODO = {
    "Frodo-640": [9288, 8720, 7216, 5264, 3384, 1918, 958, 422, 164, 56, 17, 4, 1],
    "Frodo-976": [11278, 10277, 7774, 4882, 2545, 1101, 396, 118, 29, 6, 1],
    "Frodo-1344": [18286, 14320, 6876, 2023, 364, 40, 2],
}
# Below this block size the formula for delta does not hold: no security.
LEAST_BLOCK = 60


def variance(chi):
    if chi == "binomial":
        return 32.0
    counts = FRODO[chi]
    assert counts[0] + 2 * sum(counts[1:]) == 1 << 16
    return sum(2 * count * size * size for size, count in enumerate(counts)) / (1 << 16)


def block_size(n, log2_q, deviation):
    """The least block size with s sqrt(b) <= delta^(2b - d - 1) q^(m/d), d = n + m + 1, for some m."""

    def finds(b):
        log_delta = math.log((math.pi * b) ** (1 / b) * b / (2 * math.pi * math.e)) / (2 * (b - 1))
        norm = math.log(deviation * math.sqrt(b))
        return any(
            norm <= (2 * b - d - 1) * log_delta + (d - n - 1) / d * log2_q * math.log(2)
            for d in range(n + 2, 4 * n + 2)
        )

    low, high = LEAST_BLOCK, 2 * n + 2 * LEAST_BLOCK
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if finds(middle) else (middle + 1, high)
    assert finds(low) and (low == LEAST_BLOCK or not finds(low - 1))
    return low


def line(cells):
    """The columns that follow from the others, each with what it should be."""
    n, log2_q, w, l, d, b, columns = (
        int(cells[name]) for name in ("n", "log2 q", "w", "l", "d", "B", "columns")
    )
    # The spec says so below the table: Bits704 has the digits 0 and 1, hints halve H1152's deviation.
    single_bits, hinted = cells["set"] == "Bits704", cells["set"] == "H1152"
    assert w * l + d == log2_q, f"{cells['set']}: digits do not cover a word"
    assert 256 <= b * columns < 256 + b, f"{cells['set']}: columns do not hold 256 bits"
    square = variance(cells["chi"])
    fresh = 2 * n * square * square + square
    digit = 1 / 2 if single_bits else (4**w + 2) / 12
    rounding = (4**d + 2) / 12 if d else 0
    flood = square * sum(int(weight) ** 2 for weight in cells["flood"].split())
    hop = n * l * digit * square + n * rounding * square + fresh + flood
    block = block_size(n, log2_q, math.sqrt(square) / (2 if hinted else 1))
    block = 0 if block == LEAST_BLOCK else block
    word = log2_q // 8
    return {
        "noise fresh": f"{math.sqrt(fresh):.1f}",
        "noise a hop": f"{math.sqrt(hop):.1f}",
        "core-SVP classical": str(math.floor(0.292 * block)),
        "quantum": str(math.floor(0.265 * block)),
        "capsule bytes": str(5 + 2 + 3 * 32 + (n + columns) * word),
        "public key bytes": str(5 + 1 + n * columns * word),
        "re-encryption key bytes": str(5 + 2 + 4 * 32 + l * n * columns * word),
    }, block


with open(sys.argv[1], encoding="utf-8") as stream:
    rows = [row.strip().strip("|").split("|") for row in stream if row.startswith("|")]
table = [[cell.strip() for cell in row] for row in rows]
start = next(place for place, row in enumerate(table) if row[:2] == ["set", "number"])
heading, sets = table[start], table[start + 2 :]
wrong, seen = [], 0
for row in sets:
    if len(row) != len(heading):
        break
    cells = dict(zip(heading, row))
    expected, block = line(cells)
    found = ", ".join(f"{name} {value}" for name, value in expected.items())
    print(f"core-svp: {cells['set']}: block size {block}, {found}")
    wrong += [
        f"{cells['set']}, {name}: the table says {cells[name]}, it is {value}"
        for name, value in expected.items()
        if cells[name] != value
    ]
    seen += 1
if seen != 9:
    wrong.append(f"{seen} sets were read, 9 are expected")
if wrong:
    sys.exit("\n".join(wrong))
