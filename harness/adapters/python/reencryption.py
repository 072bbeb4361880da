"""Re-encryption: keys, capsules, offers, re-encryption keys and hops, for each parameter set of the spec."""
import functools
import hmac
import itertools
import operator
import struct

from operations import operation
from primitives import aes, lanes, words_in
from wire import SETS, H, decode, identity, need, pieces

# ------------------------------------------------------------------------------------------ words and draws
# A row times a matrix is one sum of products of a word and a row in lanes of 64 bits. A lane holds it, as
# there are at most 5,376 rows of words of 24 bits, and 11,968 of 16 bits.

def set_of(number):
    need(0 <= number < len(SETS), "bound", "no set %d" % number)
    return SETS[number]

def unpacked(s, data):
    return [int.from_bytes(word, "little") for word in pieces(data, s.bits // 8)]

def packed(s, words):
    return b"".join(word.to_bytes(s.bits // 8, "little") for word in words)

def times(row, matrix, columns):
    """A row times a matrix of rows in lanes, not reduced."""
    return words_in(sum(map(operator.mul, row, matrix)), columns)

def plus(s, *rows):
    return [sum(words) % (1 << s.bits) for words in zip(*rows)]

def stream(key, numbers, places):
    return aes(key, b"".join(struct.pack("<IIQ", k, place, 0) for k in numbers for place in range(places)))

def uniform(s, tag, seed, rows):
    """Row by row, as they are wanted: all of them are up to 8 million words."""
    key, (form, size) = H(tag + b"\1", bytes([s.number]), seed)[:16], ("H", 2) if s.bits == 16 else ("I", 4)
    for start in range(0, rows, 256):
        data = stream(key, range(start, min(start + 256, rows)), s.n * size // 16)
        words = struct.unpack("<%d%s" % (len(data) // size, form), data)
        yield from pieces([word % (1 << s.bits) for word in words], s.n)

def matrix_a(s):
    return uniform(s, b"MLWA", b"", s.n)

@functools.lru_cache(None)
def draws_of(law):
    """The draw for each 16 bits."""
    return [(1 - 2 * (r & 1)) * sum(entry < r >> 1 for entry in law[:-1]) for r in range(65536)]

def laws(s, key, number, blocks):
    """What so many blocks of a stream hold: 8 draws each by a table, or 1 binomial one."""
    data = stream(key, [number], blocks)
    if s.law:
        return [draws_of(s.law)[r] for r in struct.unpack("<%dH" % (8 * blocks), data)]
    halves = [bin(half).count("1") for half in struct.unpack("<%dQ" % (2 * blocks), data)]
    return [one - other for one, other in zip(halves[::2], halves[1::2])]

def draw(s, key, number, count):
    return laws(s, key, number, -(-count // 8) if s.law else count)[:count]

def flood(s, key, number, count):
    """Values of a group of 64 blocks do not reach into the next group."""
    size, weights = 512 if s.law else 64, len(s.flood)
    draws = laws(s, key, number, 64 * -(-count // (size // weights)))
    parts = [part for group in pieces(draws, size) for part in pieces(group, weights)[:size // weights]]
    return [sum(map(operator.mul, s.flood, part)) for part in parts[:count]]

def short_rows(s, key):
    """Streams 0 to 2 of an encapsulation or a hop."""
    return [plus(s, draw(s, key, number, count)) for number, count in enumerate((s.n, s.n, s.columns))]

def hidden(s, matrix, secret, noise):
    """Noise less a matrix times the secret, as bytes."""
    secret, noise = list(map(lanes, secret)), pieces(noise, s.columns)
    products = ([-word for word in times(row, secret, s.columns)] for row in matrix)
    return b"".join(packed(s, plus(s, *rows)) for rows in zip(products, noise))

# ----------------------------------------------------------------------------------------------- operations

def secret_of(s, seed):
    """The key of the streams, and the secret rows."""
    key = H(b"MKGN\1", bytes([s.number]), seed)
    return key, pieces(plus(s, draw(s, key, 0, s.n * s.columns)), s.columns)

@operation("pre.key_gen", "public_key")
def key_gen(set, seed):
    s = set_of(set)
    key, secret = secret_of(s, seed)
    return {"set": set, "rows": hidden(s, matrix_a(s), secret, draw(s, key, 1, s.n * s.columns))}

@operation("pre.encaps", "capsule digest")
def encaps(public_key, key_id, message):
    """A fresh capsule, and the digest of the file's key."""
    s, name, bits = SETS[public_key["set"]], identity("MPUB", public_key), int.from_bytes(message, "little")
    e1, e2, e3 = short_rows(s, H(b"MENC\1", bytes([s.number]), name, key_id, message))
    c1 = plus(s, times(e1, map(lanes, matrix_a(s)), s.n), e2)
    rows = map(lanes, pieces(unpacked(s, public_key["rows"]), s.columns))
    high_bits = [(bits >> s.B * j & (1 << s.B) - 1) << s.bits - s.B for j in range(s.columns)]
    c2 = plus(s, times(e1, rows, s.columns), e3, high_bits)
    capsule = dict(set=s.number, hop=0, key_id=key_id, owner=name, holder=name)
    return {**capsule, "c1": packed(s, c1), "c2": packed(s, c2)}, H(H(b"MKEM\1", key_id, message))

@operation("pre.decaps", "message")
def decaps(set, seed, capsule):
    s = set_of(set)
    need(capsule["set"] == set, "authentication", "a capsule of another set")
    c1, c2, half = unpacked(s, capsule["c1"]), unpacked(s, capsule["c2"]), 1 << s.bits - s.B - 1
    noisy = plus(s, times(c1, map(lanes, secret_of(s, seed)[1]), s.columns), c2, [half] * s.columns)
    bits = sum((word >> s.bits - s.B) << s.B * j for j, word in enumerate(noisy))
    message = (bits & 2 ** 256 - 1).to_bytes(32, "little")
    # A later capsule can be recomputed only by who has the owner's public key and the first capsule.
    again = capsule if capsule["hop"] else encaps(key_gen(set, seed), capsule["key_id"], message)[0]
    need(again == capsule, "authentication", "recomputed, it is another one")
    return message

def digits(s, c1):
    rest, half, found = [word + (1 << s.d >> 1) >> s.d for word in c1], 1 << s.w >> 1 if s.w > 1 else 0, []
    for _ in range(s.l):
        lowest = [(y + half) % (1 << s.w) - half for y in rest]
        rest = [y - digit >> s.w for y, digit in zip(rest, lowest)]
        found += lowest
    return found

@operation("pre.offer", "offer")
def make_offer(set, seed, owner, coins, variant):
    s = set_of(set)
    need(variant in (0, 1), "bound", "no variant %d" % variant)
    name, count = identity("MPUB", key_gen(set, seed)), (s.l + variant) * s.n
    key = H(b"MOFN\1", bytes([set, variant]), owner, name, coins)
    x_seed = H(b"MOFX\1", key)
    x_rows, noise = uniform(s, b"MLWX", x_seed, count), draw(s, key, 0, count * s.columns)
    return dict(set=set, variant=variant, owner=owner, reader=H(b"MPSE\1", x_seed) if variant else name,
                seed=x_seed, rows=hidden(s, x_rows, secret_of(s, seed)[1], noise))

@operation("pre.accept", "rekey")
def accept(set, seed, offer, grant):
    s, owner = set_of(set), identity("MPUB", key_gen(set, seed))
    need(offer["set"] == set and offer["owner"] == owner, "refused", "an offer for another key")
    secret, rows = secret_of(s, seed)[1], pieces(unpacked(s, offer["rows"]), s.columns)
    for row in range(s.l * s.n):
        rows[row] = plus(s, rows[row], [word << s.d + s.w * (row // s.n) for word in secret[row % s.n]])
    return {**offer, "grant": grant, "rows": packed(s, itertools.chain(*rows))}

@operation("pre.re_encrypt", "capsule")
def re_encrypt(rekey, capsule, secret, reader=None):
    """`reader` is the reader's key, which a re-encryption key of variant Public names and does not hold."""
    s, variant, hop = SETS[rekey["set"]], rekey["variant"], capsule["hop"]
    public = decode("MPUB", reader) if reader else None
    need(capsule["set"] == s.number and capsule["holder"] == rekey["owner"], why="under another key")
    need(hop < s.hops, why="no hop left")
    need(hop or capsule["owner"] == capsule["holder"], why="a fresh capsule is under its owner's key")
    need(variant or public and H(reader) == rekey["reader"], why="the key of another reader")
    inputs = identity("MRKY", rekey) + identity("MCAP", capsule) + bytes([hop])
    coins = hmac.new(secret, b"MCOI\1" + inputs, "sha256").digest()
    h1, h2, h3 = short_rows(s, coins)
    left = plus(s, digits(s, unpacked(s, capsule["c1"])) + h1)
    x_rows, rows = uniform(s, b"MLWX", rekey["seed"], (s.l + variant) * s.n), rekey["rows"]
    if not variant:
        x_rows, rows = itertools.chain(x_rows, matrix_a(s)), rows + public["rows"]
    middle, right = map(lanes, x_rows), map(lanes, pieces(unpacked(s, rows), s.columns))
    c1, c2 = plus(s, times(left, middle, s.n), h2), unpacked(s, capsule["c2"])
    c2 = plus(s, times(left, right, s.columns), h3, flood(s, coins, 3, s.columns), c2)
    return {**capsule, "hop": hop + 1, "holder": rekey["reader"], "c1": packed(s, c1), "c2": packed(s, c2)}
