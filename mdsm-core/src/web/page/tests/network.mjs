// A network in small: records of one person, acts of sharing, blocks, a window, an anchor in blocks of regtest,
// and the answers that an institution gives about it. Everything is sound; tests break it.

import { encode } from '../codec.js';
import { ascii, concat, hash256, hex, number, sha256, u32, unhex } from '../hash.js';
import { keyOf, sign } from '../keys.js';
import { leafHash, levelRoot, pathOf } from '../merkle.js';
import { anchorRoot, ownerMessage, recordId } from '../receipt.js';

export const SEEDS = { owner: '11'.repeat(32), reader: '22'.repeat(32), second: '33'.repeat(32), proxy: '44'.repeat(32) };
export const CHAIN = sha256(ascii('a network for tests'));
const STARTED_MS = 1_790_000_000_000n;
const TURN_MS = 6_000n;
const PAGE_RECORDS = 4;
const digest = (text) => sha256(ascii(text));

const plain = (fields) => ({
  resource_type: 'Observation', content_type: 'text/plain', created: STARTED_MS, tz_offset_min: null, size: 1n, kind: null,
  category: null, status: 1, relates_to: null, format: null, language: null, custodian: null, author: null, activity: 1,
  security: [], consent: null, encryption: null, ext: [], ...fields,
});

async function bookingOf(identity, fields, content) {
  const size = BigInt(content.kind === 0 ? content.bytes.length : 48_213);
  const booking = {
    owner: unhex(identity.owner), metadata: plain({ ...fields, size }),
    content: { kind: content.kind, value: sha256(content.bytes) }, owner_signature: new Uint8Array(64), booked_by: 1,
  };
  booking.owner_signature = await sign(identity, ownerMessage(CHAIN, recordId(booking)));
  return { booking, id: hex(recordId(booking)), bytes: encode('MBKG', booking), content: content.kind === 0 ? content.bytes : null };
}

const inline = (text) => ({ kind: 0, bytes: typeof text === 'string' ? ascii(text) : text });
const sealed = (text) => ({ kind: 1, bytes: ascii(text) });
const scheme = { scheme: 1, key: digest('key') };

const ACTS = ['CommunicationRequest', 'Consent', 'Task', 'Task', 'Communication'];
const actOf = (identity, kind, value) => bookingOf(
  identity, { resource_type: ACTS[kind], content_type: 'application/vnd.mdsm.access' }, inline(encode('MACT', { kind, value })),
);

/** Records of each block, Item by Item. */
async function story(who) {
  const ago = (days) => ({ created: STARTED_MS - BigInt(days) * 86_400_000n });
  const loinc = (code) => ({ kind: { system: 1, code } });
  const records = await Promise.all([
    bookingOf(who.owner, { ...ago(0), ...loinc('85354-9') }, inline('Blood pressure 128/82 mmHg')),
    bookingOf(who.owner, { ...ago(2), resource_type: 'DiagnosticReport', content_type: 'application/pdf', ...loinc('11502-2'), encryption: scheme, security: [2] }, sealed('report')),
    bookingOf(who.owner, { ...ago(40), resource_type: 'ImagingStudy', content_type: 'application/dicom', encryption: scheme }, sealed('image')),
    bookingOf(who.owner, { ...ago(41), resource_type: 'MedicationRequest' }, inline('Amoxicillin 500 mg, three times a day, seven days')),
    bookingOf(who.owner, { ...ago(90), resource_type: 'DocumentReference', content_type: 'application/pdf', ...loinc('18842-5'), encryption: scheme, status: 2 }, sealed('summary')),
  ]);
  const [, report, image, , summary] = records.map(({ booking }) => recordId(booking));
  const sorted = (...ids) => ids.sort((one, other) => Number(number(Uint8Array.from(one).reverse()) > number(Uint8Array.from(other).reverse())) * 2 - 1);
  const request = (reader, ids) => actOf(reader, 0, { owner: unhex(who.owner.owner), reader_key: digest('reader key'), offer: digest('offer'), records: ids });
  const first = await request(who.reader, sorted(report, image));
  const waiting = await request(who.second, [summary]);
  const file = (record) => ({ record, digest: digest('capsule') });
  const grant = await actOf(who.owner, 1, { request: unhex(first.id), owner_key: digest('owner key'), until: 200_000n, files: sorted(report, image).map(file) });
  const named = { grant: unhex(grant.id) };
  const bid = await actOf(who.proxy, 2, { ...named, parcels: digest('parcels') });
  const choice = await actOf(who.owner, 3, { ...named, institution: 3, rekey: digest('rekey'), parcel: digest('parcel') });
  const delivery = await actOf(who.proxy, 4, { ...named, files: sorted(report, image).map(file) });
  const others = await Promise.all([0, 1, 2].map((at) => bookingOf(who.second, {}, inline(`another person ${at}`))));
  return [
    [[records[0], others[0], records[1]], [others[1]], [records[2], records[3]]],
    [[others[2], records[4]], [first]],
    [[waiting, grant]],
    [[bid], [choice]],
    [[delivery]],
  ];
}

function blockOf(items, height) {
  const roots = items.map((item) => levelRoot(1, item.map(({ bytes }) => bytes)));
  const timestamp = STARTED_MS + TURN_MS * BigInt(height);
  const block = { chain_id: CHAIN, height: BigInt(height), producer: 1, closed_at: timestamp, root: levelRoot(2, roots) };
  const summary = encode('MSUM', { item_block: block, certificate: null, events: digest('events') });
  const header = {
    chain_id: CHAIN, epoch: 0, view: BigInt(height), height: BigInt(height), parent: digest(`parent ${height}`),
    parent_view: BigInt(height - 1), timestamp, producer: 1, payload: sha256(summary),
  };
  return { items, roots, root: block.root, height, summary: hex(summary), header: hex(encode('MBHD', header)) };
}

// ---- Bitcoin

function transactionOf(epoch, root) {
  const script = concat(Uint8Array.of(0x6a, 0x29), ascii('MDSM'), Uint8Array.of(1), u32(epoch), root);
  return concat(
    u32(1), Uint8Array.of(1), new Uint8Array(36), Uint8Array.of(0), u32(0xffffffff),
    Uint8Array.of(1), new Uint8Array(8), Uint8Array.of(script.length), script, u32(0),
  );
}

/** Headers of regtest with this Merkle root at height 1, and blocks above. */
export function mine(root, above) {
  const genesis = unhex(`01000000${'00'.repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000`);
  const chain = [genesis];
  while (chain.length < 2 + above) {
    const time = Math.floor(Number(STARTED_MS) / 1000) + 600 * chain.length;
    const start = concat(u32(1), hash256(chain.at(-1)), chain.length === 1 ? root : digest(`block ${chain.length}`), u32(time), u32(0x207fffff));
    let nonce = 0;
    while (hash256(start, u32(nonce))[31] > 0x7f) nonce += 1;
    chain.push(concat(start, u32(nonce)));
  }
  return concat(...chain);
}

// ---- Answers

/** `spoil` may change the booking of the first record before anything is made of it. */
export async function network({ above = 8, spoil = null } = {}) {
  const who = {};
  for (const [name, seed] of Object.entries(SEEDS)) who[name] = await keyOf(unhex(seed));
  const told = await story(who);
  if (spoil) {
    const [[[first]]] = told;
    spoil(first.booking);
    Object.assign(first, { id: hex(recordId(first.booking)), bytes: encode('MBKG', first.booking) });
  }
  const blocks = told.map((items, at) => blockOf(items, at + 1));
  const head = blocks.at(-1).height;
  const dataRoot = levelRoot(3, blocks.map(({ root }) => root));
  const window = levelRoot(4, [dataRoot]);
  const context = digest('context');
  const anchor = anchorRoot(CHAIN, 0, window, context);
  const transaction = transactionOf(0, anchor);
  const coinbase = digest('coinbase');
  const headers = mine(hash256(coinbase, hash256(transaction)), above);

  const placed = blocks.flatMap((block, at) => block.items.flatMap((item, i) => item.map((record, index) => ({ record, block, at, item: i, index }))));
  const receiptOf = ({ record, block, at, item, index }) => {
    const leaves = block.items[item].map(({ bytes }) => leafHash(bytes));
    return encode('MRCP', {
      chain_id: CHAIN, epoch: 0, booking: record.booking,
      item_index: index, item_size: leaves.length, block_index: item, block_size: block.items.length,
      data_index: at, data_size: blocks.length, window_index: 0, window_size: 1,
      path: [...pathOf(leaves, index), ...pathOf(block.roots.map(leafHash), item), ...pathOf(blocks.map(({ root }) => leafHash(root)), at)],
      context, bitcoin: { height: 1, transaction, tx_index: 1, branch: [coinbase] },
    });
  };
  const proofs = (found, withContent) => {
    const used = [...new Set(found.map(({ block }) => block))];
    return {
      blocks: used.map(({ header, summary }) => ({ finality: { header, above: [], certificate: 'not looked at' }, summary })),
      records: found.map(({ record, block, item, index }) => ({
        id: record.id, block: used.indexOf(block), booking: hex(record.bytes),
        ...(withContent(record) ? { content: hex(record.content) } : {}),
        item: hex(block.roots[item]), in_item: [index, block.items[item].length],
        item_path: pathOf(block.items[item].map(({ bytes }) => leafHash(bytes)), index).map(hex),
        in_block: [item, block.items.length], block_path: pathOf(block.roots.map(leafHash), item).map(hex),
      })),
    };
  };
  const placeOf = ({ block, item, index }) => `${block.height}.${item}.${index}`;
  const isAct = (record) => record.booking.metadata.content_type.endsWith('.access');
  const owned = placed.filter(({ record }) => hex(record.booking.owner) === who.owner.owner);
  const shared = placed.filter(({ record }) => isAct(record) || owned.some((one) => one.record === record));

  /** The answer to a line; null where nothing is asked by it. */
  function answer(line) {
    const url = new URL(line, 'http://localhost');
    const steps = url.pathname.split('/').slice(1);
    const at = Number(url.searchParams.get('at') ?? head);
    const after = url.searchParams.get('after');
    if (url.pathname === '/v1/status') {
      return { answer: 'status', chain_id: hex(CHAIN), institution: 1, head, proven: { header: blocks.at(-1).header, above: [], certificate: '' } };
    }
    if (steps[1] === 'owners' && steps[3] === 'records') {
      const mine_ = steps[2] === who.owner.owner ? owned : [];
      const from = after ? mine_.findIndex((one) => placeOf(one) === after) + 1 : 0;
      const page = mine_.slice(from, from + PAGE_RECORDS);
      const next = from + PAGE_RECORDS < mine_.length ? placeOf(page.at(-1)) : null;
      return { answer: 'records', owner: steps[2], at, ...proofs(page, () => false), next };
    }
    if (steps[1] === 'owners' && steps[3] === 'readers') {
      return { answer: 'sharing', person: steps[2], role: 'owner', at, ...proofs(steps[2] === who.owner.owner ? shared : [], isAct), next: null };
    }
    const one = placed.find(({ record }) => record.id === steps[2]);
    if (steps[1] === 'records' && steps.length === 3 && one) {
      return { answer: 'record', id: steps[2], at, ...proofs([one], ({ content }) => content !== null) };
    }
    if (steps[1] === 'records' && steps[3] === 'receipt' && one) {
      return { answer: 'receipt', id: steps[2], at, ...proofs([one], () => false), receipt: hex(receiptOf(one)) };
    }
    return null;
  }
  return { who, answer, headers, head, owned, receiptOf, ids: owned.map(({ record }) => record.id) };
}

