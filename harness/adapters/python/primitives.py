"""Ed25519, XChaCha20-Poly1305 and AES: what other languages have in a library. Not constant in time."""
import functools
import hashlib
import hmac
import itertools
import operator
import struct

# -------------------------------------------------------------------------------------------------- Ed25519
# Points are (X, Y, Z, T), x = X/Z, y = Y/Z, xy = T/Z. By ZIP-215: any y below 2^255, S below L, times 8.

P, L = 2 ** 255 - 19, 2 ** 252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
ZERO = (0, 1, 1, 0)

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * D * p[3] % P * q[3], 2 * p[2] * q[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P

@functools.lru_cache(1024)
def doublings(p):
    """p, 2 p, 4 p and so on; kept, as few keys sign most."""
    return list(itertools.accumulate(range(254), lambda q, _: add(q, q), initial=p))

def times(scalar, p):
    return functools.reduce(add, (q for i, q in enumerate(doublings(p)) if scalar >> i & 1), ZERO)

def is_small(p):
    x, y, z, _ = functools.reduce(lambda q, _: add(q, q), range(3), p)
    return x == 0 and y == z

def point_of(data):
    y = (int.from_bytes(data, "little") & 2 ** 255 - 1) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if len(data) != 32 or x * x % P != square:
        return None
    x = -x % P if x & 1 != data[31] >> 7 else x
    return x, y, 1, x * y % P

def bytes_of(p):
    inverse = pow(p[2], -1, P)
    return (p[1] * inverse % P | (p[0] * inverse % P & 1) << 255).to_bytes(32, "little")

BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

@functools.lru_cache(4096)
def key_point(key):
    point = point_of(key)
    return point if point and not is_small(point) else None

def challenge(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L

def holds(key, message, signature):
    a, r, s = key_point(key), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if not a or not r or s >= L or len(signature) != 64:
        return False
    x, y, z, t = add(times(challenge(signature[:32], key, message), a), r)
    return is_small(add(times(s, BASE), (-x, y, z, -t)))

def sign(seed, message):
    """The key and the signature."""
    seed = hashlib.sha512(seed).digest()
    secret = int.from_bytes(seed[:32], "little") & (1 << 254) - 8 | 1 << 254
    nonce = challenge(seed[32:], message)
    key, commitment = bytes_of(times(secret, BASE)), bytes_of(times(nonce, BASE))
    s = (nonce + challenge(commitment, key, message) * secret) % L
    return key, commitment + s.to_bytes(32, "little")

# --------------------------------------------------------------------------------------- XChaCha20-Poly1305

def words_of(data):
    return list(struct.unpack("<%dI" % (len(data) // 4), data))

def lanes(words):
    """Words as one large number with 64 bits for each, so that one operation is done on all of them."""
    return int.from_bytes(struct.pack("<%dQ" % len(words), *words), "little")

def words_in(number, count):
    return struct.unpack("<%dQ" % count, number.to_bytes(8 * count, "little"))

def xor(*strings):
    numbers = (int.from_bytes(string, "little") for string in strings)
    return functools.reduce(operator.xor, numbers).to_bytes(len(strings[0]), "little")

COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))

def chacha_rounds(x, mask):
    x = list(x)
    for a, b, c, d in 10 * (COLUMNS + DIAGONALS):
        for i, j, k, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[i] = x[i] + x[j] & mask
            turned = (x[k] ^ x[i]) << bits
            x[k] = (turned | turned >> 32) & mask
    return x

def keystream(key, nonce, blocks):
    """XChaCha20, from counter 0: the first 8 words of nonce and key make another key."""
    sigma, mask = words_of(b"expand 32-byte k"), lanes([2 ** 32 - 1] * blocks)
    mixed = chacha_rounds(sigma + words_of(key + nonce[:16]), 2 ** 32 - 1)
    start = [lanes([word] * blocks) for word in sigma + mixed[:4] + mixed[12:]]
    start += [lanes(range(blocks)), 0] + [lanes([word] * blocks) for word in words_of(nonce[16:])]
    rows = [words_in(one + other & mask, blocks) for one, other in zip(start, chacha_rounds(start, mask))]
    return struct.pack("<%dI" % (16 * blocks), *itertools.chain(*zip(*rows)))

def poly1305(key, *parts):
    """The tag of additional data and a ciphertext."""
    data = b"".join(part + bytes(-len(part) % 16) for part in parts) + struct.pack("<QQ", *map(len, parts))
    r, total = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % (2 ** 130 - 5)
    return (total + int.from_bytes(key[16:], "little") & 2 ** 128 - 1).to_bytes(16, "little")

def seal(key, nonce, plain, additional):
    stream = keystream(key, nonce, (len(plain) + 63) // 64 + 1)
    sealed = xor(plain, stream[64:64 + len(plain)])
    return sealed + poly1305(stream[:32], additional, sealed)

def unseal(key, nonce, sealed, additional):
    """The plaintext; None where the tag does not hold."""
    sealed, tag = sealed[:-16], sealed[-16:]
    stream = keystream(key, nonce, (len(sealed) + 63) // 64 + 1)
    plain = xor(sealed, stream[64:64 + len(sealed)])
    return plain if hmac.compare_digest(tag, poly1305(stream[:32], additional, sealed)) else None

# ------------------------------------------------------------------------------------------------------ AES
# On all blocks at once: byte i of every block in one string, a plane.

def doubled(byte):
    return byte << 1 ^ (0x11B if byte & 128 else 0)

def make_box():
    powers = list(itertools.accumulate(range(254), lambda byte, _: byte ^ doubled(byte), initial=1))
    inverses = {byte: powers[-i % 255] for i, byte in enumerate(powers)}
    twice = [inverses.get(byte, 0) * 0x101 for byte in range(256)]
    return bytes((b ^ b >> 4 ^ b >> 5 ^ b >> 6 ^ b >> 7 ^ 0x63) & 255 for b in twice)

BOX, DOUBLE = make_box(), bytes(map(doubled, range(256)))

def round_keys(key):
    words, step, constant = [key[i:i + 4] for i in range(0, len(key), 4)], len(key) // 4, 1
    for i in range(step, 4 * (step + 7)):
        word = words[-1]
        if i % step == 0:
            word = xor((word[1:] + word[:1]).translate(BOX), bytes([constant, 0, 0, 0]))
            constant = doubled(constant)
        elif step > 6 and i % step == 4:
            word = word.translate(BOX)
        words.append(xor(word, words[i - step]))
    return b"".join(words)

def aes(key, blocks):
    keys, count = round_keys(key), len(blocks) // 16
    planes = [xor(blocks[i::16], keys[i:i + 1] * count) for i in range(16)]
    for start in range(16, len(keys), 16):
        planes = [planes[(i + i % 4 * 4) % 16].translate(BOX) for i in range(16)]
        if start + 16 < len(keys):
            twice = [plane.translate(DOUBLE) for plane in planes]
            below = [[i // 4 * 4 + (i + by) % 4 for by in (1, 2, 3)] for i in range(16)]
            planes = [xor(twice[i], twice[below[i][0]], *(planes[j] for j in below[i])) for i in range(16)]
        planes = [xor(plane, keys[start + i:start + i + 1] * count) for i, plane in enumerate(planes)]
    return bytes(itertools.chain(*zip(*planes)))
