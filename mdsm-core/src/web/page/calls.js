// What this page sends: questions over HTTP, each signed by the user's key where it is about records
// (harness/spec/clients.md, Questions over HTTP). Nothing else leaves the browser.

import { Refusal, need, prefix } from './codec.js';
import { ascii, concat, hex, sha256 } from './hash.js';
import { sign } from './keys.js';

/** An institution that does not answer, or answers that it will not. */
export class Unanswered extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

/** Path and query of each question. */
export const LINES = {
  status: () => '/v1/status',
  records: (owner, at, after) => `/v1/owners/${owner}/records?at=${at}${after ? `&after=${after}` : ''}`,
  readers: (owner, at, after) => `/v1/owners/${owner}/readers?at=${at}${after ? `&after=${after}` : ''}`,
  record: (id, at) => `/v1/records/${id}?at=${at}`,
  receipt: (id, at) => `/v1/records/${id}/receipt?at=${at}`,
  headers: () => '/v1/headers',
};

function i64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}

/** What is signed of a call. */
export const callMessage = (chain, method, line, time) =>
  concat(prefix('MASK'), chain, i64(time), sha256(ascii(`${method} ${line}`)));

/** The field `Authorization` of a call. */
export async function authorization(identity, chain, method, line, time) {
  const signature = await sign(identity, callMessage(chain, method, line, time));
  return `MDSM key=${identity.owner},time=${time},signature=${hex(signature)}`;
}

async function get(line, headers = {}) {
  let response;
  try {
    response = await fetch(line, { headers, cache: 'no-store', credentials: 'omit', redirect: 'error' });
  } catch {
    throw new Unanswered(0, 'no answer');
  }
  if (response.ok) return response;
  throw new Unanswered(response.status, whyOf(await response.text()));
}

/** Why a request fails, as the institution says it: JSON with an error, or any text. */
function whyOf(body) {
  let why = body;
  try {
    why = JSON.parse(body).error ?? body;
  } catch {
    // Not JSON: something between here and there has answered.
  }
  return String(why).slice(0, 300);
}

async function jsonOf(response) {
  try {
    return await response.json();
  } catch {
    throw new Refusal('answer', 'it is no JSON');
  }
}

/** Asks what anybody may ask. */
export const askPublic = async (line) => jsonOf(await get(line));

/** Asks in the user's name. */
export async function ask(identity, chain, line) {
  const field = await authorization(identity, chain, 'GET', line, Date.now());
  return jsonOf(await get(line, { authorization: field }));
}

/** Headers taken from an institution, at most: Bitcoin's of the next forty years. */
const HEADERS_BYTES_MAX = 3_000_000 * 80;

/** Bitcoin's headers as the institution has them, from the genesis block on. They prove themselves. */
export async function fetchHeaders() {
  const bytes = new Uint8Array(await (await get(LINES.headers())).arrayBuffer());
  need(bytes.length <= HEADERS_BYTES_MAX, 'headers', `${bytes.length} bytes of headers`);
  return bytes;
}
