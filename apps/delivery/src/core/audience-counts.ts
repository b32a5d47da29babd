/**
 * Viewers by stream, and when to say so: on change, at most once a second for each stream; again every 10 s, because a
 * statement is a sample and may be lost; zero twice, then never again.
 */
export interface AudienceStatement {
  readonly streamId: string;
  readonly viewers: number;
}

const leastGapMs = 1_000;
const refreshMs = 10_000;

interface Count {
  viewers: number;
  said: number;
  saidAtMs: number;
}

export class AudienceCounts {
  readonly #counts = new Map<string, Count>();
  #total = 0;

  /** Viewers of all streams. */
  get total(): number {
    return this.#total;
  }

  of(streamId: string): number {
    return this.#counts.get(streamId)?.viewers ?? 0;
  }

  add(streamId: string, change: 1 | -1): void {
    const count = this.#counts.get(streamId) ?? { viewers: 0, said: 0, saidAtMs: Number.NEGATIVE_INFINITY };
    count.viewers += change;
    if (count.viewers < 0) throw new Error(`stream ${streamId} has ${count.viewers} viewers`);
    this.#total += change;
    this.#counts.set(streamId, count);
  }

  /** What is to be said now. */
  due(nowMs: number): readonly AudienceStatement[] {
    const statements: AudienceStatement[] = [];
    for (const [streamId, count] of this.#counts) {
      const { viewers, said, saidAtMs } = count;
      const sinceMs = nowMs - saidAtMs;
      if (viewers === said ? sinceMs < refreshMs : sinceMs < leastGapMs) continue;
      const wasZero = viewers === 0 && said === 0;
      if (wasZero) this.#counts.delete(streamId);
      if (wasZero && saidAtMs === Number.NEGATIVE_INFINITY) continue; // came and went before anybody was told
      count.said = viewers;
      count.saidAtMs = nowMs;
      statements.push({ streamId, viewers });
    }
    return statements;
  }

  /** What to say at the very end: every count that is not zero becomes zero. */
  drain(): readonly AudienceStatement[] {
    const statements = [...this.#counts]
      .filter(([, { said }]) => said !== 0)
      .map(([streamId]) => ({ streamId, viewers: 0 }));
    this.#counts.clear();
    this.#total = 0;
    return statements;
  }
}
