/** What is wrong with a command line itself, told as every other error is. */
import type { Command, CommanderError } from 'commander';
import { suggest } from '../manifest/problem.js';
import { anyHelp, CliError, usage } from './errors.js';

/** `tenure help rotate` is `tenure rotate --help`. */
export function withoutHelpWord(argv: readonly string[]): readonly string[] {
  if (argv[0] !== 'help') return argv;
  return [...argv.slice(1).filter((word) => !word.startsWith('-')), '--help'];
}

/** Whether an error is wanted as data; what comes after `--` belongs to somebody else's command. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

/** Demands that the words name a command: commander would show help for one that there is none of, and call it a success. */
export function demandKnown(program: Command, argv: readonly string[]): void {
  let command = program;
  for (const word of argv) {
    if (command.commands.length === 0) return;
    if (word.startsWith('-')) return demandHelp(command, word);
    const found = command.commands.find((one) => one.name() === word);
    if (!found) throw unknown(command, word);
    command = found;
  }
}

function demandHelp(command: Command, option: string): void {
  const own = command.parent ? ['-h', '--help'] : ['-h', '--help', '-V', '--version'];
  if (!own.includes(option)) throw usage(`name a command before ${option}: options come after it`, helpOf(command));
}

function unknown(command: Command, word: string) {
  const names = command.commands.map((one) => one.name());
  return usage(`there is no command ${pathOf(command)} ${word}. ${suggest(word, names)}`, helpOf(command));
}

/** What commander ends a command with: an error that names its help, or help that was asked for. */
export function endingOf(command: Command, error: CommanderError): Error {
  if (error.exitCode === 0 || error.code === 'commander.help') return error;
  return usage(error.message.replace(/^error: /, '').replaceAll('\n', ' '), helpOf(command));
}

/** The help of the verb that was used wrongly, where the error names none. */
export function withHelpOf(command: Command, error: unknown): unknown {
  return error instanceof CliError && error.next === anyHelp ? usage(error.message, helpOf(command)) : error;
}

function helpOf(command: Command): string {
  return `${pathOf(command)} --help`;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
