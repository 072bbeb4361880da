// Trees of RFC 6962 under level roots (harness/spec/storage.md, Hashing): the four levels from a record to
// its window.

import { need } from './codec.js';
import { equal, hex, sha256, u32 } from './hash.js';

/** Leaves of a level, at least and at most: Item, Item block, data block, window. */
export const LEVELS = { 1: [1, 10], 2: [1, 16_384], 3: [1, 10], 4: [0, 65_536] };

const [LEAF, NODE, LEVEL] = [0, 1, 2].map((byte) => Uint8Array.of(byte));

/** Leaves of the left subtree: the largest power of two below the number of leaves. */
function split(size) {
  let left = 1;
  while (2 * left < size) left *= 2;
  return left;
}

export const leafHash = (leaf) => sha256(LEAF, leaf);

export function treeRoot(nodes) {
  if (nodes.length < 2) return nodes[0] ?? sha256(new Uint8Array(0));
  const left = split(nodes.length);
  return sha256(NODE, treeRoot(nodes.slice(0, left)), treeRoot(nodes.slice(left)));
}

export const levelOf = (level, size, root) => sha256(LEVEL, Uint8Array.of(level), u32(size), root);

export function levelRoot(level, leaves) {
  const [low, high] = LEVELS[level] ?? [1, 0];
  need(low <= leaves.length && leaves.length <= high, 'bound', `${leaves.length} leaves at level ${level}`);
  return levelOf(level, leaves.length, treeRoot(leaves.map(leafHash)));
}

/** Hashes beside the way from a leaf to the root, from the leaf upward. */
export function pathOf(nodes, index) {
  need(index < nodes.length, 'shape', `there is no leaf ${index}`);
  if (nodes.length < 2) return [];
  const left = split(nodes.length);
  return index < left
    ? [...pathOf(nodes.slice(0, left), index), treeRoot(nodes.slice(left))]
    : [...pathOf(nodes.slice(left), index - left), treeRoot(nodes.slice(0, left))];
}

/** For each hash of a path, from the leaf upward: whether it stands left. */
export function sides(index, size) {
  if (size < 2) return [];
  const left = split(size);
  return index < left ? [...sides(index, left), false] : [...sides(index - left, size - left), true];
}

/** The level root to which a path leads. Refused where index, size and path do not fit each other. */
export function climb(level, leaf, index, size, path) {
  const [low, high] = LEVELS[level] ?? [1, 0];
  need(low <= size && size <= high, 'shape', `${size} leaves at level ${level}`, { level });
  need(index < size, 'shape', `leaf ${index} of ${size} at level ${level}`, { level });
  const left = sides(index, size);
  need(left.length === path.length, 'shape', `${path.length} hashes where ${left.length} lead up`, { level });
  const step = (node, other, at) => (left[at] ? sha256(NODE, other, node) : sha256(NODE, node, other));
  return levelOf(level, size, path.reduce(step, leafHash(leaf)));
}

/** Refused where the path leads elsewhere. */
export function verifyPath(level, leaf, index, size, path, root) {
  const found = climb(level, leaf, index, size, path);
  need(equal(found, root), 'root', `leads to ${hex(found)}`, { level });
}

