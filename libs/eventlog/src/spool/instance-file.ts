import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

export interface InstanceIdentity {
  readonly instanceId: string;
  /** 1 at the first start in this folder, one more at each later one. */
  readonly incarnation: number;
}

/**
 * The identity that survives restarts: kept in `instance.json` in the spool's folder. `wanted` names the instance (a pod
 * name); without it the name of the first start stands. Replaced atomically, so a crash leaves the old or the new.
 */
export async function nextIncarnation(
  dir: string,
  wanted: string | undefined,
  minted: () => string,
): Promise<InstanceIdentity> {
  const path = join(dir, 'instance.json');
  const before = parse(await readFile(path, 'utf8').catch(() => ''));
  const identity = {
    instanceId: wanted ?? before?.instanceId ?? minted(),
    incarnation: (before?.incarnation ?? 0) + 1,
  };
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(JSON.stringify({ instance_id: identity.instanceId, incarnation: identity.incarnation }));
  await file.sync().finally(() => file.close());
  await rename(`${path}.new`, path);
  return identity;
}

function parse(text: string): InstanceIdentity | undefined {
  try {
    const { instance_id: instanceId, incarnation } = JSON.parse(text) as {
      instance_id?: unknown;
      incarnation?: unknown;
    };
    if (typeof instanceId !== 'string' || !Number.isSafeInteger(incarnation)) return undefined;
    return { instanceId, incarnation: incarnation as number };
  } catch {
    return undefined;
  }
}
