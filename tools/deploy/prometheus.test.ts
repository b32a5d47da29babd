/** The rules and the dashboards, read by Prometheus' own tools, and held against the metrics that the code has. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { metricsPage } from '../docs/metrics-page.ts';
import { inRepository } from '../setup/workspace.mjs';

const folder = inRepository('deploy', 'prometheus');

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboardDir = inRepository('deploy', 'grafana');
const expressions = readdirSync(dashboardDir).flatMap((file) => {
  const { panels } = JSON.parse(readFileSync(join(dashboardDir, file), 'utf8')) as {
    readonly panels: readonly Panel[];
  };
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
});

function promtool(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const done = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8', timeout: 20_000 });
  return { status: done.status, said: `${done.stdout}${done.stderr}` };
}

/** Names of the metrics in an expression. */
function metricNames(expr: string): readonly string[] {
  const names = expr.replaceAll(/\{[^}]*\}|"[^"]*"/g, '').match(/\b(millrace|process|nodejs)[a-z0-9_:]+/g) ?? [];
  return names.filter((name) => !name.includes(':'));
}

describe('Prometheus', () => {
  let dir: string;
  let known: ReadonlySet<string>;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-rules-'));
    const rows = [...(await metricsPage()).matchAll(/^\| `(millrace_[a-z0-9_]+)` +\| (\w+)/gm)];
    known = new Set(
      rows.flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('takes the configuration, and the rules do what their cases say', () => {
    expect(promtool('check', 'config', 'prometheus.yml')).toMatchObject({ status: 0 });
    expect(promtool('test', 'rules', 'rules.test.yml')).toMatchObject({ status: 0 });
  });

  test('parses every expression of the dashboards', () => {
    expect(expressions.length).toBeGreaterThan(45);
    const rules = expressions.map(({ expr }, i) => ({ record: `dashboard:expression_${i}`, expr }));
    const file = join(dir, 'dashboard.json');
    // YAML holds JSON.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(promtool('check', 'rules', file)).toMatchObject({ status: 0 });
    writeFileSync(
      file,
      JSON.stringify({ groups: [{ name: 'dashboard', rules: [{ record: 'x:y', expr: 'sum by (' }] }] }),
    );
    expect(promtool('check', 'rules', file).status).not.toBe(0);
  });

  test('is asked only for metrics that a service has', () => {
    const { groups } = parse(readFileSync(join(folder, 'rules.yml'), 'utf8')) as {
      groups: readonly { rules: readonly { expr: string; alert?: string; record?: string }[] }[];
    };
    const rules = groups.flatMap(({ rules }) =>
      rules.map(({ expr, alert, record }) => ({ title: alert ?? record ?? '', expr })),
    );
    const unknown = [...expressions, ...rules].flatMap(({ title, expr }) =>
      metricNames(expr)
        .filter((name) => name.startsWith('millrace_') && !known.has(name))
        .map((name) => `${title}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});
