/** What a process says of itself at /readyz, and the table of all of them. */

/** `away`: it does not answer. */
export interface ProcessHealth {
  readonly ready: boolean;
  /** Why it is not, as it says itself. */
  readonly reasons: readonly string[];
}

export interface ProcessRow extends ProcessHealth {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  /** Share of one core since the last look. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly restarts: number;
}

const askWithinMs = 2_000;

/** Asks `/readyz` of a listener; never rejects. */
export async function askReadiness(url: string): Promise<ProcessHealth> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(askWithinMs) });
    const body = (await answer.json()) as { services?: readonly { reasons?: readonly string[] }[] };
    const reasons = (body.services ?? []).flatMap((service) => service.reasons ?? []);
    return { ready: answer.status === 200, reasons };
  } catch {
    return { ready: false, reasons: ['it does not answer'] };
  }
}

const columns = ['process', 'pid', 'state', 'health', 'cpu', 'memory', 'restarts'] as const;

/** The table as lines without colours, cut to `width` characters. */
export function renderTable(rows: readonly ProcessRow[], width: number): readonly string[] {
  const cells = rows.map((row) => [
    row.name,
    row.pid === 0 ? '-' : String(row.pid),
    row.state,
    row.ready ? 'ready' : (row.reasons[0] ?? 'not ready'),
    `${(row.cpu * 100).toFixed(0)} %`,
    row.memoryBytes === 0 ? '-' : `${Math.round(row.memoryBytes / 1e6)} MB`,
    String(row.restarts),
  ]);
  const widths = columns.map((title, i) => Math.max(title.length, ...cells.map((line) => (line[i] ?? '').length)));
  const rightAligned = new Set([1, 4, 5, 6]);
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => (rightAligned.has(i) ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
      .slice(0, width);
  return [line(columns), ...cells.map(line)];
}

/** What changed between two looks, one line each, for an output that is no terminal. */
export function changesBetween(before: readonly ProcessRow[], after: readonly ProcessRow[]): readonly string[] {
  const known = new Map(before.map((row) => [row.name, row]));
  return after.flatMap((row) => {
    const last = known.get(row.name);
    const health = row.ready ? 'ready' : `not ready: ${row.reasons.join('; ')}`;
    if (last?.state === row.state && last.ready === row.ready && last.reasons[0] === row.reasons[0]) return [];
    return [`${row.name} (pid ${row.pid || '-'}) ${row.state}, ${health}`];
  });
}
