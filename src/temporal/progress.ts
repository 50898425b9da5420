/** Hears what takes time. */
export interface Progress {
  /** One sentence that is worth knowing now. */
  note(line: string): void;
  /** Shows that `work` goes on, for how long, and whether its result is good. */
  during<T>(title: string, work: () => Promise<T>, isGood?: (result: T) => boolean): Promise<T>;
}

/** How often a log file or a pipe hears that work goes on. */
const reminderMs = 30_000;

/** Writes to standard error: one line that counts on a terminal, a line now and then in a pipe. */
export function progressOn(stream: NodeJS.WriteStream = process.stderr): Progress {
  return {
    note: (line) => void stream.write(`· ${line}\n`),
    during: (title, work, isGood = () => true) => (stream.isTTY ? counting : reminding)(stream, title, work, isGood),
  };
}

type Shown<T> = [stream: NodeJS.WriteStream, title: string, work: () => Promise<T>, isGood: (result: T) => boolean];

async function counting<T>(...[stream, title, work, isGood]: Shown<T>): Promise<T> {
  const elapsed = stopwatch();
  const draw = (mark: string, end: string) => void stream.write(`\r\u001b[K${mark} ${title} … ${elapsed()}${end}`);
  draw('·', '');
  const timer = setInterval(() => draw('·', ''), 1_000);
  return marked(work, isGood, timer, (mark) => draw(mark, '\n'));
}

async function reminding<T>(...[stream, title, work, isGood]: Shown<T>): Promise<T> {
  const elapsed = stopwatch();
  const line = (mark: string, end: string) => void stream.write(`${mark} ${title}${end}\n`);
  line('·', ' …');
  const timer = setInterval(() => line('·', ` … ${elapsed()}`), reminderMs);
  return marked(work, isGood, timer, (mark) => line(mark, `  ${elapsed()}`));
}

async function marked<T>(
  work: () => Promise<T>,
  isGood: (result: T) => boolean,
  timer: NodeJS.Timeout,
  end: (mark: '✓' | '✗') => void,
): Promise<T> {
  let good = false;
  try {
    const result = await work();
    good = isGood(result);
    return result;
  } finally {
    clearInterval(timer);
    end(good ? '✓' : '✗');
  }
}

function stopwatch(): () => string {
  const started = Date.now();
  return () => `${Math.round((Date.now() - started) / 1_000)} s`;
}
