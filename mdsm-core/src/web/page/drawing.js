// The way from a record to a block of Bitcoin as a picture: a line with a knot at each level, the hashes
// beside the way as small squares, and the blocks on top. One unit is one pixel, so that text stays legible.

import { shown } from './bitcoin.js';
import { svg } from './dom.js';
import { hex } from './hash.js';

const [LINE_X, TEXT_X, TOP] = [30, 62, 22];
/** Width at which a whole hash fits on a line. */
const WHOLE_PX = 560;

/** Where each check breaks: a knot, or the stretch of line below it. */
const BREAKS = {
  form: ['knot', 0], content: ['knot', 0], owner: ['knot', 0], anchored: ['line', 6], transaction: ['knot', 6],
  epoch: ['line', 6], root: ['line', 6], branch: ['line', 7], headers: ['knot', 8], height: ['knot', 8], depth: ['knot', 8],
};

const short = (text) => `${text.slice(0, 10)} … ${text.slice(-10)}`;

/** The levels of a checked receipt, from the record upward, as far as they are known. */
export function rowsOf(found, { say, kind, time }) {
  const { receipt, levels, anchor, transactionId, block } = found;
  const part = receipt?.bitcoin;
  const names = ['item', 'block', 'data', 'window'];
  const level = (name, at) => ({
    name, hash: levels && hex(levels[at].root), beside: levels?.[at].beside ?? [],
    sub: receipt && say(`path_sub_${name}`, { index: receipt[`${name}_index`] + 1, size: receipt[`${name}_size`] }),
  });
  const rows = [
    { name: 'record', hash: found.id && hex(found.id), sub: receipt && say('path_sub_record', { kind: kind(receipt.booking.metadata) }) },
    ...names.map(level),
    { name: 'anchor', hash: anchor && hex(anchor), sub: receipt && say('path_sub_anchor', { epoch: receipt.epoch }) },
    { name: 'transaction', hash: transactionId && shown(transactionId), sub: part && say('path_sub_transaction') },
    {
      name: 'merkle', hash: block && hex(block.root), sub: part && say('path_sub_merkle', { count: part.branch.length }),
      beside: part ? part.branch.map((hash, at) => ({ hash, isLeft: Math.floor(part.tx_index / 2 ** at) % 2 === 1 })) : [],
    },
    {
      name: 'header', hash: block && shown(block.hash), confirmations: block?.confirmations ?? 0,
      sub: part && (block ? say('path_sub_header', { height: block.height, time: time(block.time * 1000) })
        : say('path_sub_height', { height: part.height })),
    },
  ];
  const [where, at] = breakOf(found);
  return rows.map((row, index) => {
    const isAbove = where !== null && (index > at || (where === 'line' && index === at));
    const isBroken = where === 'knot' && index === at;
    return {
      beside: [], confirmations: 0, ...row,
      state: isBroken ? 'bad' : isAbove ? 'open' : 'good',
      line: where === 'line' && index === at ? 'bad' : where !== null && index > at ? 'open' : 'good',
    };
  });
}

/** Knot or line at which it breaks; [null] where it holds. */
export function breakOf({ fault }) {
  if (!fault) return [null, -1];
  return fault.check === 'shape' ? ['line', fault.level ?? 1] : BREAKS[fault.check];
}

/** The picture. */
export function draw(found, width, words) {
  const { say } = words;
  const rows = rowsOf(found, words);
  // Bitcoin stands on top, the record at the bottom, as blocks are stacked.
  const isWide = width >= WHOLE_PX;
  const row = isWide ? 66 : 84;
  const height = TOP + row * rows.length + 26;
  const y = (at) => height - row / 2 - row * at;
  const text = rows.map(({ name, state }) => `${say(`path_${name}`)}, ${say(`state_${state}`)}`).join('; ');
  const picture = svg('svg', {
    viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', class: 'path', 'aria-label': say('path_alt', { text }),
  });
  rows.forEach((one, at) => {
    if (at > 0) picture.append(stretch(one, at, y, say));
  });
  rows.forEach((one, at) => picture.append(knot(one, y(at), isWide, say)));
  return picture;
}

function stretch(row, at, y, say) {
  const [low, high] = [y(at - 1) - 9, y(at) + 9];
  const group = svg('g', { class: `stretch ${row.line}` }, svg('line', { x1: LINE_X, x2: LINE_X, y1: low, y2: high }));
  row.beside.forEach(({ hash, isLeft }, place) => {
    const step = (low - high) / (row.beside.length + 1);
    const [x, middle] = [LINE_X + (isLeft ? -13 : 13), low - step * (place + 1)];
    const side = Math.min(7, step - 1);
    group.append(
      svg('line', { class: 'branch', x1: LINE_X, x2: x, y1: middle, y2: middle }),
      svg('rect', { class: 'beside', x: x - side / 2, y: middle - side / 2, width: side, height: side },
        svg('title', {}, say('path_beside', { hash: hex(hash) }))),
    );
  });
  if (row.line === 'bad') group.append(mark(LINE_X, (low + high) / 2), broken((low + high) / 2, say));
  return group;
}

const mark = (x, y) => svg('path', { class: 'mark', d: `M${x - 7} ${y - 7}L${x + 7} ${y + 7}M${x - 7} ${y + 7}L${x + 7} ${y - 7}` });
const broken = (y, say) => svg('text', { class: 'broken', x: TEXT_X, y: y + 4 }, say('path_broken'));

function knot(row, y, isWide, say) {
  const isBad = row.state === 'bad';
  const group = svg('g', { class: `knot ${row.state}` }, svg('circle', { cx: LINE_X, cy: y, r: 8 }));
  if (isBad) group.append(mark(LINE_X, y));
  const hash = row.hash ?? say('path_unknown');
  const top = y - (isWide ? 3 : 10);
  const label = svg('text', { class: 'label', x: TEXT_X, y: top }, say(`path_${row.name}`));
  // Where there is no room beside the name, what it is stands below it.
  const below = isWide ? { dx: 8 } : { x: TEXT_X, dy: 17 };
  if (isBad) label.append(svg('tspan', { class: 'broken', dx: 8 }, say('path_broken')));
  if (row.sub) label.append(svg('tspan', { class: 'sub', ...below }, row.sub));
  const lowest = y + (isWide || !row.sub ? 15 : 24);
  group.append(label, svg('text', { class: 'hash', x: TEXT_X, y: lowest }, isWide || !row.hash ? hash : short(hash), svg('title', {}, hash)));
  // Blocks above, up to the depth that is asked for.
  if (row.confirmations > 0) {
    const above = Math.min(row.confirmations, 12);
    for (let i = 0; i < above; i += 1) {
      group.append(svg('rect', { class: 'above', x: TEXT_X + 13 * i, y: top - 33, width: 10, height: 10, rx: 2 }));
    }
    group.append(svg('text', { class: 'sub', x: TEXT_X + 13 * above + 6, y: top - 24 }, say('path_depth', { count: row.confirmations })));
  }
  return group;
}
