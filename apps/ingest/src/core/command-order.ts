/**
 * The one order of commands that leads to a publish: connect, createStream, publish. Everything else about order is a
 * fault: two connects, two publishes, play, too many commands.
 */
import { assertNever } from '@millrace/result';
import type { Command } from './command.ts';
import { type GuardFault, guardFault } from './guard-fault.ts';
import type { GuardLimits } from './guard-limits.ts';

type Step = 'unconnected' | 'connected' | 'checking' | 'publishing' | 'finished';

export class CommandOrder {
  readonly #limits: GuardLimits;
  #step: Step = 'unconnected';
  #commands = 0;
  #messageStreams = 0;

  constructor(limits: Pick<GuardLimits, 'maxCommands' | 'maxMessageStreams'> & GuardLimits) {
    this.#limits = limits;
  }

  get mediaAllowed(): boolean {
    return this.#step === 'publishing' || this.#step === 'finished';
  }

  /** The key of the publish in question was accepted. */
  authorised(): void {
    if (this.#step !== 'checking') throw new Error(`a publish was authorised in step ${this.#step}`);
    this.#step = 'publishing';
    this.#commands = 0;
  }

  /** Takes the next command; a fault when it is out of order. */
  take(command: Command): GuardFault | undefined {
    if (++this.#commands > this.#limits.maxCommands) {
      return guardFault('command-flood', `more than ${this.#limits.maxCommands} commands`);
    }
    switch (command.kind) {
      case 'connect':
        if (this.#step !== 'unconnected') return outOfOrder('connect', this.#step);
        this.#step = 'connected';
        return undefined;
      case 'create-stream':
        if (this.#step === 'unconnected') return outOfOrder('createStream', this.#step);
        if (++this.#messageStreams > this.#limits.maxMessageStreams) {
          return guardFault('command-flood', `more than ${this.#limits.maxMessageStreams} message streams`);
        }
        return undefined;
      case 'publish':
        return this.#publish();
      case 'play':
        return this.#step === 'unconnected' ? outOfOrder('play', this.#step) : undefined;
      case 'finish':
        if (this.#step === 'publishing') this.#step = 'finished';
        return undefined;
      case 'other':
        return undefined;
      default:
        return assertNever(command);
    }
  }

  #publish(): GuardFault | undefined {
    if (this.#step === 'unconnected' || this.#messageStreams === 0) return outOfOrder('publish', this.#step);
    if (this.#step !== 'connected') return guardFault('second-publish', 'expected one publish on a connection');
    this.#step = 'checking';
    return undefined;
  }
}

function outOfOrder(name: string, step: Step): GuardFault {
  return guardFault('command-order', `${name} in step ${step}`);
}
