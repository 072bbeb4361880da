"""Re-encryption: keys, capsules, offers, re-encryption keys and hops, as harness/spec has them for every parameter set."""
import functools
import hmac
import itertools
import operator
import struct

from primitives import aes, words_of
from wire import H, SETS, encode, need

# A row of words is also one large number with a lane of 64 bits for each word, so that a row times a matrix is one sum of products; a lane
# holds it, since the most rows are 5,376 and the largest words have 24 bits.

def unpacked(s, data):
    size, out = s.bits // 8, bytearray(len(data) * 32 // s.bits)
    for i in range(size):
        out[i::4] = data[i::size]
    return words_of(out)

def packed(s, words):
    size, whole = s.bits // 8, struct.pack("<%dI" % len(words), *words)
    out = bytearray(size * len(words))
    for i in range(size):
        out[i::size] = whole[i::4]
    return bytes(out)

def reduced(s, words):
    return [word % (1 << s.bits) for word in words]

def rows_of(words, columns):
    return [words[i:i + columns] for i in range(0, len(words), columns)]

def lanes(row):
    return int.from_bytes(struct.pack("<%dQ" % len(row), *row), "little")

def times(s, row, matrix, columns):
    """A row times a matrix of rows in lanes."""
    total = sum(map(operator.mul, row, matrix))
    return reduced(s, struct.unpack("<%dQ" % columns, total.to_bytes(8 * columns, "little")))

def plus(s, *rows):
    return reduced(s, map(sum, zip(*rows)))

def uniform(s, tag, seed, rows):
    """Row by row, as they are wanted: all of them are up to 8 million words."""
    key, words = H(tag + b"\1", bytes([s.number]), seed)[:16], 8 if s.bits == 16 else 4
    for start in range(0, rows, 256):
        span = range(start, min(start + 256, rows))
        data = aes(key, b"".join(struct.pack("<IIQ", row, place, 0) for row in span for place in range(s.n // words)))
        found = struct.unpack("<%dH" % (len(data) // 2), data) if words == 8 else [word & 0xFFFFFF for word in words_of(data)]
        yield from rows_of(found, s.n)

def matrix_a(s):
    return uniform(s, b"MLWA", b"", s.n)

def stream(key, number, blocks):
    return aes(key, b"".join(struct.pack("<IIQ", number, counter, 0) for counter in range(blocks)))

@functools.lru_cache(None)
def table_of(law):
    """The draw for each 16 bits."""
    return [(1 - 2 * (r & 1)) * sum(entry < r >> 1 for entry in law[:-1]) for r in range(65536)]

def laws(s, data):
    if s.law:
        return [table_of(s.law)[r] for r in struct.unpack("<%dH" % (len(data) // 2), data)]
    halves = [bin(half).count("1") for half in struct.unpack("<%dQ" % (len(data) // 8), data)]
    return [one - other for one, other in zip(halves[::2], halves[1::2])]

def draw(s, key, number, count):
    return laws(s, stream(key, number, -(-count // 8) if s.law else count))[:count]

def flood(s, key, number, count):
    """Values of a group of 64 blocks do not reach into the next group."""
    each = (512 if s.law else 64) // len(s.flood)
    draws, values = laws(s, stream(key, number, 64 * -(-count // each))), []
    for group in rows_of(draws, 512 if s.law else 64):
        values += [sum(map(operator.mul, s.flood, part)) for part in rows_of(group, len(s.flood))[:each]]
    return values[:count]

def set_of(number):
    need(0 <= number < len(SETS), "bound", "no set %d" % number)
    return SETS[number]

def secret_rows(s, seed):
    key = H(b"MKGN\1", bytes([s.number]), seed)
    return key, rows_of(reduced(s, draw(s, key, 0, s.n * s.columns)), s.columns)

def key_gen(s, seed):
    key, secret = secret_rows(s, seed)
    matrix, noise = list(map(lanes, secret)), rows_of(draw(s, key, 1, s.n * s.columns), s.columns)
    public = [plus(s, r, [-x for x in times(s, a, matrix, s.columns)]) for a, r in zip(matrix_a(s), noise)]
    return {"set": s.number, "rows": b"".join(packed(s, row) for row in public)}

def message_row(s, message):
    bits = int.from_bytes(message, "little")
    return [(bits >> s.B * j & (1 << s.B) - 1) << s.bits - s.B for j in range(s.columns)]

def encaps(public, key_id, message):
    s, name = SETS[public["set"]], H(encode("MPUB", public))
    coins = H(b"MENC\1", bytes([s.number]), name, key_id, message)
    e1, e2, e3 = (reduced(s, draw(s, coins, i, count)) for i, count in enumerate((s.n, s.n, s.columns)))
    c1 = plus(s, times(s, e1, map(lanes, matrix_a(s)), s.n), e2)
    rows = map(lanes, rows_of(unpacked(s, public["rows"]), s.columns))
    c2 = plus(s, times(s, e1, rows, s.columns), e3, message_row(s, message))
    return dict(set=s.number, hop=0, key_id=key_id, owner=name, holder=name, c1=packed(s, c1), c2=packed(s, c2))

def decaps(s, seed, capsule):
    c1, c2 = unpacked(s, capsule["c1"]), unpacked(s, capsule["c2"])
    noisy = plus(s, times(s, c1, map(lanes, secret_rows(s, seed)[1]), s.columns), c2, [1 << s.bits - s.B - 1] * s.columns)
    bits = sum((word >> s.bits - s.B) << s.B * j for j, word in enumerate(noisy))
    return (bits & 2 ** 256 - 1).to_bytes(32, "little")

def digits(s, c1):
    rest, rows = [word + (1 << s.d >> 1) >> s.d for word in c1], []
    for _ in range(s.l):
        low = [(y + (1 << s.w >> 1)) % (1 << s.w) - (1 << s.w >> 1) if s.w > 1 else y & 1 for y in rest]
        rest = [y - digit >> s.w for y, digit in zip(rest, low)]
        rows.append(low)
    return sum(rows, [])

def make_offer(s, seed, owner, coins, variant):
    need(variant in (0, 1), "bound", "no variant %d" % variant)
    name = H(encode("MPUB", key_gen(s, seed)))
    key = H(b"MOFN\1", bytes([s.number, variant]), owner, name, coins)
    x_seed, count = H(b"MOFX\1", key), (s.l + variant) * s.n
    matrix, noise = list(map(lanes, secret_rows(s, seed)[1])), rows_of(draw(s, key, 0, count * s.columns), s.columns)
    rows = (plus(s, e, [-x for x in times(s, x_row, matrix, s.columns)]) for x_row, e in zip(uniform(s, b"MLWX", x_seed, count), noise))
    return dict(set=s.number, variant=variant, owner=owner, reader=H(b"MPSE\1", x_seed) if variant else name, seed=x_seed,
                rows=b"".join(packed(s, row) for row in rows))

def accept(s, seed, offer, grant):
    need(offer["set"] == s.number and offer["owner"] == H(encode("MPUB", key_gen(s, seed))), "refused", "an offer for another key")
    secret, rows = secret_rows(s, seed)[1], rows_of(unpacked(s, offer["rows"]), s.columns)
    for row in range(s.l * s.n):
        rows[row] = plus(s, rows[row], [word << s.d + s.w * (row // s.n) for word in secret[row % s.n]])
    return {**offer, "grant": grant, "rows": b"".join(packed(s, row) for row in rows)}

def re_encrypt(rekey, public, capsule, secret):
    """`public` is the reader's key, which a re-encryption key of variant Public names and does not hold."""
    s, variant = SETS[rekey["set"]], rekey["variant"]
    need(capsule["set"] == s.number and capsule["holder"] == rekey["owner"], "refused", "a capsule under another key")
    need(capsule["hop"] < s.hops, "refused", "no hop left")
    need(capsule["hop"] or capsule["owner"] == capsule["holder"], "refused", "a fresh capsule is under its owner's key")
    need(variant or public and H(encode("MPUB", public)) == rekey["reader"], "refused", "the public key of another reader")
    coins = hmac.new(secret, b"MCOI\1" + H(encode("MRKY", rekey)) + H(encode("MCAP", capsule)) + bytes([capsule["hop"]]), "sha256").digest()
    h1, h2, h3 = (draw(s, coins, i, count) for i, count in enumerate((s.n, s.n, s.columns)))
    left = reduced(s, digits(s, unpacked(s, capsule["c1"])) + h1)
    x_rows = itertools.chain(uniform(s, b"MLWX", rekey["seed"], (s.l + variant) * s.n), () if variant else matrix_a(s))
    right = rows_of(unpacked(s, rekey["rows"] + (b"" if variant else public["rows"])), s.columns)
    c1 = plus(s, times(s, left, map(lanes, x_rows), s.n), h2)
    c2 = plus(s, times(s, left, map(lanes, right), s.columns), h3, flood(s, coins, 3, s.columns), unpacked(s, capsule["c2"]))
    return {**capsule, "hop": capsule["hop"] + 1, "holder": rekey["reader"], "c1": packed(s, c1), "c2": packed(s, c2)}

def seal_key(public, key_id, message):
    return encaps(public, key_id, message), H(H(b"MKEM\1", key_id, message))

def open_capsule(s, seed, capsule):
    need(capsule["set"] == s.number, "authentication", "a capsule of another set")
    message = decaps(s, seed, capsule)
    if capsule["hop"] == 0:         # a later one can be recomputed only by who has the owner's public key and the first capsule
        need(encaps(key_gen(s, seed), capsule["key_id"], message) == capsule, "authentication", "recomputed, it is another one")
    return message
