// The page: what it holds, what it shows, and what happens when something is pressed.
//
// State changes first, then the part of the page that shows it is drawn anew. Words of others get into the page
// as text only.

import { readContent, readOwned, readReceipt, readSharing, readStatus } from './answers.js';
import { Headers } from './bitcoin.js';
import { LINES, Unanswered, ask, askPublic, fetchHeaders } from './calls.js';
import { Refusal } from './codec.js';
import { byId, el, save } from './dom.js';
import { hex, sha256 } from './hash.js';
import { showKey } from './keyview.js';
import { canHold, stored } from './keys.js';
import { verifyReceipt } from './receipt.js';
import { reason } from './reason.js';
import { showResult } from './resultview.js';
import { showRecords, showSharing } from './listview.js';
import { preferred, speak } from './words.js';

const RECEIPT_BYTES_MAX = 64 * 1024;
const HEADERS_BYTES_MAX = 240_000_000;
const CONTENT_BYTES_MAX = 512 * 1024 * 1024;

const state = {
  words: speak(preferred(navigator.languages)),
  // Whether this browser can hold a key is known a moment after the start; until then nothing is said of keys.
  able: null, identity: null, seed: null, isAsking: false,
  status: null, statusError: null,
  records: [], recordsError: null, next: null,
  sharing: null, sharingError: null,
  pace: null,
  chain: new Headers(), headersAsked: null,
  result: null,
  // Counted up with each beginning: what was begun earlier shows nothing any more.
  round: 0, check: 0,
};

// ---- Words

function setLanguage(language) {
  state.words = speak(language);
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === language));
  }
  const { say } = state.words;
  for (const element of document.querySelectorAll('[data-say]')) element.textContent = say(element.dataset.say);
  byId('nav').setAttribute('aria-label', say('sections'));
  byId('languages').setAttribute('aria-label', say('language'));
  document.title = `${say('title')} · MDSM`;
  drawAll();
}

// ---- Drawing

function drawStatus() {
  const { words: { say, time }, status, statusError, isAsking } = state;
  const parts = [];
  if (isAsking) parts.push(say('asking'));
  else if (statusError) parts.push(reason(statusError, state.words));
  else if (status) {
    parts.push(el('span', {}, say('status_network', { chain: '' }), el('code', { title: hex(status.chain) }, hex(status.chain).slice(0, 12))));
    parts.push(status.height === null ? say('status_empty')
      : say('status_height', { height: status.height, time: time(status.timestamp) }));
  }
  byId('status').replaceChildren(...parts.map((part) => el('span', {}, part)),
    el('button', { type: 'button', id: 'reload', disabled: isAsking, onclick: refresh }, say('reload')));
}

function drawAll() {
  drawStatus();
  showKey(state, actions);
  drawLists();
  showResult(state, actions);
}

function drawLists() {
  showRecords(state, actions);
  showSharing(state);
}

// ---- Asking

/** Asks where the chain stands, and all that is about the key. */
async function refresh() {
  state.round += 1;
  const { round } = state;
  Object.assign(state, { isAsking: true, statusError: null, recordsError: null, sharingError: null, records: [], next: null, sharing: null });
  drawStatus();
  const keep = async (name, asked) => {
    try {
      await asked();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unanswered)) throw error;
      if (round === state.round) state[name] = error;
    }
  };
  try {
    await keep('statusError', async () => {
      const status = await readStatus(await askPublic(LINES.status()));
      if (round === state.round) state.status = status;
    });
    if (round === state.round && state.identity && state.status?.height != null && !state.statusError) {
      await keep('recordsError', () => moreRecords());
      await keep('sharingError', askSharing);
    }
  } finally {
    if (round === state.round) state.isAsking = false;
  }
  drawStatus();
  drawLists();
}

async function moreRecords() {
  const { round, identity, status: { chain, height } } = state;
  const answer = await ask(identity, chain, LINES.records(identity.owner, height, state.next));
  const { records, blocks, next } = await readOwned(chain, identity.owner, height, answer, state.next);
  if (round !== state.round) return;
  learnPace(blocks);
  Object.assign(state, { records: [...state.records, ...records], next });
}

async function askSharing() {
  const { round, identity, status: { chain, height } } = state;
  const all = { readings: [], asking: [] };
  let after = null;
  do {
    const answer = await ask(identity, chain, LINES.readers(identity.owner, height, after));
    const { readings, asking, blocks, next } = await readSharing(chain, identity.owner, height, answer, after);
    all.readings.push(...readings);
    all.asking.push(...asking);
    learnPace(blocks);
    after = next;
  } while (after);
  if (round === state.round) state.sharing = all;
}

/** Milliseconds from block to block, on the longest stretch that was shown: heights become times by it. */
function learnPace(blocks) {
  const { height, timestamp } = state.status;
  for (const block of blocks) {
    const stretch = Number(height - block.height);
    if (stretch > (state.pace?.stretch ?? 0)) state.pace = { stretch, ms: Number(timestamp - block.timestamp) / stretch };
  }
}

/** The time at which a height will be reached, about. */
function timeOf(height) {
  const { status, pace } = state;
  if (!pace || !(pace.ms > 0)) return null;
  const at = Number(status.timestamp) + Number(height - status.height) * pace.ms;
  return at < 253_402_300_799_999 ? at : null;
}

// ---- Receipts

/** Bitcoin's headers as the institution has them now, asked by one check at a time. */
function institutionHeaders() {
  state.headersAsked ??= fetchHeaders().then((bytes) => {
    state.chain = state.chain.follow(bytes);
    return state.chain;
  }).finally(() => {
    state.headersAsked = null;
  });
  return state.headersAsked;
}

async function checkReceipt(bytes, name, options = {}) {
  state.check += 1;
  const { check } = state;
  state.result = { isWorking: true, name };
  showResult(state, actions);
  const result = { name, bytes };
  try {
    result.found = await verifyReceipt(bytes, { headers: institutionHeaders, ...options });
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    result.error = error;
  }
  if (check !== state.check) return;
  state.result = result;
  showResult(state, actions);
  byId('result').focus({ preventScroll: true });
  byId('result').scrollIntoView({ block: 'start' });
}

async function proveRecord(record) {
  const { identity, status: { chain, height } } = state;
  const name = state.words.kind(record.booking.metadata);
  state.check += 1;
  const { check } = state;
  state.result = { isWorking: true, name };
  showResult(state, actions);
  try {
    const answer = await ask(identity, chain, LINES.receipt(record.id, height));
    const { receipt } = await readReceipt(chain, record.id, height, answer);
    if (check !== state.check) return;
    if (receipt) {
      await checkReceipt(receipt, name);
      return;
    }
    state.result = { name, isOpen: true };
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Unanswered)) throw error;
    if (check !== state.check) return;
    state.result = { name, error };
  }
  showResult(state, actions);
  byId('result').focus();
}

/** A file's bytes; null where it cannot be read or is longer than it may be. */
async function read(file, bytesMax) {
  if (!file || file.size > bytesMax) return null;
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return null;
  }
}

/** A file may be long, and the browser's own hash is faster; pages over plain http have none. */
const digestOf = async (bytes) =>
  globalThis.isSecureContext ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)) : sha256(bytes);

async function checkFiles() {
  const [file] = byId('receipt-file').files;
  if (file) await checkFile(file);
}

async function checkFile(file) {
  const [[contentFile], [headersFile]] = [byId('content-file').files, byId('headers-file').files];
  const bytes = await read(file, RECEIPT_BYTES_MAX);
  const content = contentFile ? await read(contentFile, CONTENT_BYTES_MAX) : null;
  const headers = headersFile ? await read(headersFile, HEADERS_BYTES_MAX) : null;
  if (!bytes || (contentFile && !content) || (headersFile && !headers)) {
    state.result = { name: file.name, isUnreadable: true };
    showResult(state, actions);
    return;
  }
  const options = { contentDigest: content && (await digestOf(content)) };
  if (headers) options.headers = async () => new Headers().add(headers);
  await checkReceipt(bytes, file.name, options);
}

// ---- What can be done

const actions = {
  async useKey(identity) {
    state.identity = identity;
    showKey(state, actions);
    await refresh();
    byId('key-body').querySelector('button')?.focus();
  },
  async more() {
    if (state.isAsking) return;
    state.isAsking = true;
    drawStatus();
    try {
      await moreRecords();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unanswered)) throw error;
      state.recordsError = error;
    } finally {
      state.isAsking = false;
    }
    drawStatus();
    drawLists();
  },
  prove: proveRecord,
  /** The text that a record carries itself, or why it is not shown. */
  async contentOf(record) {
    const { identity, words, status: { chain, height } } = state;
    try {
      const answer = await ask(identity, chain, LINES.record(record.id, height));
      return new TextDecoder().decode(await readContent(chain, record.id, height, answer));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unanswered)) throw error;
      return reason(error, words);
    }
  },
  saveReceipt: ({ bytes, found }) => save(`${hex(found.id).slice(0, 16)}.mdsm-receipt`, bytes),
  timeOf,
};
state.actions = actions;

function listen() {
  byId('languages').addEventListener('click', ({ target }) => {
    if (target.dataset.language) setLanguage(target.dataset.language);
  });
  for (const id of ['receipt-file', 'content-file', 'headers-file']) byId(id).addEventListener('change', checkFiles);
  const drop = byId('drop');
  const over = (is) => (event) => {
    event.preventDefault();
    drop.classList.toggle('over', is);
  };
  // A file that is dropped beside the field should not replace the page.
  for (const name of ['dragover', 'drop']) window.addEventListener(name, (event) => event.preventDefault());
  drop.addEventListener('dragenter', over(true));
  drop.addEventListener('dragover', over(true));
  drop.addEventListener('dragleave', over(false));
  drop.addEventListener('drop', (event) => {
    over(false)(event);
    const [file] = event.dataTransfer.files;
    if (file) checkFile(file);
  });
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    if (state.result?.found) showResult(state, actions);
  });
}

async function start() {
  listen();
  setLanguage(state.words.language);
  state.able = await canHold();
  state.identity = state.able ? await stored() : null;
  showKey(state, actions);
  await refresh();
}

start();
