// What came of checking a receipt: the verdict, the way to Bitcoin, each check.

import { byId, el } from './dom.js';
import { draw, rowsOf } from './drawing.js';
import { reason } from './reason.js';

const SIGNS = { good: '✓', bad: '✕', open: '·', skipped: '–' };

export function showResult(state, actions) {
  const { words, result } = state;
  const { say } = words;
  const body = byId('result');
  if (!result) body.replaceChildren();
  else if (result.isWorking) body.replaceChildren(el('p', { class: 'soft' }, say('check_working')));
  else if (result.isUnreadable) body.replaceChildren(verdict('bad', say('error_title'), el('p', {}, say('error_file'))));
  else if (result.error) body.replaceChildren(verdict('bad', say('error_title'), el('p', {}, reason(result.error, words))));
  else if (result.isOpen) body.replaceChildren(verdict('open', say('verdict_open'), el('p', {}, say('verdict_open_why'))));
  else body.replaceChildren(...parts(state, actions, body.clientWidth));
}

const verdict = (state, title, ...more) => el('div', { class: `verdict ${state}`, 'data-verdict': state }, el('h3', {}, title), ...more);

function parts({ words, result }, actions, width) {
  const { say, time, kind } = words;
  const { found, name } = result;
  const { fault, block, receipt } = found;
  const of = el('p', { class: 'soft' }, say('verdict_of', { name: receipt ? `${kind(receipt.booking.metadata)} · ${name}` : name }));
  const why = [];
  let [standing, title] = ['bad', say('verdict_bad')];
  if (!fault) {
    [standing, title] = ['good', say('verdict_good')];
    why.push(el('p', {}, say('verdict_good_why', { height: block.height, time: time(block.time * 1000), count: block.confirmations })));
    if (found.network !== 'mainnet') why.push(el('p', { class: 'care' }, say('verdict_test')));
    why.push(el('p', {}, say('verdict_not')));
  } else if (fault.check === 'anchored') {
    [standing, title] = ['open', say('verdict_open')];
    why.push(el('p', {}, say('verdict_open_why')));
  } else {
    why.push(el('p', {}, say('verdict_bad_why', { check: say(`check_name_${fault.check}`) })), el('p', { class: 'hash' }, fault.why));
  }
  const buttons = receipt && el('div', { class: 'buttons' },
    el('button', { type: 'button', id: 'save-receipt', onclick: () => actions.saveReceipt(result) }, say('check_save')));
  return [
    of, verdict(standing, title, ...why), buttons, receipt && figure(found, width, words),
    el('h3', { class: 'subtitle' }, say('checks_title')), checks(found, say),
  ].filter(Boolean);
}

function figure(found, width, words) {
  const { say } = words;
  const rows = [...rowsOf(found, words)].reverse();
  return el('figure', {},
    el('h3', {}, say('path_title')),
    draw(found, Math.max(280, Math.min(width, 720)), words),
    el('details', {}, el('summary', {}, say('path_hashes')),
      el('dl', {}, rows.flatMap(({ name, hash, sub }) => [
        el('dt', {}, say(`path_${name}`)),
        el('dd', {}, sub ? `${sub}: ` : '', hash ? el('code', {}, hash) : say('path_unknown')),
      ]))));
}

function checks({ checks: made, fault }, say) {
  return el('ol', { class: 'checks', id: 'checks' }, made.map(({ name, state }) =>
    el('li', { class: state, 'data-check': name },
      el('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[state]),
      el('span', {}, say(`check_name_${name}`)),
      el('span', { class: 'soft' }, say(`state_${state}`)),
      fault?.check === name && el('span', { class: 'why hash' }, fault.why))));
}
