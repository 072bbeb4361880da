// The page's own checks are held to the vectors of the harness: every valid one is taken, every invalid one
// is refused, and under the class that the vector names.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Access } from '../access.js';
import { Headers, readAnchor } from '../bitcoin.js';
import { Refusal, TAGS, decode, encode, need } from '../codec.js';
import { holds, keyPoint, zip215 } from '../ed25519.js';
import { equal, hex, sha256 } from '../hash.js';
import { leafHash, levelRoot, pathOf, treeRoot, verifyPath } from '../merkle.js';
import { checkOwner, recordId, verifyReceipt } from '../receipt.js';
import { digestOf, raw, run, vectorsOf } from './vectors.mjs';

const held = async (files, operations, least) => {
  const { counts, differences } = await run(files.flatMap(vectorsOf), operations);
  assert.deepEqual(differences, []);
  assert.deepEqual(counts, least);
};

test('receipts, and anchors in transactions', () => held(['receipts'], {
  'receipt.verify': async ({ receipt, headers, content }) => {
    const contentDigest = content === undefined ? null : digestOf(raw(content));
    const chain = async () => new Headers().add(raw(headers));
    const found = await verifyReceipt(raw(receipt), { headers: chain, contentDigest });
    if (found.fault) throw new Refusal(found.fault.kind, found.fault.why);
    return { anchor_root: hex(found.anchor), block: hex(found.block.hash), epoch: found.receipt.epoch, record_id: hex(found.id) };
  },
  'anchor.read': ({ transaction }) => {
    const { epoch, root } = readAnchor(raw(transaction));
    return { epoch, root: hex(root) };
  },
}, { valid: 10, invalid: 68 }));

test('trees and paths', () => held(['trees'], {
  'merkle.root': ({ leaves }) => ({ root: hex(treeRoot(leaves.map(raw).map(leafHash))) }),
  'merkle.level': ({ level, leaves }) => ({ root: hex(levelRoot(level, leaves.map(raw))) }),
  'merkle.path': ({ leaves, index }) => ({ path: pathOf(leaves.map(raw).map(leafHash), index).map(hex) }),
  'merkle.verify': ({ level, leaf, index, size, path, root }) => {
    verifyPath(level, raw(leaf), index, size, path.map(raw), raw(root));
    return {};
  },
}, { valid: 53, invalid: 57 }));

const verify = (judge) => async ({ key, message, signature }) => {
  need(keyPoint(raw(key)), 'key', 'no key');
  need(await judge(raw(key), raw(message), raw(signature)), 'signature', 'does not hold');
  return {};
};

test('signatures, with the help of WebCrypto and without', async () => {
  const counts = { valid: 26, invalid: 50 };
  await held(['signatures'], { 'ed25519.verify': verify(holds) }, counts);
  const alone = (key, ...rest) => zip215(keyPoint(key), key, ...rest);
  await held(['signatures'], { 'ed25519.verify': verify(alone) }, counts);
});

test('what only ZIP-215 takes is taken', async () => {
  const vectors = vectorsOf('signatures').filter(({ expect, op }) => expect === 'ambiguous' && op === 'ed25519.verify');
  assert.ok(vectors.length > 0);
  for (const { id, args, readings } of vectors) {
    const key = raw(args.key);
    const found = keyPoint(key) !== null && (await holds(key, raw(args.message), raw(args.signature)));
    assert.ok(Object.values(readings).some(({ expect }) => (expect === 'valid') === found), id);
  }
});

test('envelopes and their owners', () => held(['bookings'], {
  'envelope.check': async ({ chain_id: chain, envelope }) => {
    const { content, ...rest } = decode('MENV', raw(envelope));
    const value = content.kind === 0 ? sha256(content.value) : content.value;
    const booking = { ...rest, content: { kind: content.kind, value } };
    await checkOwner(raw(chain), booking);
    return { record_id: hex(recordId(booking)) };
  },
}, { valid: 10, invalid: 36 }));

test('encodings of all that the page decodes', async () => {
  const vectors = vectorsOf('codec').filter(({ args }) => TAGS[args.tag]);
  const tags = new Set(vectors.map(({ args }) => args.tag));
  assert.deepEqual([...tags].sort(), Object.keys(TAGS).sort());
  const decoded = ({ tag, bytes }) => {
    const [data, value] = [raw(bytes), decode(tag, raw(bytes))];
    assert.ok(equal(encode(tag, value), data), `${tag}: another encoding than was read`);
    return {};
  };
  const { counts, differences } = await run(vectors.map((vector) => ({ ...vector, ok: vector.ok && {} })), { decode: decoded });
  assert.deepEqual(differences, []);
  assert.ok(counts.valid >= 30 && counts.invalid >= 150, JSON.stringify(counts));
});

test('acts of sharing', () => held(['access'], {
  access: ({ owners, steps }) => {
    const owned = new Map(owners.map(({ record, owner }) => [record, owner]));
    let seats = new Map();
    const access = new Access({ ownerOf: (id) => owned.get(id), seatOf: (key) => seats.get(key) });
    const effects = [];
    for (const { reach, seats: seated, book } of steps) {
      if (reach !== undefined) access.reach(BigInt(reach));
      else if (seated) seats = new Map(seated.map(({ key, institution }) => [key, institution]));
      else effects.push(access.book(book.record, book.signer, raw(book.act)));
    }
    const readers = access.readings().map(({ grant, readerKey, record }) => ({ grant, reader_key: readerKey, record }));
    return { steps: effects, readers };
  },
}, { valid: 84, invalid: 6 }));
