/** How far something is, as a bar with words beside or below it. */
interface ProgressBarProps {
  /** 0..100; undefined: it moves, nobody knows how far. */
  readonly value: number | undefined;
  readonly label: string;
  readonly tone?: 'bad' | 'quiet' | undefined;
}

export function ProgressBar({ value, label, tone }: ProgressBarProps) {
  const className = tone === undefined ? 'progress-bar' : `progress-bar progress-bar-${tone}`;
  return <progress className={className} max={100} aria-label={label} {...(value === undefined ? {} : { value })} />;
}
