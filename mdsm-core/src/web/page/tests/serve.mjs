// The page and canned answers over HTTP, as an institution serves them: for tests, without one.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';

import { callMessage } from '../calls.js';
import { holds } from '../ed25519.js';
import { unhex } from '../hash.js';
import { CHAIN } from './network.mjs';

export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:";
const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' };

/** Who calls, if the call is signed for this line. */
async function callerOf(request) {
  const field = request.headers.authorization ?? '';
  const match = field.match(/^MDSM key=([0-9a-f]{64}),time=(\d+),signature=([0-9a-f]{128})$/);
  if (!match || Math.abs(Date.now() - Number(match[2])) > 60_000) return null;
  const [, key, time, signature] = match;
  const isSigned = await holds(unhex(key), callMessage(CHAIN, request.method, request.url, time), unhex(signature));
  return isSigned ? key : null;
}

/** Serves on a free port of this machine. `change(line, answer)` may break an answer; `asked` keeps what was asked. */
export async function serve(net, { change = (_, answer) => answer } = {}) {
  const asked = [];
  const answerOf = async (request) => {
    const [url, body] = [new URL(request.url, 'http://localhost'), []];
    for await (const part of request) body.push(part);
    asked.push({ method: request.method, line: request.url, headers: request.headers, body: Buffer.concat(body).toString() });
    if (url.pathname === '/v1/headers') return [200, 'application/octet-stream', net.headers];
    if (url.pathname.startsWith('/v1/')) {
      const isPublic = url.pathname === '/v1/status';
      if (!isPublic && (await callerOf(request)) === null) return [401, 'application/json', '{"error":"authorization: a signed call is expected"}'];
      const answer = change(request.url, structuredClone(net.answer(request.url)));
      return answer ? [200, 'application/json', JSON.stringify(answer)] : [404, 'text/plain', 'nothing is asked by it'];
    }
    const name = url.pathname === '/' ? 'index.html' : url.pathname.slice(1);
    const type = /^[a-z0-9]+\.(html|css|js)$/.exec(name)?.[1];
    if (!type) return [404, 'text/plain', 'no such file'];
    return [200, TYPES[type], await readFile(new URL(`../${name}`, import.meta.url))];
  };
  const server = createServer(async (request, response) => {
    let answer;
    try {
      answer = await answerOf(request);
    } catch (error) {
      answer = [500, 'text/plain', String(error)];
    }
    const [status, type, body] = answer;
    response.writeHead(status, { 'content-type': type, 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, asked, stop };
}
