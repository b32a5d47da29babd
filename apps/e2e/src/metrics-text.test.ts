import { expect, it } from 'vitest';
import { readMetrics } from './metrics-text.ts';

it('reads families with labels, escapes, histograms and exponents', () => {
  const text = `# HELP a_total How many, "all" told.
# TYPE a_total counter
a_total{reason="too \\"late\\", by far"} 3
a_total 1e-7
# HELP b_seconds How long.
# TYPE b_seconds histogram
b_seconds_bucket{le="+Inf"} 2
b_seconds_sum 0.5
b_seconds_count 2
`;
  const [a, b] = readMetrics(text);
  expect(a?.samples).toEqual([
    { name: 'a_total', labels: { reason: 'too \\"late\\", by far' }, value: 3 },
    { name: 'a_total', labels: {}, value: 1e-7 },
  ]);
  expect(b?.samples.map(({ name }) => name)).toEqual(['b_seconds_bucket', 'b_seconds_sum', 'b_seconds_count']);
});

it.each(['a_total{x=1} 2\n', 'a_total two\n', 'a-b 1\n', '# TYPE a counter\na 1'])('refuses %j', (text) => {
  expect(() => readMetrics(`# TYPE a_total counter\n${text}`)).toThrow();
});
