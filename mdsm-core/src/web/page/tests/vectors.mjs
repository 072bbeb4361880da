// The vectors of the harness, read from the repository.

import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';

import { Refusal } from '../codec.js';

const FOLDER = new URL('../../../../../harness/vectors/', import.meta.url);

export const vectorsOf = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')).vectors;

/** Bytes as the vectors write them: hex, or base64 behind a mark. */
export const raw = (text) =>
  Uint8Array.from(text.startsWith('b64:') ? Buffer.from(text.slice(4), 'base64') : Buffer.from(text, 'hex'));

export const digestOf = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** What an operation gives: its result, or the class under which it refuses. */
export async function outcome(operation) {
  try {
    return { ok: await operation() };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.kind, why: error.message };
    throw error;
  }
}

/** Why an outcome is not the one that a vector expects; null where it is. */
export function difference({ id, expect, classes, ok }, { ok: found, refused, why }) {
  if (expect === 'invalid') {
    if (classes.includes(refused)) return null;
    return `${id}: ${refused ? `refused as ${refused} (${why})` : 'taken'} where ${classes} is expected`;
  }
  if (refused) return `${id}: refused as ${refused} (${why})`;
  const wrong = Object.entries(ok).find(([name, value]) => JSON.stringify(found[name]) !== JSON.stringify(value));
  return wrong ? `${id}: ${wrong[0]} is ${JSON.stringify(found[wrong[0]])}, expected ${JSON.stringify(wrong[1])}` : null;
}

/** Runs all vectors of an operation and gives the differences, and how many there were of each kind. */
export async function run(vectors, operations) {
  const counts = { valid: 0, invalid: 0 };
  const differences = [];
  for (const vector of vectors.filter(({ op, expect }) => operations[op] && expect !== 'ambiguous')) {
    const found = difference(vector, await outcome(() => operations[vector.op](vector.args)));
    counts[vector.expect] += 1;
    if (found) differences.push(found);
  }
  return { counts, differences };
}
