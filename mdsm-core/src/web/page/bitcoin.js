// What a receipt needs of Bitcoin: the transaction with one MDSM output, its branch, and a chain of headers
// from the genesis block on (harness/spec/anchoring.md, ANC-2).

import { Reader, Refusal, need } from './codec.js';
import { equal, hash256, hex, number, unhex } from './hash.js';

const TRANSACTION_BYTES_MAX = 4096;
const HEADER_BYTES = 80;
const INTERVAL = 2016;
const TWO_WEEKS_S = 1_209_600n;

/** Networks that are known, by the hash of their genesis block as Bitcoin hashes. */
export const NETWORKS = {
  mainnet: {
    genesis: unhex('6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000'),
    retargets: true,
    // Below the work of block 824,000 a chain could be forged.
    workMin: 0x63c4ebd298db40af57541800n,
  },
  regtest: {
    genesis: unhex('06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f'),
    retargets: false,
    workMin: 0n,
  },
};
const TARGET_MAX = 0xffffn << 208n;

/** A hash as Bitcoin's users write it: backwards. */
export const shown = (hash) => hex(Uint8Array.from(hash).reverse());

// ---- Transactions

function compact(reader) {
  const [first] = reader.take(1);
  if (first < 253) return first;
  const value = Number(number(reader.take(2 ** (first - 252))));
  if (value < [253, 2 ** 16, 2 ** 32][first - 253]) reader.fail('transaction', 'a length in more bytes than it needs');
  return value;
}

/** Scripts of the outputs. Without inputs it would be the serialisation with witness. */
function scriptsOf(bytes) {
  const reader = new Reader(bytes);
  reader.take(4);
  const inputs = compact(reader);
  if (inputs === 0) reader.fail('transaction', 'there are no inputs, or a witness');
  for (let i = 0; i < inputs; i += 1) {
    reader.take(36);
    reader.take(compact(reader) + 4);
  }
  const scripts = [];
  for (let left = compact(reader); left > 0; left -= 1) {
    reader.take(8);
    scripts.push(reader.take(compact(reader)));
  }
  reader.take(4);
  if (reader.left > 0) reader.fail('transaction', `${reader.left} bytes follow`);
  return scripts;
}

/** What a script that begins with OP_RETURN pushes first. */
function pushed(script) {
  if (script.length < 2 || script[0] !== 0x6a || script[1] > 78) return new Uint8Array(0);
  const width = { 76: 1, 77: 2, 78: 4 }[script[1]] ?? 0;
  if (width === 0) return script.subarray(2, 2 + script[1]);
  const counted = script.subarray(2, 2 + width);
  const length = counted.length > 0 ? Number(number(counted)) : 0;
  return script.subarray(2 + width, 2 + width + length);
}

const MARK = Uint8Array.of(0x4d, 0x44, 0x53, 0x4d);
const OPENING = Uint8Array.of(0x6a, 0x29, ...MARK, 1);

/** Epoch and anchor root of the one MDSM output. */
export function readAnchor(transaction) {
  const { length } = transaction;
  need(length !== 64 && length <= TRANSACTION_BYTES_MAX, 'transaction', `the transaction has ${length} bytes`);
  let scripts;
  try {
    scripts = scriptsOf(transaction);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal('transaction', error.message);
  }
  const found = scripts.filter((script) => equal(pushed(script).subarray(0, 4), MARK));
  need(found.length === 1, 'transaction', `${found.length} MDSM outputs where 1 is expected`);
  const [script] = found;
  need(script.length === 43 && equal(script.subarray(0, 7), OPENING), 'transaction', 'the MDSM output has another form');
  return { epoch: Number(number(script.subarray(7, 11))), root: script.subarray(11) };
}

// ---- Headers

const wordIn = (header, at) => new DataView(header.buffer, header.byteOffset, HEADER_BYTES).getUint32(at, true);
const timeIn = (header) => wordIn(header, 68);
const bitsIn = (header) => wordIn(header, 72);

/** The target that bits state. */
function targetOf(bits) {
  const [size, digits] = [bits >>> 24, BigInt(bits & 0x7fffff)];
  if (bits & 0x800000) return 0n;
  return size > 3 ? digits << BigInt(8 * (size - 3)) : digits >> BigInt(8 * (3 - size));
}

/** A target as bits: three bytes, of which the first is not negative, and how many follow. */
function bitsOf(target) {
  let size = Math.ceil(target.toString(16).length / 2);
  let digits = size > 3 ? target >> BigInt(8 * (size - 3)) : target << BigInt(8 * (3 - size));
  if (digits & 0x800000n) {
    digits >>= 8n;
    size += 1;
  }
  return size * 0x1000000 + Number(digits);
}

/** Bits after an interval of 2,016 blocks that took so long. */
export function retarget(bits, seconds) {
  const span = BigInt(Math.max(0, seconds));
  const [low, high] = [TWO_WEEKS_S / 4n, TWO_WEEKS_S * 4n];
  const taken = span < low ? low : span > high ? high : span;
  const target = (targetOf(bits) * taken) / TWO_WEEKS_S;
  return bitsOf(target > TARGET_MAX ? TARGET_MAX : target);
}

/** A chain of headers from height 0 on, each checked when it is added. */
export class Headers {
  // Whole, one behind the other: mainnet has a million of them.
  #bytes = new Uint8Array(64 * HEADER_BYTES);
  #tip = null;

  constructor() {
    this.network = null;
    this.length = 0;
    this.work = 0n;
  }

  /** Whole headers behind those that are there. Whatever is refused, the chain stays as far as it is sound. */
  add(bytes) {
    const whole = Math.floor(bytes.length / HEADER_BYTES);
    for (let at = 0; at < whole; at += 1) this.#push(bytes.subarray(HEADER_BYTES * at, HEADER_BYTES * (at + 1)));
    const more = bytes.length % HEADER_BYTES;
    need(more === 0, 'headers', `header ${this.length}: ${more} bytes where a header has ${HEADER_BYTES}`);
    return this;
  }

  /**
   * The chain of a whole file of headers. What this chain has already is not checked again, where the file
   * has it too; links see to all that lies below.
   */
  follow(bytes) {
    const last = bytes.subarray(HEADER_BYTES * (this.length - 1), HEADER_BYTES * this.length);
    const isLonger = this.length > 0 && last.length === HEADER_BYTES && equal(last, this.#at(this.length - 1));
    return isLonger ? this.add(bytes.subarray(HEADER_BYTES * this.length)) : new Headers().add(bytes);
  }

  #push(header) {
    const [height, hash, bits] = [this.length, hash256(header), bitsIn(header)];
    const fails = (why) => {
      throw new Refusal('headers', `header ${height}: ${why}`, { height });
    };
    if (height === 0) {
      const known = Object.entries(NETWORKS).find(([, { genesis }]) => equal(genesis, hash));
      if (!known) fails(`${shown(hash)} is no genesis block that is known here`);
      [this.network] = known;
    } else {
      if (!equal(header.subarray(4, 36), this.#tip)) fails(`it does not follow ${shown(this.#tip)}`);
      if (bits !== this.#expected()) fails('it states another difficulty than the rule asks for');
    }
    const target = targetOf(bits);
    if (number(hash) > target) fails('its hash is above its target: there is no work in it');
    if (this.#bytes.length < HEADER_BYTES * (height + 1)) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(header, HEADER_BYTES * height);
    this.#tip = hash;
    this.length += 1;
    this.work += 2n ** 256n / (target + 1n);
  }

  #at(height) {
    return this.#bytes.subarray(HEADER_BYTES * height, HEADER_BYTES * (height + 1));
  }

  #expected() {
    const [last, { retargets }] = [this.#at(this.length - 1), NETWORKS[this.network]];
    if (!retargets || this.length % INTERVAL !== 0) return bitsIn(last);
    return retarget(bitsIn(last), timeIn(last) - timeIn(this.#at(this.length - INTERVAL)));
  }

  /** A block: hash, Merkle root, the miner's time in seconds, and how deep it lies. */
  block(height) {
    need(height < this.length, 'headers', `block ${height} is asked for, the headers end at ${this.length - 1}`);
    const header = this.#at(height);
    const confirmations = this.length - height;
    return { height, hash: hash256(header), root: header.subarray(36, 68), time: timeIn(header), confirmations };
  }

  /** Refuses a chain that is empty, or too cheap to be believed. */
  check() {
    need(this.length > 0, 'headers', 'header 0: there is none');
    const { workMin } = NETWORKS[this.network];
    need(this.work >= workMin, 'headers', `${this.length} headers hold less work than mainnet had at block 824,000`);
  }
}

/** The Merkle root to which transaction and branch lead. */
export function branchRoot({ transaction, tx_index: index, branch }) {
  need(index < 2 ** branch.length, 'headers', `place ${index} in a tree of ${branch.length} levels`);
  let [node, place] = [hash256(transaction), index];
  for (const other of branch) {
    const isRight = place % 2 === 1;
    need(!isRight || !equal(other, node), 'headers', 'a node stands right of its own equal');
    node = isRight ? hash256(other, node) : hash256(node, other);
    place = Math.floor(place / 2);
  }
  return node;
}
