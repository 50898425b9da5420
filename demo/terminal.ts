import pico from 'picocolors';

type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** What the demo writes, and a copy of it, in which no secret may be found at the end. */
export class Terminal {
  readonly paint: ReturnType<typeof pico.createColors>;
  readonly isColourful: boolean;
  #transcript = '';

  constructor(
    private readonly stream: Stream,
    env: NodeJS.ProcessEnv,
  ) {
    this.isColourful = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
    this.paint = pico.createColors(this.isColourful);
  }

  get transcript(): string {
    return this.#transcript;
  }

  say(line = ''): void {
    this.#transcript += `${line}\n`;
    this.stream.write(`${line}\n`);
  }

  /** What happens next, in words. */
  tell(line: string): void {
    this.say(this.paint.dim(`  # ${line}`));
  }

  act(number: number, title: string): void {
    this.say();
    this.say(this.paint.bold(this.paint.cyan(`${number}. ${title}`)));
  }

  /** A command as a person would type it. */
  command(words: readonly string[]): void {
    this.say(`  ${this.paint.bold(`$ ${words.map(quoted).join(' ')}`)}`);
  }

  /** A line that a command wrote. */
  output(line: string): void {
    this.say(`    ${line}`);
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
