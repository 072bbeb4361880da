// The page in Chromium: a key is brought, records are listed, receipts are checked, tampered ones are shown as bad
// with the place where they break. Screenshots are kept.
//
//   node browser.mjs CHROMIUM FOLDER                   against canned answers
//   node browser.mjs CHROMIUM FOLDER URL SEED [LIGHT]  against a running institution, for the person with this seed;
//                                                      LIGHT is a file with what a light client was told: the ids of
//                                                      the records in order, and those of the readers

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { launch, open } from './chromium.mjs';
import { SEEDS, network } from './network.mjs';
import { serve } from './serve.mjs';
import { raw, vectorsOf } from './vectors.mjs';

const [program, folder, runningUrl, runningSeed, light] = process.argv.slice(2);
if (!program || !folder) throw new Error('usage: node browser.mjs CHROMIUM FOLDER [URL SEED [LIGHT]]');
const out = resolve(folder);
mkdirSync(out, { recursive: true });

let passed = 0;
async function step(name, made) {
  await made();
  passed += 1;
  console.log(`ok ${passed} ${name}`);
}

const kept = (name, bytes) => {
  const path = join(out, name);
  writeFileSync(path, bytes);
  return path;
};

async function shoot(page, name, { width = 1100, height = 900, isDark = false, selector = null } = {}) {
  await page.call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }, { name: 'prefers-reduced-motion', value: 'reduce' }] });
  await page.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
  await page.value('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  if (selector) await page.value(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView()`);
  const { data } = await page.call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: !selector });
  const png = Buffer.from(data, 'base64');
  assert.ok(png.length > 10_000, `${name}: an empty picture`);
  kept(`${name}.png`, png);
}

const verdict = (page) => page.value("document.querySelector('#result [data-verdict]')?.dataset.verdict ?? null");
const broken = (page) => page.value("document.querySelector('#checks .bad')?.dataset.check ?? null");
const isKey = "document.querySelector('#owner')";
const isDone = (mark) => `document.querySelector('#result [data-verdict]') && document.querySelector('#result').innerText.includes(${JSON.stringify(mark)})`;

async function bringKey(page, seed) {
  await page.until("document.querySelector('#key-digits')");
  await page.value(`document.querySelector('#key-digits').value = '${seed}'`);
  await page.click('#key-use');
  await page.until(isKey);
}

async function prove(page, at) {
  await page.value("document.querySelector('#result').replaceChildren()");
  await page.value(`document.querySelectorAll('.prove')[${at}].click()`);
  await page.until("document.querySelector('#result [data-verdict]')", 60_000);
}

/** What holds against any institution. */
async function story(page, seed) {
  await step('a key that is none is refused', async () => {
    await page.until("document.querySelector('#key-digits')");
    await page.value("document.querySelector('#key-digits').value = 'abc'");
    await page.click('#key-use');
    await page.until("document.querySelector('#key-wrong').innerText.length > 0");
  });
  await step('a key is brought, kept where it cannot be read out, and its records are listed', async () => {
    await bringKey(page, seed);
    await page.until("document.querySelectorAll('[data-record]').length > 0", 60_000);
    const extractable = await page.value(`new Promise((done, failed) => {
      const opening = indexedDB.open('mdsm', 1);
      opening.onsuccess = () => {
        const asked = opening.result.transaction('keys').objectStore('keys').get('owner');
        asked.onsuccess = () => { opening.result.close(); done([asked.result.key.extractable, asked.result.key.type]); };
      };
      opening.onerror = failed;
    })`);
    assert.deepEqual(extractable, [false, 'private']);
    assert.equal(await page.value('localStorage.length + sessionStorage.length + document.cookie.length'), 0);
  });
  await step('after a reload the key is still there', async () => {
    await page.load(await page.value('location.href'));
    await page.until("document.querySelectorAll('[data-record]').length > 0", 60_000);
  });
  await step('the proof of a record holds, and is drawn up to the block', async () => {
    await prove(page, 0);
    assert.equal(await verdict(page), 'good', await page.text('#result'));
    assert.equal(await page.value("document.querySelectorAll('#result svg .knot.good').length"), 9);
    assert.match(await page.text('#result'), /test network/);
    await shoot(page, 'receipt-good', { selector: '#result', height: 1250 });
  });
}

/** What a light client was told about the same person, the page shows too. */
async function alike(page, { records, readers }) {
  await step('the records and the readers are those that the light client was told', async () => {
    assert.ok(records.length > 0 && readers.length > 0);
    await page.until(`document.querySelectorAll('[data-record]').length >= ${records.length}`);
    assert.deepEqual(await page.value("[...document.querySelectorAll('[data-record]')].map((one) => one.dataset.record)"), records);
    await page.until("document.querySelector('#readings tbody tr')");
    const rows = await page.value("[...document.querySelectorAll('#readings tbody tr')].map((row) => row.innerText)");
    assert.equal(rows.length, readers.length, rows.join());
    assert.ok(readers.every((reader) => rows.some((row) => row.includes(reader.slice(0, 8)))), rows.join());
  });
}

async function canned(page, net, server) {
  await step('records stand in the order of booking, with labels of FHIR and readers', async () => {
    await page.click('#records-more');
    await page.until(`document.querySelectorAll('[data-record]').length === ${net.ids.length}`);
    assert.deepEqual(await page.value("[...document.querySelectorAll('[data-record]')].map((one) => one.dataset.record)"), net.ids);
    assert.deepEqual(
      await page.value("[...document.querySelectorAll('.record h3')].map((one) => one.textContent)"),
      ['Blood pressure', 'Laboratory report', 'Imaging study', 'Prescription', 'Discharge summary', 'Consent', 'Step of sharing'],
    );
    const rows = await page.value("[...document.querySelectorAll('#readings tbody tr')].map((row) => row.innerText)");
    assert.equal(rows.length, 2);
    assert.ok(rows.every((row) => row.includes(net.who.reader.owner.slice(0, 8)) && row.includes('block 200,000') && row.includes('about')));
    assert.match(await page.text('#asking'), /asks for 1 record$/);
    await page.click('.read');
    await page.until("document.querySelector('.content').innerText === 'Blood pressure 128/82 mmHg'");
    await shoot(page, 'records');
    await shoot(page, 'records-dark', { isDark: true });
    await shoot(page, 'records-narrow', { width: 380, height: 800 });
    await shoot(page, 'receipt-narrow', { width: 380, height: 1300, selector: '#result' });
    const overflow = await page.value('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.equal(overflow, 0, 'the page is wider than a narrow window');
  });
  await step('every call about records was signed, and no secret was sent', async () => {
    const about = server.asked.filter(({ line }) => /^\/v1\/(owners|records)/.test(line));
    assert.ok(about.length >= 5 && about.every(({ headers }) => headers.authorization?.startsWith(`MDSM key=${net.who.owner.owner},`)));
    const sent = JSON.stringify(server.asked);
    assert.ok(!sent.includes(SEEDS.owner) && server.asked.every(({ method, body }) => method === 'GET' && body === ''));
    assert.ok(server.asked.every(({ headers }) => headers.cookie === undefined));
  });
  await step('receipts of the vectors: sound ones hold, tampered ones break where they should', async () => {
    const vectors = vectorsOf('receipts').filter(({ op }) => op === 'receipt.verify');
    const wanted = {
      'sound-2': [null], 'signature-bit': ['owner'], 'another-first-of-path': ['root'], 'two-outputs': ['transaction'],
      'another-epoch': ['epoch'], 'broken-link': ['headers'], 'longer-branch': ['branch'], 'confirmations-5': ['depth'],
      'path-longer': ['shape'], 'not-anchored': ['anchored', 'open'], 'content-another': ['content'],
    };
    for (const [name, [check, standing = check ? 'bad' : 'good']] of Object.entries(wanted)) {
      const { args } = vectors.find(({ id }) => id === `receipt.verify.${name}`);
      await page.value("document.querySelector('#result').replaceChildren()");
      for (const id of ['receipt-file', 'content-file', 'headers-file']) await page.value(`document.querySelector('#${id}').value = ''`);
      // The receipt last: each file that is chosen checks again what is there.
      if (args.content !== undefined) await page.choose('#content-file', kept(`${name}.content`, raw(args.content)));
      await page.choose('#headers-file', kept(`${name}.headers`, raw(args.headers)));
      await page.choose('#receipt-file', kept(`${name}.receipt`, raw(args.receipt)));
      await page.until(isDone(`${name}.receipt`));
      assert.deepEqual([await broken(page), await verdict(page)], [check, standing], name);
      if (check) assert.ok((await page.value("document.querySelectorAll('#result svg .broken').length")) > 0, `${name}: drawn nowhere`);
    }
  });
  await step('a receipt with one bit flipped is shown as bad', async () => {
    const receipt = net.receiptOf(net.owned[0]);
    receipt[receipt.length - 500] ^= 1;
    for (const id of ['content-file', 'headers-file']) await page.value(`document.querySelector('#${id}').value = ''`);
    await page.choose('#receipt-file', kept('tampered.receipt', receipt));
    await page.until(isDone('tampered.receipt'));
    assert.equal(await verdict(page), 'bad');
    await shoot(page, 'receipt-tampered', { selector: '#result', height: 1250 });
    await shoot(page, 'receipt-tampered-dark', { selector: '#result', height: 1250, isDark: true });
  });
  await step('a file that is dropped is checked', async () => {
    const good = Buffer.from(net.receiptOf(net.owned[1])).toString('base64');
    await page.value(`(() => {
      const bytes = Uint8Array.from(atob('${good}'), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], 'dropped.receipt'));
      document.querySelector('#drop').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    })()`);
    await page.until(isDone('dropped.receipt'));
    assert.equal(await verdict(page), 'good');
  });
  await step('all of it in Chinese', async () => {
    await page.click('[data-language="zh"]');
    await page.until("document.documentElement.lang === 'zh'");
    assert.match(await page.text('h1'), /我的医疗记录/);
    assert.deepEqual(await page.value("[...document.querySelectorAll('.record h3')].slice(0, 2).map((one) => one.textContent)"), ['血压', '检验报告']);
    assert.match(await page.text('#result'), /凭证成立/);
    await shoot(page, 'records-chinese');
    await page.click('[data-language="en"]');
  });
  await step('everything is reached by the keyboard, and what has the focus is seen', async () => {
    await page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    await page.value('document.activeElement.blur(), window.scrollTo(0, 0), document.body.focus()');
    const wanted = await page.value("[...document.querySelectorAll('a[href], button:not([disabled]), input, summary')].length");
    const reached = new Set();
    for (let i = 0; i < wanted + 6; i += 1) {
      await page.press('Tab');
      const [name, outline] = await page.value(`(() => {
        const one = document.activeElement;
        const all = [...document.querySelectorAll('*')];
        return [all.indexOf(one), getComputedStyle(one).outlineStyle];
      })()`);
      if (await page.value("document.activeElement.matches('a, button, input, summary')")) {
        reached.add(name);
        assert.notEqual(outline, 'none', await page.value('document.activeElement.outerHTML'));
      }
    }
    assert.equal(reached.size, wanted);
    await page.value("document.querySelectorAll('.prove')[2].focus()");
    await page.press('Enter', 'Enter', 13, { text: '\r' });
    await page.until("document.querySelector('#result').innerText.includes('Imaging study')");
    assert.equal(await verdict(page), 'good');
  });
  await step('every control has a name', async () => {
    const { nodes } = await page.call('Accessibility.getFullAXTree');
    const nameless = nodes.filter(({ ignored, role, name }) => !ignored && ['button', 'link', 'textbox', 'image'].includes(role?.value) && !name?.value);
    assert.deepEqual(nameless.map(({ role }) => role.value), []);
  });
  await step('a key is made, a copy offered, and the key removed', async () => {
    await page.click('#key-forget');
    await page.click('#key-forget-yes');
    await page.until("document.querySelector('#key-make')");
    await page.click('#key-make');
    await shoot(page, 'key', { selector: '#key' });
    await page.click('[data-language="zh"]');
    assert.ok(await page.value("document.querySelector('#key-save') !== null"), 'another language has lost the key');
    await page.click('[data-language="en"]');
    await page.click('#key-keep');
    await page.until(isKey);
    assert.match(await page.text('#owner'), /^[0-9a-f]{64}$/);
    await page.until("document.querySelector('#records-body').innerText.includes('Nothing is booked')");
  });
}

/** Answers that were tampered with on the way. */
async function liar(browser, net) {
  const change = (line, answer) => {
    const flip = (text) => text.slice(0, 60) + (text[60] === '0' ? '1' : '0') + text.slice(61);
    if (line.includes('/records?')) answer.records[1].booking = flip(answer.records[1].booking);
    if (line.includes('/readers?')) answer.records.splice(2, 1);
    return answer;
  };
  const server = await serve(net, { change });
  const page = await open(browser, server.url);
  await step('answers that do not hold are refused, never shown as empty', async () => {
    await bringKey(page, SEEDS.owner);
    await page.until("document.querySelector('#records-body .bad') && document.querySelector('#sharing-body .bad')");
    assert.equal(await page.value("document.querySelectorAll('[data-record], #readings, #sharing-none').length"), 0);
    assert.doesNotMatch(await page.text('#records-body'), /Nothing is booked/);
    await shoot(page, 'answer-refused');
  });
  assert.deepEqual(page.complaints, []);
  await server.stop();
}

/** An institution whose words are markup. */
async function markup(browser, net) {
  const server = await serve(net, {
    change: (line, answer) => (line === '/v1/status' ? { ...answer, institution: '<img src=x onerror=alert(1)>' } : answer),
  });
  const page = await open(browser, server.url);
  await step('markup from elsewhere stays text', async () => {
    await bringKey(page, SEEDS.owner);
    await page.until("document.querySelectorAll('[data-record]').length > 0");
    assert.match(await page.text('#records-body'), /<img src=x/);
    assert.equal(await page.value("document.querySelectorAll('img').length"), 0);
  });
  assert.deepEqual(page.complaints, []);
  await step('a canary: what the policy forbids is refused and noticed', async () => {
    await page.value(`(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "run"';
      document.head.append(script);
    })()`);
    assert.notEqual(await page.value('document.title'), 'run');
    assert.match(page.complaints.join(), /Content Security Policy/);
  });
  await server.stop();
}

const browser = await launch(program);
try {
  if (runningUrl) {
    const page = await open(browser, runningUrl);
    await story(page, runningSeed);
    if (light) await alike(page, JSON.parse(readFileSync(light, 'utf8')));
    await shoot(page, 'running-records');
    assert.deepEqual(page.complaints, []);
  } else {
    const net = await network();
    const server = await serve(net);
    const page = await open(browser, server.url);
    await story(page, SEEDS.owner);
    await canned(page, net, server);
    assert.deepEqual(page.complaints, []);
    await server.stop();
    await liar(browser, net);
    await markup(browser, net);
  }
} finally {
  await browser.stop();
}
console.log(`lane: ${passed} passed`);
