/** Waits, in real time and at most 5 s, until `condition` holds; the error says `what` did not happen. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`within 5 s, expected: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
