// Who may read what, from the acts that an answer proves: harness/spec/reencryption.md, Access records.
//
// An act that comes out of order, or from another key than the one whose act it is, has no effect.

import { decode } from './codec.js';
import { hex } from './hash.js';

export const ACCESS_MEDIA_TYPE = 'application/vnd.mdsm.access';

const REQUEST_BLOCKS = 432_000n;
const GRANT_BLOCKS = 5_256_000n;
const DISPUTE_BLOCKS = 100_800n;
const KEPT_BLOCKS = 2n * DISPUTE_BLOCKS + 1n;
const [REQUESTS_MAX, GRANTS_MAX, BIDS_MAX] = [256, 4096, 256];

/** The FHIR resource that a record of each kind of act has. */
export const ACT_RESOURCES = [
  'CommunicationRequest', 'Consent', 'Task', 'Task', 'Communication', 'Consent', 'AuditEvent', 'AuditEvent',
];

const count = (map, holds) => [...map.values()].filter(holds).length;
const names = (files) => files.map(({ record }) => hex(record));

/** Requests and grants after the acts that were applied. Keys and ids are hex. */
export class Access {
  /** `ownerOf(id)` gives the owner of a booked record, `seatOf(key)` the institution that has a seat by that key. */
  constructor({ ownerOf, seatOf }) {
    Object.assign(this, { ownerOf, seatOf, height: 0n, requests: new Map(), grants: new Map() });
  }

  /** A block is reached: what is over by then is forgotten. */
  reach(height) {
    if (height > this.height) this.height = height;
    for (const [id, { at }] of this.requests) if (this.height - at >= REQUEST_BLOCKS) this.requests.delete(id);
    for (const [id, { until }] of this.grants) if (this.height >= until + KEPT_BLOCKS) this.grants.delete(id);
  }

  /** Applies an act; gives whether it has an effect. */
  book(record, signer, bytes) {
    const { kind, value } = decode('MACT', bytes);
    const acts = [this.#request, this.#grant, this.#bid, this.#choose, this.#deliver, this.#revoke, this.#dispute, this.#confirm];
    return acts[kind].call(this, value, record, signer);
  }

  #open(grant) {
    const held = this.grants.get(hex(grant));
    return held && !held.isRevoked && this.height <= held.until ? held : null;
  }

  #request(act, id, reader) {
    const [owner, records] = [hex(act.owner), act.records.map(hex)];
    const able = count(this.requests, (one) => one.reader === reader) < REQUESTS_MAX
      && records.every((record) => this.ownerOf(record) === owner);
    if (able) this.requests.set(id, { owner, reader, readerKey: hex(act.reader_key), records, at: this.height });
    return able;
  }

  #grant(act, id, owner) {
    const request = this.requests.get(hex(act.request));
    const [files, ahead] = [names(act.files), act.until - this.height];
    const able = request?.owner === owner
      && files.every((file) => request.records.includes(file))
      && ahead >= 1n && ahead <= GRANT_BLOCKS
      && count(this.grants, (one) => one.owner === owner) < GRANTS_MAX;
    if (!able) return false;
    this.requests.delete(hex(act.request));
    const { reader, readerKey } = request;
    this.grants.set(id, {
      owner, reader, readerKey, files, until: act.until, since: this.height, isRevoked: false,
      bids: new Map(), proxy: null, delivery: null, disputed: null, isSettled: false,
    });
    return true;
  }

  #bid(act, _, signer) {
    const [held, institution] = [this.#open(act.grant), this.seatOf(signer)];
    const able = held && institution !== undefined && held.proxy === null && !held.bids.has(institution)
      && held.bids.size < BIDS_MAX && signer !== held.owner && signer !== held.reader;
    if (able) held.bids.set(institution, signer);
    return Boolean(able);
  }

  #choose(act, _, signer) {
    const held = this.#open(act.grant);
    const key = held?.bids.get(act.institution);
    const able = key !== undefined && signer === held.owner && held.proxy === null && this.seatOf(key) === act.institution;
    if (able) held.proxy = key;
    return able;
  }

  #deliver(act, _, signer) {
    const [held, files] = [this.#open(act.grant), names(act.files)];
    const able = held && held.proxy === signer && held.delivery === null
      && files.length === held.files.length && files.every((file) => held.files.includes(file));
    if (able) held.delivery = { at: this.height, files: new Map(act.files.map((file) => [hex(file.record), hex(file.digest)])) };
    return Boolean(able);
  }

  #revoke(act, _, signer) {
    const held = this.#open(act.grant);
    const able = held?.owner === signer;
    if (able) Object.assign(held, { until: this.height, isRevoked: true });
    return able;
  }

  #dispute(act, _, signer) {
    const held = this.grants.get(hex(act.grant));
    const able = held?.reader === signer && held.delivery !== null && held.disputed === null
      && this.height - held.delivery.at <= DISPUTE_BLOCKS
      && held.delivery.files.get(hex(act.record)) === hex(act.delivery);
    if (able) held.disputed = this.height;
    return able;
  }

  #confirm(act, _, signer) {
    const held = this.grants.get(hex(act.grant));
    const able = held?.owner === signer && held.disputed !== null && !held.isSettled
      && this.height - held.disputed <= DISPUTE_BLOCKS;
    if (able) held.isSettled = true;
    return able;
  }

  /** Who may read which record, by grant and record. */
  readings() {
    const held = [...this.grants].filter(([, { isRevoked, until }]) => !isRevoked && this.height <= until);
    held.sort(([one], [other]) => (one < other ? -1 : 1));
    return held.flatMap(([grant, { files, reader, readerKey, until, since, delivery }]) =>
      [...files].sort().map((record) => ({ grant, record, reader, readerKey, until, since, isDelivered: delivery !== null })));
  }
}
