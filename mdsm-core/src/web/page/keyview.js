// The user's key as the page shows it: made, brought, kept, removed.

import { byId, el, save } from './dom.js';
import { drawSeed, fileOf, forget, keyOf, seedOf, store } from './keys.js';

const KEY_FILE_BYTES_MAX = 1024;

export function showKey(state, actions) {
  const { words: { say }, identity, able } = state;
  const body = byId('key-body');
  const where = el('div', { class: 'notes' }, el('p', {}, say('key_where')), el('p', {}, say('key_loss')));
  if (able === null) body.replaceChildren();
  else if (!able) body.replaceChildren(el('p', { class: 'verdict open' }, say('key_unable')));
  else if (identity) body.replaceChildren(own(state, actions), where);
  else body.replaceChildren(el('p', {}, say('key_none')), choices(state, actions), where);
}

function own({ words: { say }, identity }, actions) {
  const card = el('div', { class: 'card' });
  const plain = () => card.replaceChildren(
    el('p', {}, say('key_own'), ' ', el('code', { id: 'owner' }, identity.owner)),
    el('div', { class: 'buttons' }, el('button', { type: 'button', id: 'key-forget', onclick: sure }, say('key_forget'))),
  );
  const sure = () => {
    const no = el('button', { type: 'button', onclick: () => { plain(); card.querySelector('button').focus(); } }, say('key_forget_no'));
    const yes = el('button', { type: 'button', id: 'key-forget-yes', onclick: async () => { await forget(); actions.useKey(null); } }, say('key_forget_yes'));
    card.replaceChildren(el('p', { role: 'alert' }, say('key_forget_sure')), el('div', { class: 'buttons' }, no, yes));
    no.focus();
  };
  plain();
  return card;
}

function choices(state, actions) {
  const { words: { say } } = state;
  const keep = async (seed) => {
    const identity = await keyOf(seed);
    seed.fill(0);
    state.seed = null;
    await store(identity);
    await actions.useKey(identity);
  };
  const make = el('div', { class: 'card' });
  const begin = () => make.replaceChildren(
    el('h3', {}, say('key_make')),
    el('div', { class: 'buttons' }, el('button', { type: 'button', class: 'main', id: 'key-make', onclick: drawn }, say('key_make'))),
  );
  const drawn = () => {
    // Another language draws the page anew, and the seed should still be the one of which a copy was saved.
    state.seed ??= drawSeed();
    const { seed } = state;
    const told = el('p', { class: 'soft', role: 'status' });
    const go = el('button', { type: 'button', id: 'key-keep', onclick: () => keep(seed) }, say('key_unkept'));
    const copy = el('button', {
      type: 'button', class: 'main', id: 'key-save',
      onclick: () => {
        save('mdsm-key.txt', fileOf(seed), 'text/plain');
        told.textContent = say('key_saved');
        go.textContent = say('key_keep');
      },
    }, say('key_save'));
    const drop = el('button', { type: 'button', onclick: () => { seed.fill(0); state.seed = null; begin(); make.querySelector('button').focus(); } }, say('key_cancel'));
    make.replaceChildren(el('h3', {}, say('key_make')), el('p', {}, say('key_made')), told, el('div', { class: 'buttons' }, copy, go, drop));
    copy.focus();
  };
  if (state.seed) drawn();
  else begin();
  return el('div', { class: 'pair' }, make, bring(say, keep));
}

function bring(say, keep) {
  const wrong = el('p', { class: 'bad', role: 'alert', id: 'key-wrong' });
  const use = async (text) => {
    const seed = seedOf(text);
    wrong.textContent = seed ? '' : say('key_wrong');
    if (seed) await keep(seed);
  };
  const digits = el('input', { type: 'password', id: 'key-digits', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'key-hint key-wrong' });
  const file = el('input', {
    type: 'file', id: 'key-file', 'aria-label': say('key_file'),
    onchange: async () => {
      const [chosen] = file.files;
      await use(chosen.size <= KEY_FILE_BYTES_MAX ? await chosen.text() : '');
    },
  });
  const form = el('form', {
    onsubmit: (event) => {
      event.preventDefault();
      use(digits.value);
    },
  },
  el('h3', {}, say('key_import')), el('p', { class: 'soft', id: 'key-hint' }, say('key_import_hint')), file,
  el('p', {}, el('label', { for: 'key-digits' }, say('key_digits')), digits), wrong,
  el('div', { class: 'buttons' }, el('button', { type: 'submit', id: 'key-use' }, say('key_use'))));
  return el('div', { class: 'card' }, form);
}
