/** How many connections there may be, in all and from one address. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get connections(): number {
    return this.#all;
  }

  /** Counts a connection in; the reason when there are too many. An IPv6 address counts by its /64, which is one host's. */
  admit(address: string): { readonly leave: () => void } | 'too-many-connections' | 'too-many-from-address' {
    const key = hostOf(address);
    const own = this.#byAddress.get(key) ?? 0;
    if (this.#all >= this.#limits.maxConnections) return 'too-many-connections';
    if (own >= this.#limits.maxConnectionsPerAddress) return 'too-many-from-address';
    this.#all++;
    this.#byAddress.set(key, own + 1);
    let inside = true;
    return {
      leave: () => {
        if (!inside) return;
        inside = false;
        this.#all--;
        const left = (this.#byAddress.get(key) ?? 1) - 1;
        if (left === 0) this.#byAddress.delete(key);
        else this.#byAddress.set(key, left);
      },
    };
  }
}

function hostOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = '', tail] = address.split('::', 2);
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const groups = [...front, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...back];
  return groups.slice(0, 4).join(':');
}
