"""Ed25519, XChaCha20-Poly1305 and AES: what other languages have in a library. Nothing of it is MDSM's own, or constant in time."""
import functools
import hashlib
import hmac
import operator
import struct

# ------------------------------------------------------------------------------------------------ Ed25519
# Ed25519 on points (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. Judged by ZIP-215: any y below 2^255, S below L, times 8.

P, L = 2 ** 255 - 19, 2 ** 252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)
ZERO = (0, 1, 1, 0)

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * D * p[3] % P * q[3], 2 * p[2] * q[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P

def combine(s, p, t, q):
    """s p + t q."""
    both, total = add(p, q), ZERO
    for bit in range(max(s, t).bit_length() - 1, -1, -1):
        total = add(total, total)
        which = (s >> bit & 1) + 2 * (t >> bit & 1)
        total = add(total, (None, p, q, both)[which]) if which else total
    return total

def negative(p):
    return -p[0] % P, p[1], p[2], -p[3] % P

def is_small(p):
    p = combine(8, p, 0, ZERO)
    return p[0] == 0 and p[1] == p[2]

def point_of(data):
    y = (int.from_bytes(data, "little") & 2 ** 255 - 1) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if x * x % P != square:
        return None
    x = -x % P if x & 1 != data[31] >> 7 else x
    return x, y, 1, x * y % P

BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

def bytes_of(p):
    inverse = pow(p[2], P - 2, P)
    return (p[1] * inverse % P | (p[0] * inverse % P & 1) << 255).to_bytes(32, "little")

@functools.lru_cache(4096)
def key_point(key):
    point = point_of(key) if len(key) == 32 else None
    return point if point and not is_small(point) else None

def challenge(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L

def holds(key, message, signature):
    a, r = key_point(key), point_of(signature[:32]) if len(signature) == 64 else None
    s = int.from_bytes(signature[32:], "little")
    if not a or not r or s >= L:
        return False
    k = challenge(signature[:32], key, message)
    return is_small(add(combine(s, BASE, k, negative(a)), negative(r)))

def sign(seed, message):
    seed = hashlib.sha512(seed).digest()
    secret = int.from_bytes(seed[:32], "little") & (1 << 254) - 8 | 1 << 254
    key, nonce = bytes_of(combine(secret, BASE, 0, ZERO)), challenge(seed[32:], message)
    commitment = bytes_of(combine(nonce, BASE, 0, ZERO))
    s = (nonce + challenge(commitment, key, message) * secret) % L
    return key, commitment + s.to_bytes(32, "little")

# ------------------------------------------------------------------------------------------------ XChaCha20-Poly1305
# ChaCha20 on all blocks at once: word i of every block in one large number, a lane of 64 bits for each block.

def chacha_rounds(x, mask):
    columns = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
    for a, b, c, d in 10 * (columns + ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))):
        for i, j, k, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[i] = x[i] + x[j] & mask
            turned = (x[k] ^ x[i]) << bits
            x[k] = (turned | turned >> 32) & mask
    return x

def words_of(data):
    return list(struct.unpack("<%dI" % (len(data) // 4), data))

def keystream(key, nonce, blocks):
    """XChaCha20, from counter 0: the first 8 words of nonce and key make another key."""
    sigma, low = words_of(b"expand 32-byte k"), 2 ** 32 - 1
    mixed = chacha_rounds(sigma + words_of(key) + words_of(nonce[:16]), low)
    ones = (2 ** (64 * blocks) - 1) // (2 ** 64 - 1)
    words = [word * ones for word in sigma + mixed[:4] + mixed[12:]]
    start = words + [int.from_bytes(struct.pack("<%dQ" % blocks, *range(blocks)), "little"), 0] + [w * ones for w in words_of(nonce[16:])]
    end, out = chacha_rounds(list(start), low * ones), bytearray(64 * blocks)
    for i, (one, other) in enumerate(zip(start, end)):
        lanes = (one + other & low * ones).to_bytes(8 * blocks, "little")
        for j in range(4):
            out[4 * i + j::64] = lanes[j::8]
    return bytes(out)

def poly1305(key, data):
    r, total = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % (2 ** 130 - 5)
    return (total + int.from_bytes(key[16:], "little") & 2 ** 128 - 1).to_bytes(16, "little")

def xchacha(key, nonce, data, additional, is_sealed):
    """Data encrypted or decrypted, and the tag over the ciphertext."""
    stream = keystream(key, nonce, (len(data) + 63) // 64 + 1)
    out = (int.from_bytes(data, "little") ^ int.from_bytes(stream[64:64 + len(data)], "little")).to_bytes(len(data), "little")
    parts = (additional, data if is_sealed else out)
    padded = b"".join(part + bytes(-len(part) % 16) for part in parts)
    return out, poly1305(stream[:32], padded + struct.pack("<QQ", *map(len, parts)))

def seal(key, nonce, data, additional):
    return b"".join(xchacha(key, nonce, data, additional, False))

def unseal(key, nonce, data, additional):
    """The plaintext; None where the tag does not hold."""
    out, tag = xchacha(key, nonce, data[:-16], additional, True)
    return out if hmac.compare_digest(tag, data[-16:]) else None

# ------------------------------------------------------------------------------------------------ AES
# AES on all blocks at once: byte i of every block in one string, a plane.

def xtime(byte):
    return byte << 1 ^ (0x11B if byte & 128 else 0)

def make_box():
    powers = [1]
    for _ in range(254):
        powers.append(powers[-1] ^ xtime(powers[-1]))
    inverses = {value: powers[-i % 255] for i, value in enumerate(powers)}
    twice = [inverses.get(byte, 0) * 0x101 for byte in range(256)]
    return bytes((b ^ b >> 4 ^ b >> 5 ^ b >> 6 ^ b >> 7 ^ 0x63) & 255 for b in twice)

BOX, DOUBLE = make_box(), bytes(map(xtime, range(256)))

def round_keys(key):
    words, step, constant = [key[i:i + 4] for i in range(0, len(key), 4)], len(key) // 4, 1
    for i in range(step, 4 * (step + 7)):
        word = words[-1]
        if i % step == 0:
            word = bytes([BOX[word[1]] ^ constant, BOX[word[2]], BOX[word[3]], BOX[word[0]]])
            constant = xtime(constant)
        elif step > 6 and i % step == 4:
            word = word.translate(BOX)
        words.append(bytes(map(operator.xor, words[i - step], word)))
    return b"".join(words)

def number_of(plane):
    return int.from_bytes(plane, "little")

def mixed(planes):
    a, d = list(map(number_of, planes)), [number_of(plane.translate(DOUBLE)) for plane in planes]
    sums = [a[i] ^ a[i + 1] ^ a[i + 2] ^ a[i + 3] for i in (0, 4, 8, 12)]
    return [a[i] ^ sums[i // 4] ^ d[i] ^ d[i // 4 * 4 + (i + 1) % 4] for i in range(16)]

def aes(key, blocks):
    count, keys = len(blocks) // 16, round_keys(key)
    ones, out = number_of(b"\1" * count), bytearray(len(blocks))
    planes = [number_of(blocks[i::16]) ^ ones * keys[i] for i in range(16)]
    for start in range(16, len(keys), 16):
        shifted = [planes[(i + i % 4 * 4) % 16].to_bytes(count, "little").translate(BOX) for i in range(16)]
        planes = list(map(number_of, shifted)) if start + 16 == len(keys) else mixed(shifted)
        planes = [plane ^ ones * keys[start + i] for i, plane in enumerate(planes)]
    for i, plane in enumerate(planes):
        out[i::16] = plane.to_bytes(count, "little")
    return bytes(out)
