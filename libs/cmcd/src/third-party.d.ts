declare module '@montevideo-tech/cmcd-validator' {
  interface Verdict {
    readonly valid: boolean;
    readonly errors: readonly unknown[];
  }
  export function CMCDQueryValidator(url: string): Verdict;
  export function CMCDHeaderValidator(head: string): Verdict;
}
