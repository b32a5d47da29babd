/** A listener could not be opened. `kind` is for code, the message for the person at the terminal. */
export class ListenError extends Error {
  readonly kind: 'port-in-use' | 'port-forbidden' | 'address-unavailable';
  readonly port: number;

  constructor(kind: ListenError['kind'], port: number, message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'ListenError';
    this.kind = kind;
    this.port = port;
  }
}

/**
 * Turns the error of a failed `listen` into a ListenError that says which port and what to set; other errors come back as
 * they are. `setting` is the environment variable that chooses the port, such as `HTTP_PORT`.
 */
export function toListenError(error: Error, host: string, port: number, setting: string): Error {
  const code = 'code' in error ? error.code : undefined;
  const where = `${host}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new ListenError(
        'port-in-use',
        port,
        `port ${port} is in use (${where}): stop the program that listens there, or set ${setting} to a free port`,
        error,
      );
    case 'EACCES':
      return new ListenError(
        'port-forbidden',
        port,
        `port ${port} needs a privilege that this process lacks (${where}): set ${setting} to a port above 1023`,
        error,
      );
    case 'EADDRNOTAVAIL':
      return new ListenError(
        'address-unavailable',
        port,
        `address ${host} is not one of this machine's (${where}): expected a local address`,
        error,
      );
    default:
      return error;
  }
}
