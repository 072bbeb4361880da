// Why something failed, in words.

import { Unanswered } from './calls.js';
import { Refusal } from './codec.js';

export function reason(error, { say }) {
  if (error instanceof Refusal) return say('error_answer', { kind: error.kind, why: error.message });
  if (!(error instanceof Unanswered)) throw error;
  return error.status === 0 ? say('error_unanswered') : say('error_status', { status: error.status, why: error.message });
}
