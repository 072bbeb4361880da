// A demonstration: an implementation of a few operations of MDSM, with an adapter around it, in Node 18 or later.
//
// One bug is planted here. It is a classic, it passes many cases, and no comment gives it away. Find it with
//
//     mdsm-harness check -- node adapter.js
//
// and ask with `mdsm-harness explain ID` what a case that failed wants. Then mend the line and check again.
'use strict';

const { createHash } = require('node:crypto');

const LEAVES = { 1: [1, 10], 2: [1, 16384], 3: [1, 10], 4: [0, 65536] };

class Reject extends Error {
  constructor(kind, detail) {
    super(detail);
    this.kind = kind;
  }
}

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const hashOfLeaf = (leaf) => sha256(Buffer.of(0), leaf);
const parent = (left, right) => sha256(Buffer.of(1), left, right);

// All layers of the tree, from the hashes of the leaves to the root. The last node of an odd layer goes up as it is.
function layers(leaves) {
  const all = [leaves.map(hashOfLeaf)];
  for (let layer = all[0]; layer.length > 1; all.push(layer)) {
    const below = layer;
    layer = below.filter((_, i) => i % 2 === 0)
      .map((left, i) => (2 * i + 1 < below.length ? parent(left, below[2 * i + 1]) : left));
  }
  return all;
}

const tree = (leaves) => (leaves.length > 0 ? layers(leaves).at(-1)[0] : sha256());

function levelRoot(level, size, root) {
  const head = Buffer.of(2, level, 0, 0, 0, 0);
  head.writeUInt32LE(size, 2);
  return sha256(head, root);
}

// The root of the tree of that size in which the path leads from the leaf upward.
function climb(leaf, index, size, siblings) {
  let node = hashOfLeaf(leaf);
  for (; size > 1; index >>>= 1, size = Math.ceil(size / 2)) {
    const hasSibling = index % 2 === 1 || index + 1 < size;
    if (hasSibling && siblings.length === 0) throw new Reject('shape', 'the path is too short');
    if (hasSibling) node = index % 2 ? parent(siblings.shift(), node) : parent(node, siblings.shift());
  }
  return node;
}

const operations = {
  'merkle.root': ({ leaves }) => ({ root: tree(leaves.map(data)).toString('hex') }),

  'merkle.level': ({ level, leaves }) => {
    const [low, high] = LEAVES[level] ?? [1, 0];
    if (leaves.length < low || leaves.length > high) throw new Reject('bound', `${leaves.length} leaves on level ${level}`);
    return { root: levelRoot(level, leaves.length, tree(leaves.map(data))).toString('hex') };
  },

  'merkle.path': ({ leaves, index }) => {
    if (index >= leaves.length) throw new Reject('shape', `no leaf ${index} among ${leaves.length}`);
    const siblings = layers(leaves.map(data)).map((layer, height) => layer[(index >>> height) ^ 1]);
    return { path: siblings.filter(Boolean).map((node) => node.toString('hex')) };
  },

  'merkle.verify': ({ level, leaf, index, size, path, root }) => {
    if (index >= size || size > LEAVES[level][1]) throw new Reject('shape', `no leaf ${index} of ${size} on this level`);
    const reached = levelRoot(level, size, climb(data(leaf), index, size, path.map(data)));
    if (!reached.equals(data(root))) throw new Reject('root', 'the path leads elsewhere');
    return {};
  },

  'paper.rank': ({ institutions }) => {
    const ranking = [...institutions].sort((a, b) =>
      b.rating - a.rating || b.centre - a.centre || a.institution - b.institution);
    if (ranking.length < 121) throw new Reject('refused', 'too few for the seats');
    const ids = ranking.map((each) => each.institution);
    return { producers: ids.slice(0, 101), auditors: ids.slice(101, 121) };
  },

  'paper.items': ({ records }) => {
    const items = Array(Math.floor(records / 10)).fill(10);
    return { items: records % 10 > 0 ? [...items, records % 10] : items };
  },

  'paper.admit': ({ bytes, private: isPrivate }) => {
    if (BigInt(bytes) === 0n) throw new Reject('bound', 'no content');
    return { place: BigInt(bytes) <= 102400n && !isPrivate ? 'item' : 'database' };
  },
};

const data = (text) => (text.startsWith('b64:') ? Buffer.from(text.slice(4), 'base64') : Buffer.from(text, 'hex'));

function answer({ verb, op, args }) {
  if (verb === 'hello') {
    const ops = Object.keys(operations);
    return { ok: { protocol: 1, name: 'demo', version: '0.1', language: 'JavaScript', ops } };
  }
  if (verb === 'reset') return { ok: {} };
  if (verb !== 'call' || !Object.hasOwn(operations, op)) return { unsupported: op ?? verb };
  try {
    return { ok: operations[op](args) };
  } catch (error) {
    if (!(error instanceof Reject)) throw error;
    return { reject: { class: error.kind, detail: error.message } };
  }
}

let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  for (const request of lines.map((line) => JSON.parse(line))) {
    if (request.verb === 'bye') return process.stdin.destroy();
    process.stdout.write(JSON.stringify({ id: request.id, ...answer(request) }) + '\n');
  }
});
