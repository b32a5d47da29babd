/** A small line of the last values, without axes: the figure beside it says how much. */
import { sparklinePath } from './sparkline-path.ts';

interface SparklineProps {
  readonly values: readonly number[];
  /** How many values fill the whole width. */
  readonly span: number;
  readonly label: string;
}

const size = { width: 240, height: 40 } as const;

export function Sparkline({ values, span, label }: SparklineProps) {
  const path = sparklinePath(values, span, size);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${size.width} ${size.height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {path !== '' && (
        <>
          <path className="sparkline-area" d={`${path} V ${size.height} H ${startX(values.length, span)} Z`} />
          <path className="sparkline-line" d={path} />
        </>
      )}
    </svg>
  );
}

function startX(count: number, span: number): number {
  return size.width - ((Math.min(count, span) - 1) / (span - 1)) * size.width;
}
