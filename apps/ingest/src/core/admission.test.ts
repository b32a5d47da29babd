import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';

describe('admission', () => {
  it('counts an IPv6 /64 as one host, and an IPv4-mapped address as its IPv4', () => {
    const admission = new Admission({ maxConnections: 10, maxConnectionsPerAddress: 1 });
    expect(admission.admit('2001:db8:1:2::1')).toHaveProperty('leave');
    expect(admission.admit('2001:db8:1:2:ffff::9')).toBe('too-many-from-address');
    expect(admission.admit('2001:db8:1:3::1')).toHaveProperty('leave');
    expect(admission.admit('::ffff:10.0.0.1')).toHaveProperty('leave');
    expect(admission.admit('10.0.0.1')).toBe('too-many-from-address');
  });

  it('has a bound in all, and a connection that left twice makes room once', () => {
    const admission = new Admission({ maxConnections: 2, maxConnectionsPerAddress: 2 });
    const first = admission.admit('a');
    admission.admit('b');
    expect(admission.admit('c')).toBe('too-many-connections');
    if (typeof first === 'string') throw new Error('expected a place');
    first.leave();
    first.leave();
    expect(admission.connections).toBe(1);
  });
});
