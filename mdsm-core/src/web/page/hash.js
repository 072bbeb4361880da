// SHA-256 and bytes. It is computed here, and not by WebCrypto, because headers of Bitcoin are many and
// small, and a promise for each would take longer than the hash.

const K = constants(64, 1 / 3);
const START = constants(8, 1 / 2);
const SCHEDULE = new Int32Array(64);

/** The first 32 bits of the fractions of roots of the first primes, as FIPS 180-4 defines them. */
function constants(count, exponent) {
  const found = new Int32Array(count);
  for (let number = 2, at = 0; at < count; number += 1) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= number; factor += 1) isPrime &&= number % factor !== 0;
    if (!isPrime) continue;
    const root = number ** exponent;
    found[at] = (root - Math.floor(root)) * 0x100000000;
    at += 1;
  }
  return found;
}

const turned = (word, bits) => (word >>> bits) | (word << (32 - bits));

/** The SHA-256 digest of all parts behind each other. */
export function sha256(...parts) {
  const data = parts.length === 1 ? parts[0] : concat(...parts);
  const padded = new Uint8Array(Math.ceil((data.length + 9) / 64) * 64);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 0x20000000));
  view.setUint32(padded.length - 4, (data.length << 3) >>> 0);
  const state = Int32Array.from(START);
  for (let at = 0; at < padded.length; at += 64) compress(state, view, at);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let i = 0; i < 8; i += 1) out.setInt32(4 * i, state[i]);
  return digest;
}

function compress(state, view, at) {
  const w = SCHEDULE;
  for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const [a, b] = [w[i - 15], w[i - 2]];
    const one = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
    const two = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
    w[i] = w[i - 16] + one + w[i - 7] + two;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const one = (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + h + K[i] + w[i];
    const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

// ---- SHA-512, for signatures only: short messages, so by numbers of any size

const MASK = 2n ** 64n - 1n;
const turned64 = (word, bits) => ((word >> bits) | (word << (64n - bits))) & MASK;

/** The largest number whose power is not above the value. */
function rootOf(value, exponent) {
  let root = 0n;
  for (let bit = 1n << 72n; bit > 0n; bit >>= 1n) if ((root + bit) ** exponent <= value) root += bit;
  return root;
}

function primes(count) {
  const found = [];
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found.map(BigInt);
}

const K_64 = primes(80).map((prime) => rootOf(prime << 192n, 3n) & MASK);
const START_64 = primes(8).map((prime) => rootOf(prime << 128n, 2n) & MASK);

/** The SHA-512 digest. */
export function sha512(data) {
  const padded = new Uint8Array(Math.ceil((data.length + 17) / 128) * 128);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(data.length) * 8n);
  let state = START_64;
  for (let at = 0; at < padded.length; at += 128) state = compress64(state, view, at);
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => out.setBigUint64(8 * i, word));
  return new Uint8Array(out.buffer);
}

function compress64(state, view, at) {
  const w = Array.from({ length: 16 }, (_, i) => view.getBigUint64(at + 8 * i));
  for (let i = 16; i < 80; i += 1) {
    const [x, y] = [w[i - 15], w[i - 2]];
    const one = turned64(x, 1n) ^ turned64(x, 8n) ^ (x >> 7n);
    const two = turned64(y, 19n) ^ turned64(y, 61n) ^ (y >> 6n);
    w.push((w[i - 16] + one + w[i - 7] + two) & MASK);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 80; i += 1) {
    const one = h + (turned64(e, 14n) ^ turned64(e, 18n) ^ turned64(e, 41n)) + ((e & f) ^ (~e & MASK & g)) + K_64[i] + w[i];
    const two = (turned64(a, 28n) ^ turned64(a, 34n) ^ turned64(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) & MASK, c, b, a, (one + two) & MASK];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]) & MASK);
}

// ---- Bytes

/** Bitcoin's hash. */
export const hash256 = (...parts) => sha256(sha256(...parts));

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const equal = (one, other) =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);

/** Bytes compared as text is: a shorter one that begins a longer one comes first. */
export function compare(one, other) {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i += 1) if (one[i] !== other[i]) return one[i] - other[i];
  return one.length - other.length;
}

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Bytes of lower-case hex; null where it is none. */
export function unhex(text) {
  if (typeof text !== 'string' || text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

export const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

export const u32 = (value) => Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);

/** 32 bytes as a number, the lowest byte first. */
export const number = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);
