/** Reads the Prometheus text exposition format 0.0.4, strictly: every line has to be one of its kinds. */

export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf|NaN))(?: \d+)?$/i;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/** Parses an exposition; throws with the line that is none. */
export function readMetrics(text: string): readonly MetricFamily[] {
  if (!text.endsWith('\n')) throw new Error('expected a line feed at the end');
  const families = new Map<string, { name: string; type: string; help: string; samples: MetricSample[] }>();
  const family = (name: string) => {
    const known = families.get(name) ?? { name, type: '', help: '', samples: [] };
    families.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (line === '') continue;
    if (kind === 'HELP') family(name).help = rest;
    else if (kind === 'TYPE') {
      if (family(name).type !== '') throw new Error(`two TYPE lines of ${name}`);
      family(name).type = rest;
    } else {
      const [, full, labels, value] = sampleLine.exec(line) ?? [];
      if (full === undefined) throw new Error(`not a line of the exposition format: ${line}`);
      const base = families.has(full) ? full : full.replace(/_(bucket|sum|count)$/, '');
      if (families.get(base)?.type === undefined || families.get(base)?.type === '')
        throw new Error(`no TYPE before ${line}`);
      family(base).samples.push({ name: full, labels: readLabels(labels ?? '', line), value: Number(value) });
    }
  }
  return [...families.values()];
}

function readLabels(text: string, line: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    const [whole, name, value] = labelPair.exec(text) ?? [];
    if (whole === undefined || name === undefined) throw new Error(`bad labels: ${line}`);
    labels[name] = value ?? '';
    at += whole.length;
  }
  return labels;
}
