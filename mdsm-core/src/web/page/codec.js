// Values and their bytes, as harness/spec/storage.md draws them: what receipts, acts and proofs are made of.
//
// A type is { read(reader), write(value) }. A decoder refuses every byte string that is not the encoding of
// the value which it would yield, so a value that was read has one encoding and one hash.

import { ascii, compare, concat, u32 } from './hash.js';

/** A refusal: a kind of fault by the names of the adapter protocol, and where it lies. */
export class Refusal extends Error {
  constructor(kind, why, place = {}) {
    super(why);
    this.kind = kind;
    Object.assign(this, place);
  }
}

export function need(condition, kind, why, place) {
  if (!condition) throw new Refusal(kind, why, place);
}

/** Bytes to read, the place reached, and the path of the field that is read there. */
export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.path = [];
  }

  get left() {
    return this.bytes.length - this.at;
  }

  fail(kind, why) {
    const path = this.path.join('.') || 'value';
    throw new Refusal(kind, `${path}, byte ${this.at}: ${why}`, { path, offset: this.at });
  }

  take(count) {
    if (count > this.left) this.fail('truncated', `${count} bytes are needed, ${this.left} are left`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  inside(name, type) {
    this.path.push(name);
    const value = type.read(this);
    this.path.pop();
    return value;
  }

  /** A count of elements or bytes: within its bound, and not more than bytes are left. */
  count(low, high) {
    this.take(4);
    const count = this.view.getUint32(this.at - 4, true);
    if (count < low || count > high) this.fail('bound', `${count} is not from ${low} to ${high}`);
    if (count > this.left) this.fail('truncated', `${count} are announced, ${this.left} bytes are left`);
    return count;
  }
}

// ---- Kinds of types

const FORMS = {
  u8: [1, 'Uint8'], u16: [2, 'Uint16'], u32: [4, 'Uint32'], u64: [8, 'BigUint64'], i16: [2, 'Int16'], i64: [8, 'BigInt64'],
};

/** A number; those of 8 bytes are BigInts. A number that stands for something has the kind `variant`. */
function number(form, low, high, kind = 'bound') {
  const [length, name] = FORMS[form];
  return {
    read(reader) {
      reader.take(length);
      const value = reader.view[`get${name}`](reader.at - length, true);
      if (low !== undefined && (value < low || value > high)) {
        reader.fail(kind, `${value} is not from ${low} to ${high}`);
      }
      return value;
    },
    write(value) {
      const bytes = new Uint8Array(length);
      new DataView(bytes.buffer)[`set${name}`](0, value, true);
      return bytes;
    },
  };
}

const fixed = (length) => ({ read: (reader) => reader.take(length), write: (value) => value });

const bytes = (low, high) => ({
  read: (reader) => reader.take(reader.count(low, high)),
  write: (value) => concat(u32(value.length), value),
});

/** Printable ASCII of a form. */
const text = (low, high, form = /^[ -~]*$/) => ({
  read(reader) {
    const value = String.fromCharCode(...reader.take(reader.count(low, high)));
    return form.test(value) ? value : reader.fail('rule', 'the text is not of the form that it should have');
  },
  write: (value) => concat(u32(value.length), ascii(value)),
});

const option = (type) => ({
  read(reader) {
    const [tag] = reader.take(1);
    if (tag > 1) reader.fail('variant', `${tag} where 0 or 1 is expected`);
    return tag === 1 ? type.read(reader) : null;
  },
  write: (value) => (value === null ? Uint8Array.of(0) : concat(Uint8Array.of(1), type.write(value))),
});

const keyOf = (value) => (value instanceof Uint8Array || typeof value === 'number' ? value : Object.values(value)[0]);
const order = (one, other) => {
  if (typeof one === 'number') return one - other;
  return typeof one === 'string' ? compare(ascii(one), ascii(other)) : compare(one, other);
};

const list = (type, low, high) => ({
  read(reader) {
    const count = reader.count(low, high);
    return Array.from({ length: count }, (_, at) => reader.inside(at, type));
  },
  write: (values) => concat(u32(values.length), ...values.map(type.write)),
});

/** A list whose elements, or their first fields, strictly ascend. */
const ascending = (type, low, high) => ({
  read(reader) {
    const count = reader.count(low, high);
    const values = [];
    for (let at = 0; at < count; at += 1) {
      values.push(reader.inside(at, type));
      if (at > 0 && order(keyOf(values[at - 1]), keyOf(values[at])) >= 0) {
        reader.fail('order', `element ${at} does not ascend`);
      }
    }
    return values;
  },
  write: list(type, low, high).write,
});

/** An enumeration: { kind, ...body } where bodies are structs, else { kind, value }. */
const choice = (variants) => ({
  read(reader) {
    const [kind] = reader.take(1);
    if (!variants[kind]) reader.fail('variant', `there is no kind ${kind}`);
    return { kind, value: variants[kind].read(reader) };
  },
  write: ({ kind, value }) => concat(Uint8Array.of(kind), variants[kind].write(value)),
});

/** A struct; `rule` gives [kind of fault, why] where fields contradict each other. */
const struct = (fields, rule) => ({
  fields,
  read(reader) {
    const value = {};
    for (const [name, type] of Object.entries(fields)) value[name] = reader.inside(name, type);
    const broken = rule?.(value);
    if (broken) reader.fail(...broken);
    return value;
  },
  write: (value) => concat(...Object.entries(fields).map(([name, type]) => type.write(value[name]))),
});

// ---- Types

const [u8, u16, u32_, u64, i64] = ['u8', 'u16', 'u32', 'u64', 'i64'].map((form) => number(form));
const meaning = (low, high) => number('u8', low, high, 'variant');
const digest = fixed(32);
const METADATA_BYTES_MAX = 2048;
const INLINE_BYTES_MAX = 102_400;

const code = struct({ system: meaning(1, 4), code: text(1, 18) });
export const metadata = struct(
  {
    resource_type: text(1, 64, /^[A-Z][A-Za-z]*$/),
    content_type: text(3, 127, /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+(;[ -~]*)?$/),
    created: number('i64', 0n, 253_402_300_799_999n),
    tz_offset_min: option(number('i16', -840, 840)),
    size: number('u64', 1n, 2n ** 64n - 1n),
    kind: option(code),
    category: option(code),
    status: meaning(1, 3),
    relates_to: option(struct({ kind: meaning(1, 4), record: digest })),
    format: option(text(1, 96)),
    language: option(text(2, 35, /^[A-Za-z0-9-]*$/)),
    custodian: option(digest),
    author: option(digest),
    activity: meaning(1, 4),
    security: ascending(meaning(1, 3), 0, 3),
    consent: option(digest),
    encryption: option(struct({ scheme: meaning(1, 1), key: digest })),
    ext: ascending(struct({ key: text(1, 32), value: bytes(0, 256) }), 0, 8),
  },
  (value) => {
    const { length } = metadata.write(value);
    return length > METADATA_BYTES_MAX && ['bound', `metadata of ${length} bytes`];
  },
);
const content = choice({ 0: bytes(1, INLINE_BYTES_MAX), 1: digest });
export const reference = choice({ 0: digest, 1: digest });

const referenceRule = ({ content: { kind }, metadata: { encryption } }) =>
  (kind === 1) !== (encryption !== null) && ['rule', 'inline content names no encryption, stored content names one'];
const recordRule = (value) => {
  const { content: { kind, value: inline }, metadata: { size } } = value;
  if (kind === 0 && BigInt(inline.length) !== size) {
    return ['rule', `size ${size} for content of ${inline.length} bytes`];
  }
  return referenceRule(value);
};

const signed = { owner_signature: fixed(64), booked_by: u32_ };
const record = struct({ owner: digest, metadata, content }, recordRule);
const envelope = struct({ owner: digest, metadata, content, ...signed }, recordRule);
const booking = struct({ owner: digest, metadata, content: reference, ...signed }, referenceRule);

const itemHeader = struct({ chain_id: digest, height: u64, producer: u32_, closed_at: i64, root: digest });
const summary = struct({ item_block: option(itemHeader), certificate: option(digest), events: digest });
const header = struct({
  chain_id: digest, epoch: u32_, view: u64, height: u64, parent: digest, parent_view: u64, timestamp: i64,
  producer: u32_, payload: digest,
});

const bitcoin = struct({ height: u32_, transaction: bytes(0, 4096), tx_index: u32_, branch: list(digest, 0, 24) });
const receipt = struct({
  chain_id: digest, epoch: u32_, booking,
  item_index: u8, item_size: u8, block_index: u16, block_size: u16, data_index: u8, data_size: u8,
  window_index: u32_, window_size: u32_,
  path: list(digest, 0, 64), context: digest, bitcoin: option(bitcoin),
});

const files = ascending(struct({ record: digest, digest }), 1, 64);
const act = choice({
  0: struct({ owner: digest, reader_key: digest, offer: digest, records: ascending(digest, 1, 64) }),
  1: struct({ request: digest, owner_key: digest, until: u64, files }),
  2: struct({ grant: digest, parcels: digest }),
  3: struct({ grant: digest, institution: u32_, rekey: digest, parcel: digest }),
  4: struct({ grant: digest, files }),
  5: struct({ grant: digest }),
  6: struct({ grant: digest, record: digest, delivery: digest }),
  7: struct({ grant: digest, finding: meaning(1, 2) }),
});

/** Types that stand alone, by their tags. */
export const TAGS = {
  MREC: record, MENV: envelope, MBKG: booking, MBHD: header, MSUM: summary, MRCP: receipt, MACT: act,
};

/** A top-level value: tag, version 1, the value, and nothing behind it. */
export function decode(tag, data) {
  const reader = new Reader(data);
  const found = reader.take(4);
  if (compare(found, ascii(tag)) !== 0) reader.fail('tag', `${tag} is expected`);
  const [version] = reader.take(1);
  if (version !== 1) reader.fail('version', `version ${version}, 1 is expected`);
  const value = TAGS[tag].read(reader);
  if (reader.left > 0) reader.fail('trailing', `${reader.left} bytes follow`);
  return value;
}

/** Tag and version, which also open preimages that are never stored. */
export const prefix = (tag) => concat(ascii(tag), Uint8Array.of(1));

export const encode = (tag, value) => concat(prefix(tag), TAGS[tag].write(value));
