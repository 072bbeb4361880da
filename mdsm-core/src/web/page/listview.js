// Records of the user, and who may read them.

import { ACCESS_MEDIA_TYPE } from './access.js';
import { reason } from './reason.js';
import { byId, el } from './dom.js';

const short = (id) => `${id.slice(0, 8)}…${id.slice(-4)}`;
const isAct = ({ booking }) => booking.metadata.content_type === ACCESS_MEDIA_TYPE;
const hashOf = (id) => el('code', { title: id }, short(id));
const failed = (error, words) => el('div', { class: 'verdict bad', role: 'alert' },
  el('h3', {}, words.say('error_title')), el('p', {}, reason(error, words)));

export function showRecords(state, actions) {
  const { words, identity, records, recordsError, next, status, isAsking } = state;
  const { say } = words;
  const body = byId('records-body');
  if (!identity) {
    body.replaceChildren(el('p', { class: 'soft' }, say('records_keyless')));
    return;
  }
  const parts = [];
  if (recordsError) parts.push(failed(recordsError, words));
  else if (status?.height == null && isAsking) parts.push(el('p', { class: 'soft' }, say('asking')));
  else if (records.length === 0) parts.push(el('p', { class: 'soft' }, say('records_none')));
  if (records.length > 0) {
    const [acts, medical] = [records.filter(isAct), records.filter((record) => !isAct(record))];
    const list = (some) => el('ul', { class: 'list' }, some.map((record) => card(state, actions, record)));
    parts.push(
      el('p', { id: 'records-count' }, say('records_count', { count: medical.length })),
      el('p', { class: 'soft' }, say('records_word', { institution: String(status.institution) })),
      list(medical),
    );
    if (acts.length > 0) parts.push(el('details', { id: 'acts' }, el('summary', {}, say('records_acts', { count: acts.length })), list(acts)));
    if (next) parts.push(el('div', { class: 'buttons' }, el('button', { type: 'button', id: 'records-more', onclick: actions.more }, say('records_more'))));
  }
  body.replaceChildren(...parts);
}

function card({ words, sharing }, actions, record) {
  const { say, kind, time } = words;
  const { metadata, content } = record.booking;
  const readers = new Set(sharing?.readings.filter((one) => one.record === record.id).map((one) => one.reader));
    const tags = [
    metadata.resource_type, metadata.content_type, say(content.kind === 1 ? 'record_sealed' : 'record_inline'),
    metadata.status !== 1 && say(`status_${metadata.status}`), ...metadata.security.map((label) => say(`security_${label}`)),
    sharing && !isAct(record) && (readers.size > 0 ? say('record_readers', { count: readers.size }) : say('record_no_readers')),
  ];
  const name = kind(metadata);
  const text = el('p', { class: 'content', role: 'status' });
  const isText = content.kind === 0 && metadata.content_type.startsWith('text/');
  const read = isText && el('button', {
    type: 'button', class: 'read', 'aria-label': `${say('record_read')}: ${name}, ${time(metadata.created)}`,
    onclick: async () => {
      text.textContent = await actions.contentOf(record);
    },
  }, say('record_read'));
  return el('li', { class: 'card record', 'data-record': record.id },
    el('div', {},
      el('h3', {}, name),
      el('p', {}, el('time', { datetime: new Date(Number(metadata.created)).toISOString() }, say('record_created', { time: time(metadata.created) })),
        ' · ', say('record_size', { bytes: metadata.size })),
      el('p', {}, say('record_place', { height: record.height, item: record.item + 1, index: record.index + 1 }),
        ' · ', el('code', { title: record.id }, short(record.id))),
      tags.filter(Boolean).map((tag) => el('span', { class: 'tag' }, tag)), text),
    el('div', { class: 'buttons' }, read, el('button', { type: 'button', class: 'prove', 'aria-label': `${say('record_proof')}: ${name}, ${time(metadata.created)}`, onclick: () => actions.prove(record) }, say('record_proof'))));
}

export function showSharing(state) {
  const { words, identity, sharing, sharingError } = state;
  const { say } = words;
  const body = byId('sharing-body');
  if (!identity) {
    body.replaceChildren(el('p', { class: 'soft' }, say('sharing_keyless')));
    return;
  }
  if (sharingError) {
    body.replaceChildren(failed(sharingError, words));
    return;
  }
  if (!sharing) {
    body.replaceChildren();
    return;
  }
  const parts = [sharing.readings.length > 0 ? table(state) : el('p', { class: 'soft', id: 'sharing-none' }, say('sharing_none'))];
  if (sharing.asking.length > 0) {
    const asks = sharing.asking.map(({ reader, records }) => el('li', {}, say('sharing_ask', { reader: short(reader), count: records.length })));
    parts.push(el('h3', { class: 'subtitle' }, say('sharing_asks')), el('ul', { id: 'asking' }, asks));
  }
  parts.push(el('p', { class: 'soft' }, `${say('sharing_word')} ${say('sharing_how')}`));
  body.replaceChildren(...parts);
}

function table({ words, sharing, records, actions }) {
  const { say, kind, time } = words;
  const heads = ['reader', 'record', 'until', 'state'].map((name) => el('th', { scope: 'col' }, say(`sharing_${name}`)));
  const rows = sharing.readings.map(({ reader, record, until, isDelivered }) => {
    const known = records.find(({ id }) => id === record);
    const at = actions.timeOf(until);
    return el('tr', {},
      el('td', {}, hashOf(reader)),
      el('td', {}, known ? `${kind(known.booking.metadata)} ` : '', hashOf(record)),
      el('td', {}, say('sharing_block', { height: until }), at === null ? '' : el('span', { class: 'soft' }, ` · ${say('sharing_about', { time: time(at) })}`)),
      el('td', {}, say(isDelivered ? 'sharing_delivered' : 'sharing_waiting')));
  });
  return el('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-labelledby': 'sharing-title' },
    el('table', { id: 'readings' }, el('thead', {}, el('tr', {}, heads)), el('tbody', {}, rows)));
}
