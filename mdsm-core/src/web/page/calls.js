// What this page sends: questions over HTTP, each signed by the user's key where it is about records
// (harness/spec/clients.md, Questions over HTTP). Nothing else leaves the browser.

import { need, prefix } from './codec.js';
import { ascii, concat, hex, sha256 } from './hash.js';
import { sign } from './keys.js';
import { Headers } from './bitcoin.js';

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
  headers: (from) => `/v1/bitcoin/headers?from=${from}`,
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
  const why = (await response.text()).slice(0, 300);
  throw new Unanswered(response.status, why);
}

/** Asks what anybody may ask. */
export const askPublic = async (line) => (await get(line)).json();

/** Asks in the user's name. */
export async function ask(identity, chain, line) {
  const field = await authorization(identity, chain, 'GET', line, Date.now());
  return (await get(line, { authorization: field })).json();
}

/** Headers taken from an institution, at most: Bitcoin's of the next forty years. */
const HEADERS_MAX = 3_000_000;

/** Bitcoin's headers as the institution has them: pages of 80 bytes a header, until one is empty. */
export async function fetchHeaders(headers = new Headers()) {
  for (;;) {
    const page = new Uint8Array(await (await get(LINES.headers(headers.length))).arrayBuffer());
    if (page.length === 0) return headers;
    headers.add(page);
    need(headers.length <= HEADERS_MAX, 'headers', `more than ${HEADERS_MAX} headers`);
  }
}
