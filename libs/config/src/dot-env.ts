import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** Variables of a `.env` file (Node's own syntax); an absent file is empty. Real environment variables go before it. */
export function readDotEnv(path: string): Readonly<Record<string, string>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  return parseEnv(text) as Record<string, string>;
}
