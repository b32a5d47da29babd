/** What the set-up says to the person at the terminal, and how it stops. Everything goes to stderr. */

/** Exit code of a machine or configuration that the user has to put right (sysexits.h EX_USAGE). */
export const needsUser = 64;

/** The set-up cannot go on until the user does what `lines` say. */
export class SetupStop extends Error {
  /**
   * @param {readonly string[]} lines what is missing, and the commands that put it right
   * @param {number} code the exit code
   */
  constructor(lines, code = needsUser) {
    super(lines.join('\n'));
    this.name = 'SetupStop';
    this.code = code;
  }
}

/**
 * Says one line of progress.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`[set-up] ${line}\n`);
}

/**
 * Runs an entry point: a `SetupStop` prints its lines and exits with its code, anything else is a bug and prints its stack.
 * @param {() => Promise<void>} body
 */
export async function entry(body) {
  try {
    await body();
  } catch (error) {
    if (error instanceof SetupStop) {
      process.stderr.write(`\n${error.message}\n`);
      process.exit(error.code);
    }
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
}
