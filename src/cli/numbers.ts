import { InvalidArgumentError } from 'commander';

/** A port from an option; 0 stands for a free one. */
export function portOption(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('expected a port: a number from 0, for a free one, to 65535');
}

/** How many of something: 1 or more. */
export function countOption(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 1');
}
