// A headless Chromium, driven by the DevTools protocol over a pipe. It is stopped by its own process id.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ANSWER_MS = 60_000;

export async function launch(program) {
  const folder = mkdtempSync(join(tmpdir(), 'mdsm-page-'));
  const options = [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe',
    '--disable-background-networking', '--disable-component-update', '--lang=en', `--user-data-dir=${folder}`, 'about:blank',
  ];
  const child = spawn(program, options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const [waiting, listeners] = [new Map(), new Set()];
  let [next, text] = [1, ''];

  child.stdio[4].setEncoding('utf8').on('data', (part) => {
    const messages = (text + part).split('\0');
    text = messages.pop();
    for (const message of messages.map((one) => JSON.parse(one))) {
      if (message.id === undefined) listeners.forEach((listener) => listener(message));
      else {
        const { resolve, reject, timer } = waiting.get(message.id);
        clearTimeout(timer);
        waiting.delete(message.id);
        if (message.error) reject(new Error(message.error.message));
        else resolve(message.result);
      }
    }
  });
  const send = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    const id = next;
    next += 1;
    const timer = setTimeout(() => reject(new Error(`${method} ${JSON.stringify(params).slice(0, 200)}: no answer`)), ANSWER_MS);
    waiting.set(id, { resolve, reject, timer });
    child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
  const stop = async () => {
    // Its helper processes are of its group, which nobody else is in.
    process.kill(-child.pid, 'SIGTERM');
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  return { send, listeners, stop };
}

/** A page: commands to it, and all that it complained about. */
export async function open({ send, listeners }, url) {
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const call = (method, params) => send(method, params, sessionId);
  const complaints = [];
  listeners.add(({ method, params, sessionId: from }) => {
    if (from !== sessionId) return;
    if (method === 'Runtime.exceptionThrown') complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Log.entryAdded' && ['error', 'warning'].includes(params.entry.level)) complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`);
    if (method === 'Runtime.consoleAPICalled' && params.type === 'error') complaints.push(JSON.stringify(params.args));
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'DOM']) await call(`${domain}.enable`);

  /** The value of an expression, awaited. */
  const value = async (expression) => {
    const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  };
  /** Waits until an expression is true: it is asked again whenever the page has changed. */
  const until = async (expression, ms = 20_000) => {
    const isTrue = await value(`new Promise((resolve) => {
      const isTrue = () => { try { return Boolean(${expression}); } catch { return false; } };
      if (isTrue()) { resolve(true); return; }
      const watch = new MutationObserver(() => { if (isTrue()) { watch.disconnect(); resolve(true); } });
      watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      setTimeout(() => { watch.disconnect(); resolve(isTrue()); }, ${ms});
    })`);
    if (!isTrue) throw new Error(`never true: ${expression}\n${await value('document.body.innerText')}`);
  };
  const load = async (to) => {
    const loaded = new Promise((resolve) => {
      const listener = ({ method, sessionId: from }) => {
        if (from !== sessionId || method !== 'Page.loadEventFired') return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });
    await call('Page.navigate', { url: to });
    await loaded;
  };
  const text = (selector) => value(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? null`);
  const click = (selector) => value(`document.querySelector(${JSON.stringify(selector)}).click()`);
  const choose = async (selector, ...files) => {
    const { root } = await call('DOM.getDocument');
    const { nodeId } = await call('DOM.querySelector', { nodeId: root.nodeId, selector });
    await call('DOM.setFileInputFiles', { nodeId, files });
  };
  const press = async (key, code = key, windowsVirtualKeyCode = 9, extra = {}) => {
    const event = { key, code, windowsVirtualKeyCode, ...extra };
    await call('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
    await call('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  };
  await load(url);
  return { call, value, until, load, text, click, choose, press, complaints };
}
