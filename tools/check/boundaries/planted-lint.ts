/** One violation of each lint rule that carries a decision; the self-test lints them in memory and expects each to be caught. */

export interface PlantedText {
  readonly rule: string;
  /** The file that the text pretends to be; it must exist, as typed rules ask the compiler about it. */
  readonly file: string;
  readonly text: string;
  /** Whether the rule asks the compiler; those take a second each. */
  readonly needsTypes?: boolean;
}

const boundaries = '@nx/enforce-module-boundaries';
const kernel = 'libs/result/src/index.ts';
const domain = 'libs/cmaf/src/index.ts';
const contract = 'libs/events/src/index.ts';
const platform = 'libs/http/src/index.ts';
const media = 'libs/handover/src/index.ts';
const app = 'libs/lifecycle/src/scope.ts';

/** An import of `from` in `file`, which `@nx/enforce-module-boundaries` has to refuse. */
function crossing(file: string, from: string): PlantedText {
  return { rule: boundaries, file, text: `import * as x from '${from}';\nexport const y = x;\n` };
}

export const plantedTexts: readonly PlantedText[] = [
  crossing(kernel, '@millrace/log'),
  crossing(kernel, '@millrace/flv'),
  crossing(domain, '@millrace/events'),
  crossing(contract, '@millrace/config'),
  crossing(platform, '@millrace/cmaf'),
  crossing(media, '@millrace/control/service'),
  // Not in that package's package.json.
  crossing(kernel, 'zod'),
  crossing(platform, '../../cmaf/src/index.ts'),
  {
    rule: '@typescript-eslint/no-floating-promises',
    needsTypes: true,
    file: app,
    text: 'async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n',
  },
  {
    rule: '@typescript-eslint/no-misused-promises',
    needsTypes: true,
    file: app,
    text: 'export function start(each: readonly number[]): void {\n  each.forEach(async () => {});\n}\n',
  },
  {
    rule: '@typescript-eslint/switch-exhaustiveness-check',
    needsTypes: true,
    file: app,
    text: "export function f(x: 'a' | 'b'): number | undefined {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n}\n",
  },
  { rule: '@typescript-eslint/no-explicit-any', file: app, text: 'export const x = (y: any): unknown => y;\n' },
  {
    rule: '@typescript-eslint/no-non-null-assertion',
    file: app,
    text: 'export const x = (y: string | undefined): string => y!;\n',
  },
  {
    rule: '@typescript-eslint/consistent-type-imports',
    file: app,
    text: "import { backoffMs } from './backoff.ts';\nexport type X = typeof backoffMs;\n",
  },
  { rule: 'no-restricted-globals', file: app, text: 'export const x = (): unknown => new AsyncDisposableStack();\n' },
  { rule: 'no-restricted-globals', file: app, text: "export const x = (): unknown => new WebSocket('ws://h');\n" },
  { rule: 'no-restricted-syntax', file: app, text: 'export enum X {\n  a,\n}\n' },
  { rule: 'no-restricted-syntax', file: app, text: "export * from './backoff.ts';\n" },
  { rule: 'no-restricted-syntax', file: app, text: "export const x = process.env['HOME'];\n" },
  { rule: 'no-restricted-syntax', file: app, text: '@((x: unknown) => void x)\nexport class X {}\n' },
  { rule: 'max-lines', file: app, text: '// a line\n'.repeat(301) },
];
