/**
 * The programs Millrace runs beside itself: ffmpeg and ffprobe, and for the tests chromium, Java with Maven (a Kafka broker)
 * and kcat. They are looked for on PATH; as root on a Debian machine what is missing is installed (MILLRACE_NO_INSTALL=1
 * forbids it), else the user is told what to do.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ask, run } from './child.mjs';
import { SetupStop, say } from './report.mjs';
import { cacheDir } from './workspace.mjs';

/**
 * @typedef {object} Program
 * @property {readonly string[]} names any of these on PATH will do
 * @property {string} [file] for what is no program: a file that is there once it is installed
 * @property {string} debian the Debian package
 * @property {number} [oldestMajor] the oldest major version that will do
 * @property {RegExp} [version] finds the major version in what `-version` prints
 */

/** @satisfies {Record<string, Program>} */
export const programs = {
  ffmpeg: { names: ['ffmpeg'], debian: 'ffmpeg', oldestMajor: 5, version: /^ffmpeg version \D{0,2}(\d+)/ },
  ffprobe: { names: ['ffprobe'], debian: 'ffmpeg', oldestMajor: 5, version: /^ffprobe version \D{0,2}(\d+)/ },
  // `java -version` says 17.0.15, or 1.8.0_292 where it is too old to matter.
  java: { names: ['java'], debian: 'openjdk-17-jre-headless', oldestMajor: 17, version: /version "(\d+)/ },
  mvn: { names: ['mvn'], debian: 'maven' },
  kcat: { names: ['kcat', 'kafkacat'], debian: 'kcat' },
  nginx: { names: ['nginx'], debian: 'nginx' },
  prometheus: { names: ['prometheus'], debian: 'prometheus' },
  promtool: { names: ['promtool'], debian: 'prometheus' },
  // Speech for the local recogniser of subtitles, and a voice for its test.
  'pocketsphinx-en-us': {
    names: [],
    file: '/usr/share/pocketsphinx/model/en-us/en-us/mdef',
    debian: 'pocketsphinx-en-us',
  },
  'espeak-ng': { names: ['espeak-ng'], debian: 'espeak-ng' },
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'], debian: 'chromium' },
};

/**
 * The path of the first of `names` found on PATH.
 * @param {readonly string[]} names
 * @param {string} path
 * @returns {string | undefined}
 */
export function findOnPath(names, path = process.env['PATH'] ?? '') {
  for (const name of names) {
    for (const folder of path.split(delimiter)) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {}
    }
  }
  return undefined;
}

/**
 * Reads the major version out of what a program printed. A build from git ("N-109542-g...") has none and counts as new.
 * @param {Program} program
 * @param {string} printed
 * @returns {number | undefined} undefined when it is not that program's output
 */
export function majorVersion(program, printed) {
  const found = program.version?.exec(printed);
  if (!found) return undefined;
  const major = Number(found[1]);
  // A date or a git revision count stands where a release has its number.
  return major > 1000 || /version N-/.test(printed) ? Number.POSITIVE_INFINITY : major;
}

/** @typedef {{ program: string, found: string | undefined, lacks: string | undefined }} Finding */

const memoryFile = join(cacheDir, 'programs.json');

/**
 * Looks one program up; the version of an unchanged file is remembered, as asking takes 50 ms each.
 * @param {keyof typeof programs} name
 * @param {Record<string, number | undefined>} memory
 * @returns {Finding}
 */
function inspect(name, memory) {
  /** @type {Program} */
  const program = programs[name];
  if (program.file !== undefined) {
    const there = existsSync(program.file);
    return { program: name, found: program.file, lacks: there ? undefined : `${name} (${program.file}) is not there` };
  }
  const found = findOnPath(program.names);
  if (!found) return { program: name, found, lacks: `${name} is not on PATH` };
  if (program.oldestMajor === undefined) return { program: name, found, lacks: undefined };
  const { mtimeMs, size } = statSync(found);
  const key = `${found} ${mtimeMs} ${size}`;
  const major = memory[key] ?? majorVersion(program, ask(found, ['-version']).output);
  if (major === undefined) return { program: name, found, lacks: `${found} does not run or does not say its version` };
  if (major < program.oldestMajor) {
    return {
      program: name,
      found,
      lacks: `${found} is version ${major}, and ${program.oldestMajor} or newer is needed`,
    };
  }
  memory[key] = Math.min(major, 1000);
  return { program: name, found, lacks: undefined };
}

/** @param {readonly (keyof typeof programs)[]} wanted */
function inspectAll(wanted) {
  /** @type {Record<string, number | undefined>} */
  let memory = {};
  try {
    memory = JSON.parse(readFileSync(memoryFile, 'utf8'));
  } catch {}
  const before = JSON.stringify(memory);
  const findings = wanted.map((name) => inspect(name, memory));
  if (JSON.stringify(memory) !== before) {
    mkdirSync(cacheDir, { recursive: true });
    writeFileSync(memoryFile, JSON.stringify(memory));
  }
  return findings;
}

/** Whether Debian packages may be installed from here. */
export function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && process.env['MILLRACE_NO_INSTALL'] !== '1';
}

/**
 * Installs Debian packages without asking; the caller has checked `mayInstall`.
 * @param {readonly string[]} packages
 * @returns {Promise<boolean>} whether apt-get succeeded
 */
export async function installDebian(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  say(`installing Debian packages: ${packages.join(' ')}`);
  // The package lists of a fresh machine are empty or old.
  if ((await run('apt-get', ['update', '-q'], { env, quiet: true })) !== 0) return false;
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  return (await run('apt-get', install, { env, quiet: true })) === 0;
}

/**
 * Makes sure the programs are there, installing them where that is allowed.
 * @param {readonly (keyof typeof programs)[]} wanted
 */
export async function ensurePrograms(wanted) {
  let lacking = inspectAll(wanted).filter((finding) => finding.lacks);
  if (lacking.length === 0) return;
  const packages = [...new Set(lacking.map((finding) => programs[/** @type {'ffmpeg'} */ (finding.program)].debian))];
  if (mayInstall() && (await installDebian(packages))) {
    lacking = inspectAll(wanted).filter((finding) => finding.lacks);
    if (lacking.length === 0) return;
  }
  throw new SetupStop([
    'Millrace needs programs that are not here:',
    ...lacking.map((finding) => `  ${finding.lacks}`),
    `On Debian or Ubuntu: sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}`,
    `Elsewhere install ${packages.join(' and ')} so that they are on PATH, and run this again.`,
  ]);
}

/**
 * Installs what is good to have, where that is allowed; without it Millrace runs and says what it cannot do.
 * @param {readonly (keyof typeof programs)[]} wanted
 * @param {string} without what is missing without them: "videos get no subtitles"
 */
export async function offerPrograms(wanted, without) {
  const lacking = inspectAll(wanted).filter((finding) => finding.lacks);
  if (lacking.length === 0) return;
  const packages = [...new Set(wanted.map((name) => programs[name].debian))];
  if (mayInstall() && (await installDebian(packages))) return;
  say(`without ${packages.join(', ')} ${without}`);
}
