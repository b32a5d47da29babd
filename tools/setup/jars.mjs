/**
 * Programs in Java that tests and people start, as the jars that a pom.xml asks for, fetched once from Maven Central and kept in the
 * cache folder. Afterwards nothing needs the network.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.mjs';
import { ensurePrograms, findOnPath, programs } from './programs.mjs';
import { SetupStop, say } from './report.mjs';
import { cacheDir, inRepository } from './workspace.mjs';

/**
 * @typedef {object} JavaProgram
 * @property {string} name of its folder in tools/, where its pom.xml is, and in the cache
 * @property {string} title "Apache Kafka"
 * @property {number} megabytes what is fetched, about
 * @property {string} instead what may be done where it cannot be fetched
 */

/**
 * The folder of the jars that the program's pom.xml asks for, there or not.
 * @param {JavaProgram} program
 */
export function jarsFolder({ name }) {
  const version = createHash('sha256')
    .update(readFileSync(pomOf(name)))
    .digest('hex')
    .slice(0, 12);
  return join(cacheDir, name, version);
}

/**
 * Makes sure that Java and the program's jars are there.
 * @param {JavaProgram} program
 */
export async function ensureJars(program) {
  await ensurePrograms(['java']);
  const folder = jarsFolder(program);
  if (existsSync(folder)) return;
  await ensurePrograms(['mvn']);
  const { name, title, megabytes, instead } = program;
  say(`fetching ${title} from Maven Central (${megabytes} MB, once)`);
  mkdirSync(join(cacheDir, name), { recursive: true });
  // Into a folder beside it, renamed when it is whole: an interrupted download is seen as none.
  const fresh = mkdtempSync(join(cacheDir, name, 'fetching-'));
  try {
    const goal = ['-q', '-B', '-f', pomOf(name), 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`];
    const mvn = findOnPath(programs.mvn.names) ?? 'mvn';
    if ((await run(mvn, goal, { quiet: true })) !== 0) {
      throw new SetupStop([`Maven could not fetch the jars of ${title} (see above).`, instead]);
    }
    if (!existsSync(folder)) renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** @param {string} name */
function pomOf(name) {
  return inRepository('tools', name, 'pom.xml');
}
