// The user's key. It lives in this browser: a CryptoKey that cannot be read out, in IndexedDB. It signs here;
// neither key nor seed is ever sent.
//
//   file  one line of 64 hex digits, the seed, as `mdsm keys person` makes it
//   key   Ed25519 from HMAC-SHA-256( seed, "MKEY" 1 | "signing" )

import { ascii, concat, hex, unhex } from './hash.js';
import { prefix } from './codec.js';

const [DATABASE, STORE, NAME] = ['mdsm', 'keys', 'owner'];
// RFC 8410: a private key of Ed25519 in PKCS 8, up to its 32 bytes.
const PKCS8 = unhex('302e020100300506032b657004220420');

/** Whether this browser can hold such a key: it needs a secure context, WebCrypto's Ed25519 and IndexedDB. */
export async function canHold() {
  try {
    await crypto.subtle.importKey('pkcs8', concat(PKCS8, new Uint8Array(32)), 'Ed25519', false, ['sign']);
    return typeof indexedDB !== 'undefined';
  } catch {
    return false;
  }
}

export const drawSeed = () => crypto.getRandomValues(new Uint8Array(32));

export const fileOf = (seed) => `${hex(seed)}\n`;

/** The seed in such a file; null where it is none. */
export function seedOf(text) {
  const seed = unhex(text.trim().toLowerCase());
  return seed?.length === 32 ? seed : null;
}

/** The key of a seed: { owner, key }, the key one that signs and cannot be read out. */
export async function keyOf(seed) {
  const mac = await crypto.subtle.importKey('raw', seed, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const secret = new Uint8Array(await crypto.subtle.sign('HMAC', mac, concat(prefix('MKEY'), ascii('signing'))));
  const encoded = concat(PKCS8, secret);
  // The public half is read off a copy that can be exported; the copy is dropped.
  const copy = await crypto.subtle.importKey('pkcs8', encoded, 'Ed25519', true, ['sign']);
  const { x } = await crypto.subtle.exportKey('jwk', copy);
  const key = await crypto.subtle.importKey('pkcs8', encoded, 'Ed25519', false, ['sign']);
  secret.fill(0);
  encoded.fill(0);
  const padded = x.replaceAll('-', '+').replaceAll('_', '/');
  return { owner: hex(Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0))), key };
}

export const sign = async ({ key }, message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, message));

// ---- Where it is kept

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function inStore(mode, act) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await done(opening);
  try {
    return await done(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

export const stored = async () => (await inStore('readonly', (store) => store.get(NAME))) ?? null;
export const store = (identity) => inStore('readwrite', (kept) => kept.put(identity, NAME));
export const forget = () => inStore('readwrite', (kept) => kept.delete(NAME));
