// The page's modules on a network in small: what is sound is taken, what is broken is refused and named.

import assert from 'node:assert/strict';
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { readContent, readOwned, readReceipt, readSharing, readStatus } from '../answers.js';
import { Headers, retarget } from '../bitcoin.js';
import { LINES, authorization } from '../calls.js';
import { Refusal, decode, encode } from '../codec.js';
import { hex, sha256, sha512, unhex } from '../hash.js';
import { fileOf, keyOf, seedOf } from '../keys.js';
import { CHECKS, verifyReceipt } from '../receipt.js';
import { CODES, LANGUAGES, RESOURCES, preferred, speak } from '../words.js';
import { breakOf, rowsOf } from '../drawing.js';
import { CHAIN, SEEDS, mine, network } from './network.mjs';

const FOLDER = new URL('../', import.meta.url);
const source = (name) => readFileSync(new URL(name, FOLDER), 'utf8');
const net = await network();
const [owner, at] = [net.who.owner.owner, BigInt(net.head)];
const asked = (line) => structuredClone(net.answer(line));
const headers = async () => new Headers().add(net.headers);
const check = (bytes, options = {}) => verifyReceipt(bytes, { headers, ...options });
const sound = net.receiptOf(net.owned[0]);

test('hashes are those of the platform, at every length around a block', () => {
  for (let length = 0; length < 300; length += 1) {
    const data = Uint8Array.from({ length }, (_, i) => 7 * i + length);
    for (const [name, made] of [['sha256', sha256], ['sha512', sha512]]) {
      assert.equal(hex(made(data)), createHash(name).update(data).digest('hex'), `${name} of ${length} bytes`);
    }
  }
});

test('a key comes from its file as the command line makes it, and cannot be read out', async () => {
  const { owner: found, key } = await keyOf(unhex(SEEDS.owner));
  // PKCS 8 of the derived seed, by the platform's own code.
  const seed = createHmac('sha256', Buffer.from(SEEDS.owner, 'hex')).update('MKEY\x01signing').digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const jwk = createPublicKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  assert.equal(found, Buffer.from(jwk.x, 'base64url').toString('hex'));
  assert.equal(key.extractable, false);
  await assert.rejects(crypto.subtle.exportKey('pkcs8', key));
  assert.equal(hex(seedOf(fileOf(unhex(SEEDS.owner)))), SEEDS.owner);
  for (const text of ['', SEEDS.owner.slice(1), `${SEEDS.owner}0`, 'x'.repeat(64)]) assert.equal(seedOf(text), null);
});

test('a call is signed as caller.rs says: network, time, method and line', async () => {
  const line = LINES.records(owner, 7, '3.0.1');
  assert.equal(line, `/v1/owners/${owner}/records?at=7&after=3.0.1`);
  const field = await authorization(net.who.owner, CHAIN, 'GET', line, 1_000_000);
  const [, key, time, signature] = field.match(/^MDSM key=([0-9a-f]{64}),time=(\d+),signature=([0-9a-f]{128})$/);
  assert.deepEqual([key, time], [owner, '1000000']);
  const hashed = createHash('sha256').update(`GET ${line}`).digest();
  const message = Buffer.concat([Buffer.from('MASK\x01'), CHAIN, Buffer.from('40420f0000000000', 'hex'), hashed]);
  assert.equal(message.length, 77);
  const known = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key, 'hex').toString('base64url') }, format: 'jwk' });
  assert.ok(verify(null, message, known, Buffer.from(signature, 'hex')));
});

test('records, readers and receipts of a sound network are taken', async () => {
  assert.equal((await readStatus(asked(LINES.status()))).height, at);
  const first = await readOwned(CHAIN, owner, at, asked(LINES.records(owner, at)));
  const rest = await readOwned(CHAIN, owner, at, asked(LINES.records(owner, at, first.next)));
  assert.deepEqual([...first.records, ...rest.records].map(({ id }) => id), net.ids);
  assert.equal(rest.next, null);
  const { readings, asking } = await readSharing(CHAIN, owner, at, asked(LINES.readers(owner, at)));
  assert.deepEqual(readings.map(({ record }) => record), [net.ids[1], net.ids[2]].sort());
  assert.ok(readings.every(({ reader, until, isDelivered }) => reader === net.who.reader.owner && until === 200_000n && isDelivered));
  assert.deepEqual(asking.map(({ reader, records }) => [reader, records]), [[net.who.second.owner, [net.ids[4]]]]);
  const content = await readContent(CHAIN, net.ids[0], at, asked(LINES.record(net.ids[0], at)));
  assert.equal(new TextDecoder().decode(content), 'Blood pressure 128/82 mmHg');
  const { receipt } = await readReceipt(CHAIN, net.ids[0], at, asked(LINES.receipt(net.ids[0], at)));
  const found = await check(receipt);
  assert.equal(found.holds, true);
  assert.deepEqual(found.checks.map(({ name }) => name), CHECKS);
  assert.deepEqual([found.block.height, found.block.confirmations, found.network], [1, 9, 'regtest']);
});

/** Every text and number of an answer but what makes a block final, of which the page looks at network and payload. */
function changes(value, path = []) {
  if (path.includes('finality')) return [];
  if (typeof value === 'string' || typeof value === 'number') return [path];
  return value === null ? [] : Object.entries(value).flatMap(([name, inner]) => changes(inner, [...path, name]));
}

const flip = (text, place) => text.slice(0, place) + (text[place] === '0' ? '1' : '0') + text.slice(place + 1);

function changed(answer, path) {
  const inner = path.slice(0, -1).reduce((found, name) => found[name], answer);
  const value = inner[path.at(-1)];
  inner[path.at(-1)] = typeof value === 'number' ? value + 1 : flip(value, Math.floor(value.length / 2));
  return answer;
}

test('an answer with any part changed is refused', async () => {
  const id = net.ids[0];
  const readers = [
    [LINES.records(owner, at), (answer) => readOwned(CHAIN, owner, at, answer)],
    [LINES.readers(owner, at), (answer) => readSharing(CHAIN, owner, at, answer)],
    [LINES.record(id, at), (answer) => readContent(CHAIN, id, at, answer)],
    [LINES.receipt(id, at), async (answer) => {
      const { receipt } = await readReceipt(CHAIN, id, at, answer);
      const { fault } = await check(receipt);
      if (fault) throw new Refusal(fault.kind, fault.why);
    }],
  ];
  let count = 0;
  for (const [line, reader] of readers) {
    for (const path of changes(asked(line))) {
      await assert.rejects(async () => reader(changed(asked(line), path)), Refusal, `${line}: ${path.join('.')}`);
      count += 1;
    }
  }
  assert.ok(count > 150, `${count} changes`);
  for (const [place, why] of [[2 * 5, /another network/], [2 * 109, /another payload/]]) {
    const answer = asked(LINES.records(owner, at));
    const { header } = answer.blocks[0].finality;
    answer.blocks[0].finality.header = flip(header, place);
    await assert.rejects(readOwned(CHAIN, owner, at, answer), why);
  }
});

/** Every part of an answer, also those that hold others. */
function* parts(value, path = []) {
  if (path.length > 0) yield path;
  if (value === null || typeof value !== 'object' || path.includes('certificate') || path.includes('above')) return;
  for (const [name, inner] of Object.entries(value)) yield* parts(inner, [...path, name]);
}

test('an answer of any other form is refused, and is no fault of the page', async () => {
  const readers = [
    [LINES.status(), readStatus], [LINES.records(owner, at), (answer) => readOwned(CHAIN, owner, at, answer)],
    [LINES.readers(owner, at), (answer) => readSharing(CHAIN, owner, at, answer)],
    [LINES.receipt(net.ids[0], at), (answer) => readReceipt(CHAIN, net.ids[0], at, answer)],
  ];
  let refused = 0;
  for (const [line, reader] of readers) {
    for (const path of parts(asked(line))) {
      for (const other of [undefined, null, 0, -1, 1.5, 1e300, '', 'x', [], {}, [[]], { length: 9 }, true]) {
        const answer = asked(line);
        path.slice(0, -1).reduce((found, name) => found[name], answer)[path.at(-1)] = other;
        // What the page does not look at, or what may be absent, can be anything.
        await reader(answer).catch((error) => {
          assert.ok(error instanceof Refusal, `${line} ${path.join('.')}: ${error.stack}`);
          refused += 1;
        });
      }
    }
    for (const answer of [undefined, null, 7, 'x', [], {}]) await assert.rejects(reader(answer), Refusal);
  }
  assert.ok(refused > 1000, `${refused} refused`);
});

test('a booked record that its owner did not sign is refused', async () => {
  const forged = await network({ spoil: (booking) => { booking.owner_signature = new Uint8Array(64); } });
  await assert.rejects(readOwned(CHAIN, owner, at, forged.answer(LINES.records(owner, at))), /signature does not hold/);
  const { fault } = await check(forged.receiptOf(forged.owned[0]), { headers: async () => new Headers().add(forged.headers) });
  assert.equal(fault.check, 'owner');
});

test('a bid waits for a choice, and what is asked for is no act, whatever it holds', async () => {
  const answer = asked(LINES.readers(owner, at));
  const acts = answer.records.filter(({ content }) => content);
  const waiting = { ...answer, records: answer.records.filter((one) => !acts.slice(-2).includes(one)) };
  const { readings } = await readSharing(CHAIN, owner, at, waiting);
  assert.deepEqual(readings.map(({ isDelivered }) => isDelivered), [false, false]);
  delete answer.records.at(-1).content;
  assert.ok((await readSharing(CHAIN, owner, at, answer)).readings.every(({ isDelivered }) => !isDelivered));
  answer.records[0].content = acts[0].content;
  await assert.rejects(readSharing(CHAIN, owner, at, answer), Refusal);
  await assert.rejects(readSharing(CHAIN, owner, at, { ...waiting, role: 'reader' }), /answers for readers/);
});

test('what is left out of, repeated in or moved within an answer is refused', async () => {
  const read = (change) => {
    const answer = asked(LINES.readers(owner, at));
    change(answer.records);
    return readSharing(CHAIN, owner, at, answer);
  };
  await assert.rejects(read((records) => records.push(records.at(-1))), /out of order/);
  await assert.rejects(read((records) => records.reverse()), /out of order/);
  await assert.rejects(read((records) => records.splice(1, 1)), /act without effect/);
  await assert.rejects(read((records) => delete records.find(({ content }) => content).content), /act without effect/);
  await assert.rejects(readOwned(CHAIN, net.who.reader.owner, at, asked(LINES.records(owner, at))), /another question/);
  await assert.rejects(readOwned(CHAIN, owner, 0n, { ...asked(LINES.records(owner, at)), at: 0 }), /above height 0/);
  await assert.rejects(readOwned(CHAIN, owner, at, asked(LINES.records(owner, at)), '3.0.0'), /behind 3.0.0/);
  await assert.rejects(readSharing(CHAIN, owner, at, asked(LINES.readers(owner, at)), '3.0.0'), /behind 3.0.0/);
  const anothers = { ...asked(LINES.records(owner, at)), owner: net.who.reader.owner };
  await assert.rejects(readOwned(CHAIN, net.who.reader.owner, at, anothers), /another owner/);
  for (const nothing of [null, {}, [], 'x', { answer: 'records' }]) await assert.rejects(readOwned(CHAIN, owner, at, nothing), Refusal);
});

test('a receipt with any bit flipped does not hold', async () => {
  // The delegate and all behind it lead to the root; before it stands what the owner signed.
  for (let byte = 0; byte < sound.length; byte += 1) {
    const copy = Uint8Array.from(sound);
    copy[byte] ^= 1 << (byte % 8);
    const { holds, fault } = await check(copy);
    assert.equal(holds, false, `byte ${byte}`);
    assert.ok(CHECKS.includes(fault.check) && breakOf({ fault }).length === 2);
  }
});

test('a receipt is checked against headers, their depth and the file', async () => {
  const faultOf = async (options, bytes = sound) => (await check(bytes, options)).fault?.check ?? null;
  const chain = (bytes) => ({ headers: async () => new Headers().add(bytes) });
  assert.equal(await faultOf({ contentDigest: sha256(net.owned[0].record.content) }), null);
  assert.equal(await faultOf({ contentDigest: sha256(new Uint8Array(3)) }), 'content');
  assert.equal(await faultOf(chain(net.headers.subarray(0, 80 * 6))), 'depth');
  assert.equal(await faultOf(chain(net.headers.subarray(0, 80 * 7))), null);
  assert.equal(await faultOf(chain(net.headers.subarray(0, 80))), 'height');
  assert.equal(await faultOf(chain(net.headers.subarray(0, 79))), 'headers');
  assert.equal(await faultOf(chain(net.headers.subarray(80))), 'headers');
  assert.equal(await faultOf(chain(mine(new Uint8Array(32), 8))), 'branch');
  assert.equal(await faultOf({}, new TextEncoder().encode('a letter')), 'form');
});

test('a chain follows longer files and other branches, and stays as far as it is sound', () => {
  let chain = new Headers();
  for (const headers of [3, 3, 7, net.headers.length / 80]) {
    const before = chain;
    chain = chain.follow(net.headers.subarray(0, 80 * headers));
    assert.deepEqual([chain.length, chain === before], [headers, headers !== 3 || before.length > 0]);
  }
  const branch = chain.follow(mine(new Uint8Array(32), 8));
  assert.notEqual(branch, chain);
  assert.notDeepEqual(branch.block(1).root, chain.block(1).root);
  assert.equal(chain.follow(net.headers.subarray(0, 160)).length, 2);
  const changed = Uint8Array.from(net.headers);
  changed[80 * (chain.length - 1) + 10] ^= 1;
  assert.throws(() => chain.follow(changed), /header 9: it does not follow/);
  assert.equal(chain.length, net.headers.length / 80);
  assert.throws(() => chain.add(net.headers.subarray(80, 160)), /does not follow/);
  assert.equal(chain.length, net.headers.length / 80);
});

test('difficulty follows the time that 2,016 blocks took', () => {
  // Blocks 32,256, 2,016 and 68,544 of Bitcoin, and four times the time at most.
  assert.equal(retarget(0x1d00ffff, 1_262_152_739 - 1_261_130_161), 0x1d00d86a);
  assert.equal(retarget(0x1d00ffff, 1_233_061_996 - 1_231_006_505), 0x1d00ffff);
  assert.equal(retarget(0x1c05a3f4, 1_279_297_671 - 1_279_008_237), 0x1c0168fd);
  assert.equal(retarget(0x1c387f6f, 1_269_211_443 - 1_263_163_443), 0x1d00e1fd);
  assert.equal(retarget(0x1c05a3f4, -1), 0x1c0168fd);
});

test('the picture shows where it breaks', async () => {
  const words = speak('en');
  const states = async (bytes, options) => rowsOf(await check(bytes, options), words).map(({ state, line }) => [state, line]);
  const good = await states(sound);
  assert.equal(good.length, 9);
  assert.ok(good.flat().every((state) => state === 'good'));
  const shallow = await states(sound, { headers: async () => new Headers().add(net.headers.subarray(0, 400)) });
  assert.deepEqual(shallow.at(-1), ['bad', 'good']);
  const elsewhere = await states(sound, { headers: async () => new Headers().add(mine(new Uint8Array(32), 8)) });
  // Another delegate than the one that was anchored: the record is its owner's, and leads elsewhere.
  const other = decode('MRCP', sound);
  other.booking.booked_by += 1;
  const moved = await states(encode('MRCP', other));
  assert.deepEqual(moved.slice(5), [['good', 'good'], ['open', 'bad'], ['open', 'open'], ['open', 'open']]);
  assert.deepEqual(elsewhere.slice(6), [['good', 'good'], ['open', 'bad'], ['open', 'open']]);
});

test('both languages say everything, with the same values', () => {
  const [english, chinese] = [LANGUAGES.en, LANGUAGES.zh];
  assert.deepEqual(Object.keys(chinese), Object.keys(english));
  const values = (entry) => [...JSON.stringify(entry).matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join();
  for (const [key, entry] of Object.entries(english)) assert.equal(values(chinese[key]), values(entry), key);
  const files = readdirSync(FOLDER).filter((name) => /\.(js|html)$/.test(name) && name !== 'words.js').map(source).join('\n');
  const used = [...files.matchAll(/say\('(\w+)'|data-say="(\w+)"/g)].map(([, one, other]) => one ?? other);
  assert.ok(used.length > 80);
  for (const key of [...used, ...CHECKS.map((name) => `check_name_${name}`)]) assert.ok(key in english, key);
  for (const pair of [...Object.values(RESOURCES), ...Object.values(CODES)]) assert.ok(pair.length === 2 && pair.every(Boolean));
  assert.deepEqual([preferred(['zh-CN', 'en']), preferred(['de', 'zh-TW']), preferred(['fr']), preferred(undefined)], ['zh', 'zh', 'en', 'en']);
  assert.equal(speak('en').kind({ resource_type: 'DiagnosticReport', kind: { system: 1, code: '11502-2' } }), 'Laboratory report');
  assert.equal(speak('zh').kind({ resource_type: 'DiagnosticReport', kind: null }), '诊断报告');
  assert.equal(speak('zh').kind({ resource_type: 'Basic', kind: null }), 'Basic');
});

test('contrast is enough, in light and dark', () => {
  const css = source('style.css');
  const schemes = [...css.matchAll(/:root \{([^}]*)\}/g)]
    .map(([, rules]) => new Map([...rules.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, color]) => [name, color])));
  assert.equal(schemes.length, 2);
  const light = (color) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const pairs = [
    ['text', 'page'], ['text', 'paper'], ['soft', 'page'], ['soft', 'paper'], ['accent', 'page'], ['accent', 'paper'], ['accent', 'wash'],
    ['accent-text', 'accent'], ['bad', 'page'], ['good', 'page'], ['good', 'good-wash'], ['bad', 'bad-wash'], ['open', 'open-wash'],
    ['text', 'good-wash'], ['text', 'bad-wash'], ['text', 'open-wash'], ['text', 'wash'],
  ];
  for (const scheme of schemes) {
    for (const [one, other] of pairs) {
      const found = contrast(scheme.get(one), scheme.get(other));
      assert.ok(found >= 4.5, `${one} on ${other}: ${found.toFixed(2)}`);
    }
  }
});

test('nothing comes from elsewhere, and no markup is made of text', () => {
  for (const name of readdirSync(FOLDER).filter((one) => /\.(js|html|css)$/.test(one))) {
    const text = source(name);
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/, name);
    assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\/[a-z]/, name);
    assert.doesNotMatch(text, /\sstyle="|\son[a-z]+="/, name);
    for (const [, imported] of text.matchAll(/from '([^']+)'/g)) assert.match(imported, /^\.\/\w+\.js$/, name);
  }
});
