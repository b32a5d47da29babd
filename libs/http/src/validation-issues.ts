import type { z } from 'zod';
import type { ProblemIssue } from './problem.ts';

/**
 * Every issue of a failed parse as path, expected and got. `target` is where the value stood (`json` becomes `body`) and
 * `input` is that value; what came is shown cut at 60 characters.
 */
export function describeIssues(error: z.ZodError, target: string, input: unknown): readonly ProblemIssue[] {
  const root = target === 'json' ? 'body' : target === 'param' ? 'path' : target;
  return error.issues.slice(0, 50).map((issue) => ({
    path: [root, ...issue.path.map(String)].join('.').slice(0, 200),
    expected: expectation(issue),
    got: shown(valueAt(input, issue.path)),
  }));
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'unrecognized_keys':
      return `no other members than the documented ones (found ${issue.keys.slice(0, 10).join(', ').slice(0, 200)})`;
    case 'too_small':
      return `at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `at most ${issue.maximum}${unit(issue.origin)}`;
    default:
      return issue.message;
  }
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' items' : '';
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
