/**
 * Lint of the whole repository. Formatting and import order are biome's; the types are tsc's; what this adds is what neither
 * sees: promises that nobody awaits, switches that forget a case, and who may import whom (`docs/architecture.md`).
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { layerRules } from './tools/check/layers.mjs';

const tests = ['**/*.test.ts', '**/*.test.tsx', 'apps/e2e/**', '**/src/testing.ts', '**/*-contract.ts', '**/test/**'];
const outsideOfServices = ['tools/**', '**/*.config.ts', '*.mjs'];

/** Globals that type-check with our `lib` and are missing in Node 20. */
const missingInNode20 = ['AsyncDisposableStack', 'DisposableStack', 'SuppressedError', 'WebSocket'].map((name) => ({
  name,
  message: 'Node 20 does not have it (use Scope of @millrace/lifecycle for the first two).',
}));

const banned = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals, or an object with `as const`.' },
  { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'Use a module.' },
  { selector: 'Decorator', message: 'Decorators hide what runs: call a function.' },
  { selector: 'TSParameterProperty', message: 'Declare the field and assign it.' },
  { selector: 'ExportAllDeclaration', message: 'Name what a package exports, one by one.' },
];
const environment = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'Only config.ts reads the environment; take the setting as a parameter.',
};

/** Of every package.json: the cache of eslint asks only whether a file changed, and the boundary rule reads these too. */
function declaredPackages() {
  const hash = createHash('sha256').update(readFileSync(new URL('package.json', import.meta.url)));
  for (const parent of ['apps/', 'libs/'].map((path) => new URL(path, import.meta.url))) {
    for (const name of readdirSync(parent).sort()) {
      const file = new URL(`${name}/package.json`, parent);
      if (existsSync(file)) hash.update(name).update(readFileSync(file));
    }
  }
  return hash.digest('hex');
}

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', '.cache/**', '.nx/**', 'data/**', 'coverage/**', '**/*.d.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.tsx'],
    settings: { declaredPackages: declaredPackages() },
    plugins: { '@typescript-eslint': tseslint.plugin, '@nx': nx },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: {
        // Faster than the project service for whole-repository runs (20 s against 31 s cold).
        project: ['./tsconfig.json', './apps/studio/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: true, considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/no-unsafe-argument': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-var': 'error',
      'no-console': 'error',
      'no-debugger': 'error',
      'no-restricted-globals': ['error', ...missingInNode20],
      'no-restricted-syntax': ['error', ...banned, environment],
      'max-lines': ['error', { max: 300 }],
      '@nx/enforce-module-boundaries': ['error', layerRules],
    },
  },
  { files: ['apps/*/src/config.ts'], rules: { 'no-restricted-syntax': ['error', ...banned] } },
  {
    // A page runs in a browser, which has these.
    files: ['apps/studio/**'],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    files: outsideOfServices,
    rules: {
      'no-console': 'off',
      'no-restricted-syntax': ['error', ...banned],
      // Tools do not ship, and use each other by path.
      '@nx/enforce-module-boundaries': 'off',
    },
  },
  {
    files: tests,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-console': 'off',
      'no-restricted-syntax': ['error', ...banned],
      'max-lines': ['error', { max: 600 }],
    },
  },
);
