// A first adapter for mdsm-harness: Node 18 or later and nothing else.
//
// Copy it, let the operations call your implementation, declare more of them, and ask for a verdict:
//
//     mdsm-harness check -- node adapter.js
//
// The protocol is harness/PROTOCOL.md: one JSON line comes in, one goes out.
'use strict';

const { createHash } = require('node:crypto');

// Throw it for input that your implementation refuses, with a class of the protocol's list.
class Reject extends Error {
  constructor(kind, detail) {
    super(detail);
    this.kind = kind;
  }
}

// ---- Your operations. Each takes the arguments and returns the result, both as the protocol lists them.
// ---- What stands here computes by itself; replace it by calls into what you want judged.

const LEAVES = { 1: [1, 10], 2: [1, 16384], 3: [1, 10], 4: [0, 65536] };

const operations = {
  'merkle.root': ({ leaves }) => ({ root: tree(leaves.map(data)).toString('hex') }),

  'merkle.level': ({ level, leaves }) => {
    const [low, high] = LEAVES[level] ?? [1, 0];
    if (leaves.length < low || leaves.length > high) {
      throw new Reject('bound', 'no such level, or too few or too many leaves');
    }
    const count = Buffer.alloc(4);
    count.writeUInt32LE(leaves.length);
    return { root: sha256(Buffer.of(2, level), count, tree(leaves.map(data))).toString('hex') };
  },

  'paper.items': ({ records }) => {
    const items = Array(Math.floor(records / 10)).fill(10);
    return { items: records % 10 > 0 ? [...items, records % 10] : items };
  },

  'paper.rank': ({ institutions }) => {
    const ranking = [...institutions].sort((a, b) =>
      b.rating - a.rating || b.centre - a.centre || a.institution - b.institution);
    if (ranking.length < 121) throw new Reject('refused', 'too few for the seats');
    const ids = ranking.map((each) => each.institution);
    return { auditors: ids.slice(101, 121), producers: ids.slice(0, 101) };
  },
};

function sha256(...parts) {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

// RFC 6962: the left half of an uneven tree is the largest full one.
function tree(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0]);
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return sha256(Buffer.of(1), tree(leaves.slice(0, left)), tree(leaves.slice(left)));
}

// ---- The protocol. Nothing below changes when operations are added.

function data(text) {
  return text.startsWith('b64:') ? Buffer.from(text.slice(4), 'base64') : Buffer.from(text, 'hex');
}

function answer({ verb, op, args }) {
  if (verb === 'hello') {
    const ops = Object.keys(operations);
    return { ok: { language: 'JavaScript', name: 'my-mdsm', ops, protocol: 1, version: '0.1' } };
  }
  if (verb === 'reset') return { ok: {} }; // Forget here what calls left behind.
  if (verb !== 'call' || !Object.hasOwn(operations, op)) return { unsupported: op ?? verb };
  try {
    return { ok: operations[op](args) };
  } catch (error) {
    if (!(error instanceof Reject)) throw error; // Ends the program, and the harness says that it died.
    return { reject: { class: error.kind, detail: error.message } };
  }
}

// Lines end with LF alone; the module readline would also part them at U+2028.
let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  for (const request of lines.map((line) => JSON.parse(line))) {
    if (request.verb === 'bye') return process.stdin.destroy();
    process.stdout.write(JSON.stringify({ id: request.id, ...answer(request) }) + '\n');
  }
});
