import { describe, expect, it } from 'vitest';
import { errorFromAnswer, errorText } from './api-error.ts';

const refused = (status: number, body: unknown) => errorText(errorFromAnswer(status, body));

describe('an error answer in words', () => {
  it('says the detail of a problem document', () => {
    expect(refused(409, { type: '/problems/x', title: 'Conflict', status: 409, detail: 'stream str_1 is live' })).toBe(
      'Stream str_1 is live.',
    );
  });

  it('falls back to the title, and to plain words where there is no problem document', () => {
    expect(refused(409, { title: 'The key is revoked' })).toBe('The key is revoked.');
    expect(refused(503, undefined)).toContain('try again in a moment');
    expect(refused(404, '<html>')).toBe('This does not exist (any more).');
    expect(refused(418, { title: 5 })).toContain('HTTP 418');
  });

  it('names each field that was wrong, what was expected and what came', () => {
    const errors = [
      { path: 'body.title', expected: 'at least 1 character', got: 'nothing' },
      { path: 'query.limit', expected: 'a number', got: 'x' },
    ];
    expect(refused(400, { title: 'The request is not valid', errors })).toBe(
      'The request is not valid. (title: expected at least 1 character, got nothing; limit: expected a number, got x)',
    );
  });

  it('tells signed-out, unreachable and unreadable apart', () => {
    expect(errorFromAnswer(401, { title: 'x' })).toEqual({ kind: 'signed-out' });
    expect(errorText({ kind: 'signed-out' })).toContain('Sign in again');
    expect(errorText({ kind: 'unreachable' })).toContain('does not answer');
    expect(errorText({ kind: 'unreadable', reason: 'title: expected a text' })).toContain('title: expected a text');
  });
});
