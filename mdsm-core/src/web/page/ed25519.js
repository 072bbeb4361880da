// Is this signature the owner's? Judged by ZIP-215, as all of MDSM is: libraries differ on points that are
// not canonical, and what one node takes and another refuses would split the chain.
//
// WebCrypto is asked first. What it takes, ZIP-215 takes; what it refuses is judged again here. Nothing here
// touches a secret, so time tells nothing.

import { concat, number, sha512 } from './hash.js';

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (value, by = P) => ((value % by) + by) % by;

function power(base, exponent) {
  let [result, square] = [1n, mod(base)];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT = power(2n, (P - 1n) / 4n);
const ZERO = [0n, 1n, 1n, 0n];

// Points (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
function add(p, q) {
  const a = mod((p[1] - p[0]) * (q[1] - q[0]));
  const b = mod((p[1] + p[0]) * (q[1] + q[0]));
  const c = mod(2n * D * mod(p[3] * q[3]));
  const d = mod(2n * p[2] * q[2]);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

const negative = (p) => [mod(-p[0]), p[1], p[2], mod(-p[3])];

/** s p + t q. */
function combine(s, p, t, q) {
  const terms = [null, p, q, add(p, q)];
  let total = ZERO;
  for (let bit = 256n; bit >= 0n; bit -= 1n) {
    total = add(total, total);
    const term = terms[Number((s >> bit) & 1n) + 2 * Number((t >> bit) & 1n)];
    if (term) total = add(total, term);
  }
  return total;
}

/** Whether eight times the point is nothing. */
function isSmall(point) {
  let p = point;
  for (let i = 0; i < 3; i += 1) p = add(p, p);
  return p[0] === 0n && p[1] === p[2];
}

function pointOf(bytes) {
  const whole = number(bytes);
  const y = mod(whole & (2n ** 255n - 1n));
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT);
  if (mod(x * x) !== square) return null;
  if ((x & 1n) !== whole >> 255n) x = mod(-x);
  return [x, y, 1n, mod(x * y)];
}

const BASE = pointOf(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 0x58 : 0x66)));

/** The point of a key that may own records; null where it is no point or of small order. */
export function keyPoint(key) {
  const point = key.length === 32 ? pointOf(key) : null;
  return point && !isSmall(point) ? point : null;
}

/** Whether the signature holds by ZIP-215. */
export async function holds(key, message, signature) {
  const a = keyPoint(key);
  if (!a || signature.length !== 64) return false;
  return (await webCryptoHolds(key, message, signature)) || zip215(a, key, message, signature);
}

async function webCryptoHolds(key, message, signature) {
  try {
    const known = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', known, signature, message);
  } catch {
    return false; // The browser has no Ed25519, or no such key.
  }
}

/** The same without the browser's help, which it refuses to pages that come over plain http. */
export function zip215(a, key, message, signature) {
  const r = pointOf(signature.subarray(0, 32));
  const s = number(signature.subarray(32));
  if (!r || s >= L) return false;
  const k = mod(number(sha512(concat(signature.subarray(0, 32), key, message))), L);
  return isSmall(add(combine(s, BASE, k, negative(a)), negative(r)));
}
