/** Lines of UTF-8 bytes as they come, without their ends. A line longer than `mostBytes` is cut. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, mostBytes = 65_536): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let open = '';
  for await (const some of bytes) {
    open += decoder.decode(some, { stream: true });
    const lines = open.split('\n');
    open = (lines.pop() ?? '').slice(0, mostBytes);
    yield* lines;
  }
  if (open !== '') yield open;
}
