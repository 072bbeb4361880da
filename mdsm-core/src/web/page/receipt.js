// The checks of a receipt in the order of harness/spec/anchoring.md, "Order of checks". The first that fails
// is reported, and no later one is made.
//
// A receipt that holds shows that a record existed before a block of Bitcoin. It does not show that this
// network booked it, nor that the content is true.

import { branchRoot, readAnchor } from './bitcoin.js';
import { Refusal, decode, encode, metadata, need, prefix, reference } from './codec.js';
import { holds, keyPoint } from './ed25519.js';
import { concat, equal, hash256, hex, sha256, u32 } from './hash.js';
import { climb, sides } from './merkle.js';

export const CONFIRMATIONS = 6;

/** Names of the checks, in their order. */
export const CHECKS = [
  'form', 'shape', 'content', 'owner', 'roots', 'anchored', 'transaction', 'epoch', 'root', 'headers', 'height',
  'branch', 'depth',
];

const LEVEL_NAMES = ['item', 'block', 'data', 'window'];

export const recordId = (booking) =>
  sha256(prefix('MRID'), booking.owner, metadata.write(booking.metadata), reference.write(booking.content));

/** What the owner signs. */
export const ownerMessage = (chain, id) => concat(prefix('MSGR'), chain, id);

/** Refuses a booking that its owner has not signed for this network. */
export async function checkOwner(chain, booking) {
  need(keyPoint(booking.owner), 'key', `no key that may own records: ${hex(booking.owner)}`);
  const message = ownerMessage(chain, recordId(booking));
  const isSigned = await holds(booking.owner, message, booking.owner_signature);
  need(isSigned, 'signature', `the signature does not hold under ${hex(booking.owner)}`);
}

/** The four levels: place, size, hashes beside the way, and the root of each. */
export function levelsOf(receipt) {
  let [node, path] = [encode('MBKG', receipt.booking), receipt.path];
  const levels = LEVEL_NAMES.map((name, at) => {
    const [index, size] = [receipt[`${name}_index`], receipt[`${name}_size`]];
    // A size or an index out of bounds is refused by the climb, whatever part of the path it is given.
    const left = index < size && size <= 65_536 ? sides(index, size) : [];
    const beside = path.slice(0, left.length);
    node = climb(at + 1, node, index, size, beside);
    path = path.slice(left.length);
    return { name, index, size, root: node, beside: beside.map((hash, i) => ({ hash, isLeft: left[i] })) };
  });
  need(path.length === 0, 'shape', `${path.length} hashes are left over`, { level: 4 });
  return levels;
}

export const anchorRoot = (chain, epoch, window, context) =>
  sha256(prefix('MANR'), chain, u32(epoch), window, context);

/**
 * Checks a receipt. `headers` is a promise-giving function, asked only once a receipt gets that far;
 * `contentDigest` is given where the record's file is at hand.
 *
 * Gives { holds, checks: [{ name, state: 'good' | 'bad' | 'open' | 'skipped' }], fault, ... } with all that
 * was found on the way, so that it can be drawn also where it breaks.
 */
export async function verifyReceipt(bytes, { headers, contentDigest = null, depth = CONFIRMATIONS }) {
  const found = { receipt: null, levels: null, anchor: null, output: null, transactionId: null, block: null };
  const checks = [];
  let fault = null;
  const check = async (name, made) => {
    if (fault) {
      checks.push({ name, state: 'open' });
      return;
    }
    try {
      const state = (await made()) ?? 'good';
      checks.push({ name, state });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fault = { check: name, kind: error.kind, why: error.message, level: error.level ?? null };
      checks.push({ name, state: 'bad' });
    }
  };
  let part = null;
  let chain = null;

  await check('form', () => {
    found.receipt = decode('MRCP', bytes);
    found.id = recordId(found.receipt.booking);
    part = found.receipt.bitcoin;
  });
  await check('shape', () => {
    found.levels = levelsOf(found.receipt);
  });
  await check('content', () => {
    if (contentDigest === null) return 'skipped';
    const { value } = found.receipt.booking.content;
    need(equal(contentDigest, value), 'content', `the file has digest ${hex(contentDigest)}, the record names ${hex(value)}`);
    return 'good';
  });
  await check('owner', () => checkOwner(found.receipt.chain_id, found.receipt.booking));
  await check('roots', () => {
    const { chain_id: network, epoch, context } = found.receipt;
    found.anchor = anchorRoot(network, epoch, found.levels[3].root, context);
  });
  await check('anchored', () => {
    need(part, 'unanchored', 'the receipt has no Bitcoin part yet');
    found.transactionId = hash256(part.transaction);
  });
  await check('transaction', () => {
    found.output = readAnchor(part.transaction);
  });
  await check('epoch', () => {
    const [{ epoch }, expected] = [found.receipt, found.output.epoch];
    need(epoch === expected, 'epoch', `the receipt is of epoch ${epoch}, the transaction anchors ${expected}`);
  });
  await check('root', () => {
    const [anchor, { root }] = [found.anchor, found.output];
    need(equal(anchor, root), 'root', `the record leads to ${hex(anchor)}, the transaction anchors ${hex(root)}`);
  });
  await check('headers', async () => {
    chain = await headers();
    chain.check();
    found.network = chain.network;
  });
  await check('height', () => {
    found.block = chain.block(part.height);
  });
  await check('branch', () => {
    const root = branchRoot(part);
    need(equal(root, found.block.root), 'headers', `the branch leads to another Merkle root than block ${part.height} has`);
  });
  await check('depth', () => {
    const { confirmations } = found.block;
    need(confirmations >= depth, 'headers', `${confirmations} confirmations, ${depth} are asked for`);
  });
  return { holds: fault === null, checks, fault, ...found };
}
