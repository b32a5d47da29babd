import { createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { freePort, outgoingFrom } from './free-port.ts';

describe('a free port', () => {
  it('is no port that an outgoing connection may take before its server listens, and is given once', async () => {
    const ports: number[] = [];
    for (let i = 0; i < 100; i++) ports.push(await freePort());
    expect(new Set(ports).size).toBe(100);
    expect(Math.max(...ports)).toBeLessThan(outgoingFrom());
    expect(Math.min(...ports)).toBeGreaterThan(10_080); // browsers refuse it
  });

  it('is not one at which somebody listens, on whatever address', async () => {
    const taken = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
    const next = await freePort();
    const random = vi.spyOn(Math, 'random');
    for (const port of [taken, next + 1]) random.mockReturnValueOnce((port - 10_240 + 0.5) / (outgoingFrom() - 10_240));
    expect(await freePort()).not.toBe(taken);
    random.mockRestore();
    await new Promise((resolve) => server.close(resolve));
  });
});
