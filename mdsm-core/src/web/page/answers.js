// What an institution answers, and which of it is believed here: what follows from signatures and hashes
// (harness/spec/clients.md, Order of checks, 7 to 15).
//
// Not checked by this page: certificates of blocks and the rosters behind them. That a record is booked, and
// that nothing was left out, is the word of the institution that serves the page. A receipt needs no word.

import { ACCESS_MEDIA_TYPE, ACT_RESOURCES, Access } from './access.js';
import { Refusal, decode, need } from './codec.js';
import { equal, hex, sha256, unhex } from './hash.js';
import { climb } from './merkle.js';
import { checkOwner, recordId } from './receipt.js';

/** A part of an answer that is not of the form it should have is refused like one that does not hold. */
function bytesOf(text, name, length = null) {
  const bytes = unhex(text);
  need(bytes && (length === null || bytes.length === length), 'answer', `${name} is not hex of the right length`);
  return bytes;
}

const listOf = (value, name) => {
  need(Array.isArray(value), 'answer', `${name} is no list`);
  return value;
};

/** What is of no form that can be read is refused as well, whatever it is. */
const refusing = (reader) => async (...args) => {
  try {
    return await reader(...args);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('answer', `it is not of the form of an answer (${error.message})`);
  }
};

/** Place in the order of booking. */
export const place = ({ height, item, index }) => `${height}.${item}.${index}`;
const placeOf = (text) => {
  const [height, item, index] = text.split('.');
  return { height: BigInt(height), item: Number(item), index: Number(index) };
};
const isBehind = (one, other) =>
  one.height !== other.height ? one.height > other.height
    : one.item !== other.item ? one.item > other.item : one.index > other.index;

/** Network and highest block that can be proven. */
export const readStatus = refusing((answer) => {
  need(answer?.answer === 'status', 'answer', 'it is no status');
  const chain = bytesOf(answer.chain_id, 'chain_id', 32);
  if ((answer.proven ?? null) === null) return { chain, institution: answer.institution, height: null, timestamp: null };
  const header = decode('MBHD', bytesOf(answer.proven.header, 'proven.header'));
  need(equal(header.chain_id, chain), 'network', 'the block is of another network');
  return { chain, institution: answer.institution, height: header.height, timestamp: header.timestamp, epoch: header.epoch };
});

function readBlock(chain, { finality, summary }) {
  const header = decode('MBHD', bytesOf(finality.header, 'header'));
  need(equal(header.chain_id, chain), 'network', `block ${header.height} is of another network`);
  const bytes = bytesOf(summary, 'summary');
  need(equal(sha256(bytes), header.payload), 'payload', `block ${header.height} commits to another payload`);
  const { item_block: block } = decode('MSUM', bytes);
  need(block !== null, 'item_block', `block ${header.height} carries no Item block`);
  return { height: header.height, epoch: header.epoch, timestamp: header.timestamp, root: block.root };
}

async function readRecord(chain, blocks, proof) {
  const block = blocks[proof.block];
  need(block !== undefined, 'answer', `block ${proof.block} is not in the answer`);
  const bytes = bytesOf(proof.booking, 'booking');
  const booking = decode('MBKG', bytes);
  const hashes = (path, name) => listOf(path, name).map((hash) => bytesOf(hash, name, 32));
  const [[index, records], [item, items]] = [listOf(proof.in_item, 'in_item'), listOf(proof.in_block, 'in_block')];
  need([index, records, item, items].every(Number.isInteger), 'answer', `a place of record ${proof.id} is no number`);
  const itemRoot = climb(1, bytes, index, records, hashes(proof.item_path, 'item_path'));
  need(hex(itemRoot) === proof.item, 'item', `record ${proof.id} leads to another Item`);
  const blockRoot = climb(2, itemRoot, item, items, hashes(proof.block_path, 'block_path'));
  need(equal(blockRoot, block.root), 'item_block', `the Item of record ${proof.id} is not in block ${block.height}`);
  need(hex(recordId(booking)) === proof.id, 'record_id', `what is booked is not ${proof.id}`);
  await checkOwner(chain, booking);
  let content = null;
  if (proof.content !== undefined) {
    content = bytesOf(proof.content, 'content');
    const { kind, value } = booking.content;
    const isIt = kind === 0 && equal(sha256(content), value) && BigInt(content.length) === booking.metadata.size;
    need(isIt, 'content', `record ${proof.id} has another content`);
  }
  return {
    id: proof.id, owner: hex(booking.owner), booking, content, epoch: block.epoch, bookedAt: block.timestamp,
    height: block.height, item, index,
  };
}

/** Records with their blocks, in the order of booking, none above the height asked for. */
async function readRecords(chain, at, answer) {
  const blocks = listOf(answer.blocks, 'blocks').map((block) => readBlock(chain, block));
  const records = [];
  for (const proof of listOf(answer.records, 'records')) {
    const record = await readRecord(chain, blocks, proof);
    need(record.height <= at, 'answer', `record ${record.id} is booked above height ${at}`);
    need(records.length === 0 || isBehind(record, records.at(-1)), 'order', `record ${record.id} is out of order`);
    records.push(record);
  }
  return { records, blocks };
}

const answers = (answer, kind, name, value, at) => {
  need(answer?.answer === kind, 'answer', `it is no answer of the kind ${kind}`);
  need(answer[name] === value && BigInt(answer.at) === at, 'answer', 'it answers another question');
};

/** Records of an owner behind a place. */
export const readOwned = refusing(async (chain, owner, at, answer, after = null) => {
  answers(answer, 'records', 'owner', owner, at);
  const { records, blocks } = await readRecords(chain, at, answer);
  need(records.every((record) => record.owner === owner), 'owner', 'a record of another owner');
  const isNext = after === null || records.length === 0 || isBehind(records[0], placeOf(after));
  need(isNext, 'order', `the page does not begin behind ${after}`);
  const next = answer.next ?? null;
  need(next === null || (records.length > 0 && next === place(records.at(-1))), 'order', 'more is said to follow elsewhere');
  return { records, blocks, next };
});

/** Who may read records of an owner, and who asks to, computed from the acts of the answer. */
export const readSharing = refusing(async (chain, owner, at, answer, after = null) => {
  answers(answer, 'sharing', 'person', owner, at);
  need(answer.role === 'owner', 'answer', 'it answers for readers');
  const { records, blocks } = await readRecords(chain, at, answer);
  const owners = new Map();
  const acts = records.map((record) => ({ record, act: actOf(record) }));
  const access = new Access({ ownerOf: (id) => owners.get(id), seatOf: seatsOf(acts) });
  let last = null;
  for (const { record, act } of acts) {
    access.reach(record.height);
    if (act) {
      if (act.kind === 0) {
        need(after === null || isBehind(record, placeOf(after)), 'order', `the request ${record.id} is not behind ${after}`);
        last = place(record);
      }
      const hasEffect = access.book(record.id, record.owner, record.content);
      need(hasEffect, 'act', `record ${record.id} is an act without effect`);
    }
    owners.set(record.id, record.owner);
  }
  access.reach(at);
  const readings = access.readings();
  const asking = [...access.requests].map(([id, request]) => ({ id, ...request }));
  const isOwners = [...readings.map(({ grant }) => access.grants.get(grant)), ...asking].every((one) => one.owner === owner);
  need(isOwners, 'owner', 'an act about another owner');
  const next = answer.next ?? null;
  need(next === null || next === last, 'order', 'more is said to follow elsewhere');
  return { readings, asking, blocks, next };
});

/** What is shown with its content is an act; the rest are records that somebody asks for, whatever they hold. */
function actOf(record) {
  const { metadata } = record.booking;
  if (record.content === null) return null;
  need(metadata.content_type === ACCESS_MEDIA_TYPE, 'act', `record ${record.id} is no act`);
  const act = decode('MACT', record.content);
  need(metadata.resource_type === ACT_RESOURCES[act.kind], 'act', `record ${record.id} is called another thing than its act`);
  return act;
}

/**
 * Institutions by the keys that bid: a choice names the institution, the bid for its grant that is shown with it
 * has the key. A bid that waits stands for its own key. Whether that key has a seat the rosters say, which this page
 * does not follow.
 */
function seatsOf(acts) {
  const chosen = new Map(acts.filter(({ act }) => act?.kind === 3).map(({ act }) => [hex(act.value.grant), act.value.institution]));
  const bids = acts.filter(({ act }) => act?.kind === 2);
  const seats = new Map(bids.map(({ record }) => [record.owner, record.owner]));
  for (const { record, act } of bids) {
    const institution = chosen.get(hex(act.value.grant));
    if (institution !== undefined) seats.set(record.owner, institution);
  }
  return (key) => seats.get(key);
}

async function readOne(chain, id, at, answer) {
  const { records } = await readRecords(chain, at, answer);
  need(records.length === 1 && records[0].id === id, 'answer', `it is not about record ${id}`);
  return records;
}

/** What a record carries itself. */
export const readContent = refusing(async (chain, id, at, answer) => {
  answers(answer, 'record', 'id', id, at);
  const [{ content }] = await readOne(chain, id, at, answer);
  need(content !== null, 'content', `the content of record ${id} is not shown`);
  return content;
});

/** A record and its receipt, as bytes; null before there is one. */
export const readReceipt = refusing(async (chain, id, at, answer) => {
  answers(answer, 'receipt', 'id', id, at);
  const records = await readOne(chain, id, at, answer);
  if ((answer.receipt ?? null) === null) return { record: records[0], receipt: null };
  const bytes = bytesOf(answer.receipt, 'receipt');
  const receipt = decode('MRCP', bytes);
  const isOfIt = hex(recordId(receipt.booking)) === id && equal(receipt.chain_id, chain) && receipt.epoch === records[0].epoch;
  need(isOfIt, 'receipt', 'it is the receipt of another record');
  return { record: records[0], receipt: bytes };
});

